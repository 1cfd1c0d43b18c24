import { displaySize } from '../../base/index.ts'
import type { ContentItem } from '../client/types.ts'
import { formatTable } from '../framework/format.ts'
import { type PagedList, type PageOptions, printPages } from '../framework/pages.ts'
import { defineCommand } from '../framework/tree.ts'

const CONTENTS: PagedList<ContentItem> = {
  path: '/v1/contents',
  field: 'contents',
  table: items =>
    formatTable(
      ['CONTENT', 'SIZE', 'STATE', 'KEPT', 'USED', 'RELEASES'],
      items.map(item => [
        item.content,
        item.sizeBytes === undefined ? '' : displaySize(item.sizeBytes),
        item.state,
        keptBy(item),
        // To the day: nobody is helped by the hour in a table.
        item.usedAt?.slice(0, 'YYYY-MM-DD'.length) ?? '',
        item.releases.join(', ')
      ])
    ),
  none: 'Nothing is held yet: `catalog publish DIR` or `catalog fetch NAME`.',
  command: 'content list'
}

/** Why it never goes by itself. */
const keptBy = ({ pins, isOwn, isMirrored }: ContentItem): string =>
  [
    ...(pins.length > 0 ? ['pinned'] : []),
    ...(isOwn ? ['own'] : []),
    ...(isMirrored ? ['mirrored'] : [])
  ].join(', ')

export const run = defineCommand((context, _args: [], options: PageOptions) =>
  printPages(context, CONTENTS, options)
)
