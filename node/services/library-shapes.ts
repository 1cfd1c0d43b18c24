/** Libraries in the JSON shapes of the admin API. */
import type { AccessList } from '../../library/index.ts'
import type { Followed, Head, OwnLibrary, SetState } from '../../sync/index.ts'
import type { OwnLibraryShape } from '../library-schemas.ts'
import type { FollowedLibrary } from '../sync-schemas.ts'
import { formatAddress } from './library-address.ts'
import { peerOf } from './writer-key.ts'

/** A copy of the library of another node. */
export function followedShape({ library, row, root, records, isExpired }: Followed): FollowedLibrary {
  const { head, syncedMs } = row
  const address = { writer: peerOf(row.writer), name: row.name }
  return {
    library: hex(library),
    ...address,
    address: formatAddress(address),
    access: row.isClosed ? 'closed' : 'public',
    records,
    root: hex(root),
    head: headShape(head),
    isExpired,
    syncedAt: syncedMs === 0 ? null : instant(syncedMs)
  }
}

export interface OwnLibraryState {
  /** Peer id of this node. */
  readonly writer: string
  readonly releases: number
  /** Undefined when its tree is damaged. */
  readonly set: SetState | undefined
  /** Undefined of a library that has none. */
  readonly list: AccessList | undefined
}

/** A library of this node. */
export function ownShape(
  { name, id, access, group }: OwnLibrary,
  { writer, releases, set, list }: OwnLibraryState
): OwnLibraryShape {
  return {
    name,
    library: hex(id),
    address: formatAddress({ writer, name }),
    access,
    ...(group === undefined ? {} : { group }),
    ...(access === 'public' ? {} : { members: list?.members.map(peerOf) ?? [] }),
    releases,
    records: set?.records ?? 0,
    root: set === undefined ? null : hex(set.root),
    head: headShape(set?.head),
    isExpired: set?.isExpired ?? false,
    listExpires: expiryOf(list)
  }
}

/** Until when an access list holds; null without one. */
export const expiryOf = (list: AccessList | undefined): string | null =>
  list === undefined ? null : instant(list.expires)

function headShape(head: Head | undefined): FollowedLibrary['head'] {
  if (head === undefined) return null
  const { epoch, revision, expires } = head
  return { epoch, revision, expires: instant(expires) }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const instant = (ms: number): string => new Date(ms).toISOString()
