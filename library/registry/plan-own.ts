/** Changes of this node's own libraries by records that no index leads to, such as an access list. */
import { membershipKey } from '../database/keys.ts'
import type { DatabaseReader, WriteOperation } from '../database/types.ts'
import { recordHash, type SignedRecord, trieKey } from '../records/index.ts'
import { isPublicLibrary } from './library-names.ts'
import { librariesOf } from './membership.ts'
import { bytesRows, changeLibrary, del, eraseRows, join } from './record-rows.ts'
import type { SetCommit } from './types.ts'

export interface OwnPlan {
  operations: WriteOperation[]
  sets: SetCommit[]
}

export interface OwnRecord {
  /** Name here of the library. */
  readonly libraryId: string
  readonly record: SignedRecord
  /** recHash of what stands under a key of the library. */
  find(trieKey: Uint8Array): Uint8Array | undefined
}

/** Plans to put a record into a library, in place of what stands under its key. */
export async function planOwnRecord(
  reader: DatabaseReader,
  { libraryId, record, find }: OwnRecord
): Promise<OwnPlan> {
  const key = trieKey(record)
  const recHash = recordHash(record.bytes)
  const old = find(key)
  const operations: WriteOperation[] = []
  if (old !== undefined) {
    operations.push(del(membershipKey(old, libraryId)))
    const isElsewhere = (await librariesOf(reader, old)).some(other => other !== libraryId)
    if (!isElsewhere) operations.push(...eraseRows(reader, old))
  }
  const { operation, set } = changeLibrary(reader, libraryId, {
    releases: 0,
    changes: [{ trieKey: key, recHash }]
  })
  operations.push(...bytesRows(record, !isPublicLibrary(libraryId)), join(recHash, libraryId), operation)
  return { operations, sets: [set] }
}

/** Plans the first state of a library that has nothing yet. */
export const planOwnState = (reader: DatabaseReader, libraryId: string): ReturnType<typeof changeLibrary> =>
  changeLibrary(reader, libraryId, { releases: 0, changes: [] })
