import { CatalogError } from '../../base/index.ts'
import type { ConflictRule } from '../client/types.ts'
import { printable } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'
import { strategyText } from './conflicts-show.ts'

interface Options {
  owner?: string
  strategy?: string
  clear?: boolean
}

export const run = defineCommand(async (context, [name]: [string], { owner, strategy, clear }: Options) => {
  const given = [owner, strategy, clear].filter(option => option !== undefined)
  if (given.length !== 1)
    throw new CatalogError('INVALID_ARGUMENT', 'resolve needs one decision', {
      hint: 'give --owner KEY, --strategy S or --clear'
    })
  const path = `/v1/conflicts/${encodeURIComponent(name)}`
  const options = { signal: context.signal }
  const rule =
    clear === true
      ? await context.client().request<ConflictRule>('DELETE', path, options)
      : await context.client().request<ConflictRule>('PUT', path, { ...options, body: { owner, strategy } })
  context.output.result(rule, () =>
    printable(
      owner === undefined
        ? `conflicts of ${rule.name}: ${strategyText(rule)}`
        : `${rule.name} is pinned to ${rule.pinned}`
    )
  )
})
