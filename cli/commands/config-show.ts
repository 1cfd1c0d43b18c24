import type { ConfigReply } from '../client/types.ts'
import { formatTable } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'

export const run = defineCommand(async (context, [prefix]: [string | undefined]) => {
  const answer = await context.client().request<ConfigReply>('GET', '/v1/config', { signal: context.signal })
  const values =
    prefix === undefined ? answer.values : answer.values.filter(({ key }) => key.startsWith(prefix))
  context.output.result({ ...answer, values }, () =>
    formatTable(
      ['KEY', 'VALUE', 'FROM', 'AFTER A RESTART'],
      values.map(({ key, value, unit, origin, pending }) => [
        key,
        `${typeof value === 'string' ? value : JSON.stringify(value)}${unit === undefined ? '' : ` ${unit}`}`,
        origin,
        pending ?? ''
      ])
    )
  )
  if (values.length === 0) context.output.note('No key begins so: `catalog config docs` lists all.')
  for (const warning of answer.warnings) context.output.warn(warning)
})
