/** The rows that a record of any kind has: its bytes, its id, its place in one index, and a row for each library that it is in. */
import {
  encodeU64,
  libraryStateKey,
  membershipKey,
  membershipPrefix,
  recordIdKey,
  recordKey
} from '../database/keys.ts'
import type { DatabaseReader, WriteOperation } from '../database/types.ts'
import { recordId } from '../records/envelope.ts'
import { recordHash, type SignedRecord } from '../records/index.ts'
import { isFollowedLibrary } from './followed.ts'
import { unlessDamaged } from './members.ts'
import { HOME_LIBRARY, readLibraryState, readRecordBytes } from './read.ts'
import type { SetChange, SetCommit } from './types.ts'

const EMPTY = new Uint8Array()
export const put = (key: Uint8Array, value: Uint8Array): WriteOperation => ({ type: 'put', key, value })
export const del = (key: Uint8Array): WriteOperation => ({ type: 'del', key })

/** A record that is stored, and where its index has it. */
export interface StoredPlace {
  recHash: Uint8Array
  indexKey: Uint8Array
}

export function storeRows(
  record: SignedRecord,
  index: { key: Uint8Array; value: Uint8Array }
): WriteOperation[] {
  return [...bytesRows(record), put(index.key, index.value)]
}

/** The bytes of a record, and the way from its id to them. */
export function bytesRows({ bytes, id }: SignedRecord): WriteOperation[] {
  const recHash = recordHash(bytes)
  return [put(recordKey(recHash), bytes), put(recordIdKey(id.multihash.digest), recHash)]
}

export const join = (recHash: Uint8Array, libraryId: string): WriteOperation =>
  put(membershipKey(recHash, libraryId), EMPTY)

export const joinHome = (recHash: Uint8Array): WriteOperation => join(recHash, HOME_LIBRARY)

/** A record that another one replaces, or that goes. */
export interface Dropped {
  operations: WriteOperation[]
  wasAtHome: boolean
}

/**
 * Takes a record out of its index; its memberships go to the `successor`, or with it. A copy of another node's library keeps
 * what it has: then the record itself stays too. `leaves` says which library lets go of it in the same batch.
 */
export async function dropRows(
  reader: DatabaseReader,
  { recHash, indexKey }: StoredPlace,
  { successor, leaves }: { successor?: Uint8Array; leaves?: string } = {}
): Promise<Dropped> {
  const operations = [del(indexKey)]
  const prefix = membershipPrefix(recHash)
  let wasAtHome = false
  let isFollowed = false
  for await (const [key] of reader.iterate({ prefix })) {
    const libraryId = Buffer.from(key.subarray(prefix.byteLength)).toString('utf8')
    if (libraryId === leaves) continue
    if (isFollowedLibrary(libraryId)) {
      isFollowed = true
      continue
    }
    wasAtHome ||= libraryId === HOME_LIBRARY
    operations.push(del(key))
    if (successor !== undefined) operations.push(put(membershipKey(successor, libraryId), EMPTY))
  }
  if (!isFollowed) operations.push(...eraseRows(reader, recHash))
  return { operations, wasAtHome }
}

/** Deletes the bytes of a record, and the way from its id to them, which is not known of one that is damaged and leads nowhere then. */
export function eraseRows(reader: DatabaseReader, recHash: Uint8Array): WriteOperation[] {
  const bytes = unlessDamaged(() => readRecordBytes(reader, recHash))
  if (bytes === undefined) return [del(recordKey(recHash))]
  return [del(recordKey(recHash)), del(recordIdKey(recordId(bytes).multihash.digest))]
}

/** One change of the home library: of its set, and of the number of its releases; statements are not counted. */
export const changeHome = (
  reader: DatabaseReader,
  change: { releases: number; changes: readonly SetChange[] }
): { operation: WriteOperation; set: SetCommit } => changeLibrary(reader, HOME_LIBRARY, change)

/** The same of any library; of a copy `growthBytes` says by how much its records are more. */
export function changeLibrary(
  reader: DatabaseReader,
  libraryId: string,
  {
    releases,
    changes,
    growthBytes
  }: { releases: number; changes: readonly SetChange[]; growthBytes?: number }
): { operation: WriteOperation; set: SetCommit } {
  const state = readLibraryState(reader, libraryId)
  const revision = state.revision + 1
  const members = Math.max(0, state.members + releases)
  const sizes = growthBytes === undefined ? [] : [Math.max(0, (state.sizeBytes ?? 0) + growthBytes)]
  const value = encodeU64(revision, members, ...sizes)
  return {
    operation: put(libraryStateKey(libraryId), value),
    set: { libraryId, revision, changes }
  }
}
