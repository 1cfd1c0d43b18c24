import { displaySize } from '../../base/index.ts'
import type { ReleaseItem } from '../client/types.ts'
import { formatTable } from '../framework/format.ts'

/** The table of `list`, `versions` and `why`. */
export function releaseTable(items: ReleaseItem[]): string {
  return formatTable(
    ['NAME', 'VERSION', 'TYPE', 'SIZE', 'LOCAL', 'PUBLISHER'],
    items.map(item => [
      item.name,
      item.version,
      item.type,
      displaySize(item.sizeBytes),
      item.local,
      item.publisher
    ])
  )
}
