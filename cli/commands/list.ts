import type { ReleaseItem } from '../client/types.ts'
import { type PagedList, type PageOptions, printPages } from '../framework/pages.ts'
import { defineCommand } from '../framework/tree.ts'
import { releaseTable } from './releases.ts'

const RELEASES: PagedList<ReleaseItem> = {
  path: '/v1/packages',
  field: 'packages',
  table: releaseTable,
  none: 'Nothing here yet: `catalog publish DIR` or `catalog fetch NAME`.',
  command: 'list'
}

export const run = defineCommand((context, _args: [], options: PageOptions) =>
  printPages(context, RELEASES, options)
)
