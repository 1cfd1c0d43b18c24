import { displaySize } from '../../base/index.ts'
import type { ReleaseItem } from '../client/types.ts'
import type { Context } from '../framework/context.ts'
import { formatTable, printable } from '../framework/format.ts'

/** The table of `list`, `versions` and `why`. Whom releases are for is said where one is not for everybody. */
export function releaseTable(items: ReleaseItem[]): string {
  const isPublic = items.every(({ access }) => access === 'public')
  const withAccess = (cells: string[], access: string): string[] => (isPublic ? cells : [...cells, access])
  return formatTable(
    [...withAccess(['NAME', 'VERSION', 'TYPE', 'SIZE', 'LOCAL', 'STATUS'], 'ACCESS'), 'PUBLISHER'],
    items.map(item => [
      ...withAccess(
        [item.name, item.version, item.type, displaySize(item.sizeBytes), item.local, stateOf(item)],
        item.access
      ),
      item.publisher
    ])
  )
}

/** What this node's operator says of a release weighs more here than what its owner does. */
const stateOf = ({ isBlocked, status }: ReleaseItem): string => (isBlocked ? 'blocked' : status)

/** What an owner says of a release: fields that items of lists, details and fetched releases share. */
type Said = Pick<ReleaseItem, 'name' | 'version' | 'status' | 'reason' | 'replacement'>

/** `tool@1.0.0 is yanked: leaks the key; instead of it: tool@^1.1`. */
export function statusText({ name, version, status, reason, replacement }: Said): string {
  const why = reason === undefined ? '' : `: ${reason}`
  const instead = replacement === undefined ? '' : `; instead of it: ${replacement}`
  return printable(`${name}@${version} is ${status}${why}${instead}`)
}

/** Warns of a release whose owner would not have it used without a thought. */
export function warnOfStatus(context: Context, release: Said): void {
  if (release.status !== 'published') context.output.warn(statusText(release))
}
