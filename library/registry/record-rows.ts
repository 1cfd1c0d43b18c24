/** The rows that a record of any kind has: its bytes, its id, its place in one index, and a row for each library that it is in. */
import { encodeU64, libraryStateKey, membershipKey, recordIdKey, recordKey } from '../database/keys.ts'
import type { DatabaseReader, WriteOperation } from '../database/types.ts'
import { recordId } from '../records/envelope.ts'
import { recordHash, type SignedRecord } from '../records/index.ts'
import { isFollowedLibrary } from './library-names.ts'
import { unlessDamaged } from './members.ts'
import { librariesOf } from './membership.ts'
import { readLibraryState, readRecordBytes } from './read.ts'
import type { SetChange, SetCommit } from './types.ts'
import { putPlace } from './visibility.ts'

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
  index: { key: Uint8Array; value: Uint8Array },
  isClosed: boolean
): WriteOperation[] {
  return [...bytesRows(record, isClosed), put(index.key, index.value)]
}

/** The bytes of a record, and the way from its id to them. */
export const bytesRows = (record: SignedRecord, isClosed: boolean): WriteOperation[] => [
  put(recordKey(recordHash(record.bytes)), record.bytes),
  putPlace(record, isClosed)
]

export const join = (recHash: Uint8Array, libraryId: string): WriteOperation =>
  put(membershipKey(recHash, libraryId), EMPTY)

/** A record that another one replaces, or that goes. */
export interface Dropped {
  operations: WriteOperation[]
  /** This node's own libraries that had it. */
  libraries: string[]
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
  const all = (await librariesOf(reader, recHash)).filter(libraryId => libraryId !== leaves)
  const libraries = all.filter(libraryId => !isFollowedLibrary(libraryId))
  for (const libraryId of libraries) {
    operations.push(del(membershipKey(recHash, libraryId)))
    if (successor !== undefined) operations.push(join(successor, libraryId))
  }
  if (libraries.length === all.length) operations.push(...eraseRows(reader, recHash))
  return { operations, libraries }
}

/** Deletes the bytes of a record, and the way from its id to them, which is not known of one that is damaged and leads nowhere then. */
export function eraseRows(reader: DatabaseReader, recHash: Uint8Array): WriteOperation[] {
  const bytes = unlessDamaged(() => readRecordBytes(reader, recHash))
  if (bytes === undefined) return [del(recordKey(recHash))]
  return [del(recordKey(recHash)), del(recordIdKey(recordId(bytes).multihash.digest))]
}

/** Changes of several libraries that belong to one batch. */
export class LibraryChanges {
  readonly #changes = new Map<string, { releases: number; changes: SetChange[] }>()

  /** Notes that the record under a key of each of these libraries is another one now; `releases` more or less of them. */
  add(libraries: Iterable<string>, change: SetChange, releases = 0): void {
    for (const libraryId of libraries) {
      const known = this.#changes.get(libraryId) ?? { releases: 0, changes: [] }
      known.changes.push(change)
      known.releases += releases
      this.#changes.set(libraryId, known)
    }
  }

  plan(reader: DatabaseReader): { operations: WriteOperation[]; sets: SetCommit[] } {
    const changed = [...this.#changes].map(([libraryId, change]) => changeLibrary(reader, libraryId, change))
    return { operations: changed.map(({ operation }) => operation), sets: changed.map(({ set }) => set) }
  }
}

/** One change of a library: of its set, and of the number of its releases, statements not counted; of a copy `growthBytes` says by how much its records are more. */
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
