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
  const recHash = recordHash(record.bytes)
  return [
    put(recordKey(recHash), record.bytes),
    put(recordIdKey(record.id.multihash.digest), recHash),
    put(index.key, index.value)
  ]
}

export const joinHome = (recHash: Uint8Array): WriteOperation =>
  put(membershipKey(recHash, HOME_LIBRARY), EMPTY)

/** Takes a record out; its memberships go to the `successor`, or with it. */
export async function dropRows(
  reader: DatabaseReader,
  { recHash, indexKey }: StoredPlace,
  successor?: Uint8Array
): Promise<{ operations: WriteOperation[]; wasAtHome: boolean }> {
  const operations = [del(recordKey(recHash)), del(indexKey)]
  const bytes = readRecordBytes(reader, recHash)
  if (bytes !== undefined) operations.push(del(recordIdKey(recordId(bytes).multihash.digest)))
  const prefix = membershipPrefix(recHash)
  let wasAtHome = false
  for await (const [key] of reader.iterate({ prefix })) {
    const libraryId = Buffer.from(key.subarray(prefix.byteLength)).toString('utf8')
    wasAtHome ||= libraryId === HOME_LIBRARY
    operations.push(del(key))
    if (successor !== undefined) operations.push(put(membershipKey(successor, libraryId), EMPTY))
  }
  return { operations, wasAtHome }
}

/**
 * One change of the home library: of its set, and of the number of its releases; statements are not counted.
 */
export function changeHome(
  reader: DatabaseReader,
  { releases, changes }: { releases: number; changes: readonly SetChange[] }
): { operation: WriteOperation; set: SetCommit } {
  const state = readLibraryState(reader, HOME_LIBRARY)
  const revision = state.revision + 1
  const value = encodeU64(revision, Math.max(0, state.members + releases))
  return {
    operation: put(libraryStateKey(HOME_LIBRARY), value),
    set: { libraryId: HOME_LIBRARY, revision, changes }
  }
}
