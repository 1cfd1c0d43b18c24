import type { DatabaseReader } from '../library/index.ts'
import { type OwnLibrary, readOwnLibrary } from './access/own-libraries.ts'
import { copyName, type FollowedRow, readFollowed } from './follow/rows.ts'
import { type Head, readHead } from './heads/index.ts'

/** A library that is here, of this node or a copy of another one's. */
export interface FoundLibrary {
  /** Its name here. */
  readonly libraryId: string
  /** The signed head of its set; undefined when none is signed yet. */
  readonly head: Head | undefined
  /** When it is this node's own. */
  readonly own?: OwnLibrary
  /** When it is followed. */
  readonly row?: FollowedRow
}

/**
 * The library that others know by an id; undefined when it is not here. Of one that is followed the copy that counts. `writer`: public key
 * of this node. Throws CONTENT_CORRUPT.
 */
export function libraryOf(
  reader: DatabaseReader,
  id: Uint8Array,
  writer: Uint8Array
): FoundLibrary | undefined {
  const own = readOwnLibrary(reader, writer, id)
  if (own !== undefined) return { libraryId: own.libraryId, head: readHead(reader, id, writer), own }
  const row = readFollowed(reader, id)
  if (row === undefined) return undefined
  return { libraryId: copyName(id, row.copy, row), head: row.copy === 0 ? undefined : row.head, row }
}
