/**
 * Building the tree of a library anew from its records. They lie in the order of their hashes and are wanted in that of their
 * keys, a million of them and in little memory: so their keys are first written to the database as rows, which sorts them,
 * and then read back in order, straight into the nodes of a new generation. The tree that is there counts until the new one is
 * whole.
 */
import {
  type DatabaseReader,
  type DatabaseWriter,
  readLibraryState,
  readMembers,
  type Slice,
  type WriteOperation
} from '../../library/index.ts'
import { type Entries, HASH_BYTES } from './entries.ts'
import { sortPrefix } from './rows.ts'
import type { TreeStore } from './tree-store.ts'

/** Rows of one batch while keys are sorted: 80 KB. */
const ROWS_PER_BATCH = 1024
/** Entries that are handed on at once from the sorted rows: 64 KB. */
const ENTRIES_PER_PART = 1024
const REVISION_BYTES = 8

export interface RebuildModules {
  database: DatabaseWriter
  store: TreeStore
}

export interface RebuildOptions {
  libraryId: string
  /** Told after each batch how many records this call has read. */
  onProgress?: (records: number) => void
  /** Told how many of them stand in the new tree. */
  onBuilt?: (records: number) => void
}

/**
 * Builds the tree of a library anew; nothing else may change the library meanwhile. Cut off anywhere, the next call goes on with
 * sorting where it stood, unless the library has changed since.
 */
export async function rebuildTree(
  modules: RebuildModules,
  options: RebuildOptions,
  slice: Slice
): Promise<RebuiltTree> {
  const { database, store } = modules
  const { libraryId } = options
  const { revision } = readLibraryState(database, libraryId)
  const generation = store.nextGeneration(libraryId)
  const prefix = sortPrefix(libraryId, generation)
  const unreadable = await sortKeys(database, { ...options, prefix, revision }, slice)
  const entries = sortedEntries(database, prefix, options.onBuilt)
  const top = await store.build({ libraryId, generation, revision }, entries, slice)
  await database.clear(prefix)
  return { records: top?.count ?? 0, unreadable }
}

export interface RebuiltTree {
  /** In the tree. */
  readonly records: number
  /** Members that this call found lost or damaged, and left out. */
  readonly unreadable: number
}

interface SortOptions extends RebuildOptions {
  prefix: Uint8Array
  revision: number
}

/**
 * Writes a row for each record of the library, its key behind `prefix`; the row that has only the prefix says how far this has
 * come. Returns how many records could not be read.
 */
async function sortKeys(
  database: DatabaseWriter,
  { libraryId, prefix, revision, onProgress }: SortOptions,
  slice: Slice
): Promise<number> {
  let last = await startOf(database, prefix, revision)
  let operations: WriteOperation[] = []
  let [records, unreadable] = [0, 0]
  const flush = async (): Promise<void> => {
    if (last !== undefined)
      operations.push({ type: 'put', key: prefix, value: encodeProgress(revision, last) })
    await database.batch(operations, { sync: true })
    operations = []
    onProgress?.(records)
  }
  for await (const { recHash, trieKey } of readMembers(database, libraryId, last && { after: last })) {
    if (trieKey === undefined) unreadable++
    else operations.push({ type: 'put', key: Buffer.concat([prefix, trieKey]), value: recHash })
    last = recHash
    records++
    if (operations.length >= ROWS_PER_BATCH) await flush()
    if (slice.due()) await slice.pause()
  }
  await flush()
  return unreadable
}

/** The record behind which sorting goes on; undefined when it begins, with nothing left from an earlier state of the library. */
async function startOf(
  database: DatabaseWriter,
  prefix: Uint8Array,
  revision: number
): Promise<Uint8Array | undefined> {
  const progress = database.get(prefix)
  if (progress !== undefined && Buffer.from(progress).readBigUInt64BE() === BigInt(revision))
    return Uint8Array.from(progress.subarray(REVISION_BYTES))
  await database.clear(prefix)
  return undefined
}

function encodeProgress(revision: number, last: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(REVISION_BYTES + HASH_BYTES)
  bytes.writeBigUInt64BE(BigInt(revision))
  bytes.set(last, REVISION_BYTES)
  return bytes
}

async function* sortedEntries(
  database: DatabaseReader,
  prefix: Uint8Array,
  onBuilt?: (records: number) => void
): AsyncGenerator<Entries> {
  let part: Uint8Array[] = []
  let records = 0
  for await (const [key, recHash] of database.iterate({ prefix, after: prefix })) {
    part.push(key.subarray(prefix.byteLength), recHash)
    if (part.length < 2 * ENTRIES_PER_PART) continue
    yield Buffer.concat(part)
    records += ENTRIES_PER_PART
    onBuilt?.(records)
    part = []
  }
  if (part.length > 0) yield Buffer.concat(part)
}
