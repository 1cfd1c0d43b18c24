import { displaySize } from '../../base/index.ts'
import type { ReleaseItem } from '../client/types.ts'
import type { Context } from '../framework/context.ts'
import { formatTable, printable } from '../framework/format.ts'

/** The table of `list`, `versions` and `why`. */
export function releaseTable(items: ReleaseItem[]): string {
  return formatTable(
    ['NAME', 'VERSION', 'TYPE', 'SIZE', 'LOCAL', 'STATUS', 'PUBLISHER'],
    items.map(item => [
      item.name,
      item.version,
      item.type,
      displaySize(item.sizeBytes),
      item.local,
      item.status,
      item.publisher
    ])
  )
}

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
