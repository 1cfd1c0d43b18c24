/**
 * Records of a subtree, packed: trieKey (32) and recHash (32) of each, by trieKey, no key twice, nothing between them. It is
 * what stands in a bucket behind its first byte; a few thousand records cost one array instead of one object each.
 */
import { digitAt, type Path, pathOf } from './path.ts'

export const HASH_BYTES = 32
export const ENTRY_BYTES = 2 * HASH_BYTES

export type Entries = Buffer

export const NO_ENTRIES: Entries = Buffer.alloc(0)

/** The same memory with a Buffer's methods. */
export const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

export const entryCount = (entries: Entries): number => entries.byteLength / ENTRY_BYTES

/** A view, like all below: what outlives the entries has to be copied. */
export const entryKey = (entries: Entries, index: number): Uint8Array =>
  plainView(entries, index * ENTRY_BYTES)

export const entryHash = (entries: Entries, index: number): Uint8Array =>
  plainView(entries, index * ENTRY_BYTES + HASH_BYTES)

/** No Buffer: one compares and prints otherwise. */
const plainView = (entries: Entries, at: number): Uint8Array =>
  new Uint8Array(entries.buffer, entries.byteOffset + at, HASH_BYTES)

export const sliceEntries = (entries: Entries, from: number, to: number): Entries =>
  entries.subarray(from * ENTRY_BYTES, to * ENTRY_BYTES)

/** Below zero when the key of an entry comes before `trieKey`, above when after it. */
export const compareEntry = (entries: Entries, index: number, trieKey: Uint8Array): number =>
  compareAt(entries, index, trieKey, 0)

/** The same beside a key that stands at `at` in `bytes`, without making a view of it. */
const compareAt = (entries: Entries, index: number, bytes: Uint8Array, at: number): number =>
  entries.compare(bytes, at, at + HASH_BYTES, index * ENTRY_BYTES, index * ENTRY_BYTES + HASH_BYTES)

/** Index of the first entry whose key is not before `trieKey`. */
export function lowerBound(entries: Entries, trieKey: Uint8Array): number {
  let low = 0
  let high = entryCount(entries)
  while (low < high) {
    const middle = (low + high) >> 1
    if (compareEntry(entries, middle, trieKey) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** The recHash under a key; undefined when it is not among the entries. */
export function findEntry(entries: Entries, trieKey: Uint8Array): Uint8Array | undefined {
  const index = lowerBound(entries, trieKey)
  return index < entryCount(entries) && compareEntry(entries, index, trieKey) === 0
    ? entryHash(entries, index)
    : undefined
}

/** Where the entries with this digit end, of those that begin at `from`. */
export function endOfDigit(entries: Entries, from: number, depth: number, digit: number): number {
  const count = entryCount(entries)
  let end = from
  while (end < count && digitAt(entries, depth, end * ENTRY_BYTES) === digit) end++
  return end
}

/** Whether keys rise from each to the next, and all begin with `path`. */
export function areInOrder(entries: Entries, path: Path = ''): boolean {
  const count = entryCount(entries)
  for (let index = 1; index < count; index++)
    if (compareAt(entries, index - 1, entries, index * ENTRY_BYTES) >= 0) return false
  // Between two keys of one prefix there are only keys of that prefix.
  return (
    count === 0 ||
    path === '' ||
    (pathOf(entryKey(entries, 0), path.length) === path &&
      pathOf(entryKey(entries, count - 1), path.length) === path)
  )
}
