import type { ConflictItem } from '../client/types.ts'
import { formatTable } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'
import { strategyText } from './conflicts-show.ts'

interface ConflictPage {
  conflicts: ConflictItem[]
  /** Cursor of the next page; absent on the last one. */
  next?: string
}

interface Options {
  limit?: number
  after?: string
}

export const run = defineCommand(async (context, _args: [], { limit, after }: Options) => {
  const page = await context.client().request<ConflictPage>('GET', '/v1/conflicts', {
    query: { limit, after },
    signal: context.signal
  })
  context.output.result(page, () =>
    formatTable(
      ['NAME', 'OUTCOME', 'STRATEGY', 'OWNERS', 'VERSIONS', 'PINNED'],
      page.conflicts.map(item => [
        item.name,
        item.equivocated ? `${item.outcome}, equivocated` : item.outcome,
        strategyText(item),
        String(item.owners),
        item.versions.join(', '),
        item.pinned ?? 'nobody'
      ])
    )
  )
  if (page.next !== undefined) context.output.note(`More: catalog conflicts list --after '${page.next}'`)
  else if (page.conflicts.length === 0) context.output.note('No name here is claimed by several owners.')
})
