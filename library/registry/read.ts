/**
 * Reading the registry: everything is found in LevelDB, nothing is kept in memory, so both threads can use it. Records stand
 * once under the hash of their bytes (`r/`); an index by id (`i/`) and one by name (`k/`) lead there. The name index
 * says version, owner, sequence and content of each release, so that choosing among ten thousand versions reads
 * no record at all.
 */
import { CID } from 'multiformats/cid'
import { CatalogError, type ErrorCode } from '../../base/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import {
  decodeU64,
  encodeU64,
  KeyFamily,
  libraryStateKey,
  makeKey,
  nameIndexPrefix,
  ownerPinKey,
  parseNameIndexKey,
  recordKey,
  U64_BYTES
} from '../database/keys.ts'
import type { DatabaseReader } from '../database/types.ts'
import { decodeVerifiedRecord } from '../records/envelope.ts'
import { decodeVerifiedRelease, type ReleaseRecord, recordHash } from '../records/index.ts'
import { understandRelease } from '../records/release.ts'
import { compareVersions } from '../spec.ts'
import type { IndexEntry, ListOptions, ReleasePage } from './types.ts'
import { readPlace } from './visibility.ts'

/** Records that one page may ask for: at 32 KiB each, 32 MiB at the very worst. */
export const MAX_PAGE_RECORDS = 1000
/** Releases that `versions` returns at most, for the same reason; `entries` streams them all. */
export const MAX_VERSIONS = 1000
const SEQUENCE_BYTES = 8
const SHA256_CODE = 0x12

/** Of the first byte: no sequence has it. */
const CLOSED_BIT = 0x80

export function encodeIndexValue(record: ReleaseRecord, isClosed: boolean): Uint8Array {
  const value = Uint8Array.from(Buffer.concat([encodeU64(record.sequence), record.release.content.bytes]))
  if (isClosed) value[0]! |= CLOSED_BIT
  return value
}

/** Whether a value of the name index is that of a record that not everybody may know of (visibility.ts). */
export const isClosedValue = (value: Uint8Array): boolean => (value[0]! & CLOSED_BIT) !== 0

/** The content's CID in a value of the name index. */
export const contentBytesOf = (value: Uint8Array): Uint8Array => value.subarray(SEQUENCE_BYTES)

export function readIndexEntry(key: Uint8Array, value: Uint8Array): IndexEntry {
  const parts = parseNameIndexKey(key)
  if (parts === undefined) throw corrupt('a key of the name index cannot be read')
  const content = CID.decode(Uint8Array.from(contentBytesOf(value)))
  const isClosed = isClosedValue(value)
  const sequence = Uint8Array.from(value.subarray(0, SEQUENCE_BYTES))
  sequence[0]! &= ~CLOSED_BIT
  return { ...parts, sequence: decodeU64(sequence), content, isClosed }
}

export function corrupt(what: string): CatalogError {
  const code: ErrorCode = 'CONTENT_CORRUPT'
  return new CatalogError(code, what, {
    hint: 'restore the home from a backup; the record can be fetched again'
  })
}

/** The release of a hash; undefined when it is not here. Throws CONTENT_CORRUPT when the bytes on disk have changed. */
export function readRecord(reader: DatabaseReader, recHash: Uint8Array): ReleaseRecord | undefined {
  const bytes = readRecordBytes(reader, recHash)
  return bytes === undefined ? undefined : decodeVerifiedRelease(bytes)
}

/** Signed bytes of the record of a hash, of any kind; otherwise the same. */
export function readRecordBytes(reader: DatabaseReader, recHash: Uint8Array): Uint8Array | undefined {
  const stored = reader.get(recordKey(recHash))
  return stored === undefined ? undefined : checkedBytes(stored, recHash)
}

/** LevelDB hands out Buffers; a record outlives the read, so its bytes get memory of their own. */
export function checkedBytes(stored: Uint8Array, recHash: Uint8Array): Uint8Array {
  if (!bytesEqual(recordHash(stored), recHash)) throw corrupt('a stored record does not match its hash')
  return Uint8Array.from(stored)
}

/** The release of an id; undefined for the id of what is said of one, too. */
export function readById(reader: DatabaseReader, id: CID): ReleaseRecord | undefined {
  if (id.multihash.code !== SHA256_CODE) return undefined
  const place = readPlace(reader, id.multihash.digest)
  const bytes = place === undefined ? undefined : readRecordBytes(reader, place.recHash)
  return bytes === undefined ? undefined : asRelease(bytes)
}

/** The release that bytes of the store are; undefined when they are a record of another kind. */
export function asRelease(bytes: Uint8Array): ReleaseRecord | undefined {
  const record = decodeVerifiedRecord(bytes)
  return record.kind === 'release' ? understandRelease(record) : undefined
}

/** Every release of a name (of one version, of one owner), in the order of the index, without reading records. */
export async function* readEntries(
  reader: DatabaseReader,
  of: { name: string; version?: string; owner?: Uint8Array },
  signal?: AbortSignal
): AsyncIterable<IndexEntry> {
  const prefix = nameIndexPrefix(of.name, of.version, of.owner)
  for await (const [key, value] of reader.iterate({ prefix }, signal)) yield readIndexEntry(key, value)
}

/** Highest version first; then by owner and by sequence, so that the order never depends on when a record came. */
function compareEntries(a: IndexEntry, b: IndexEntry): number {
  return (
    compareVersions(b.version, a.version) ||
    Buffer.compare(a.owner, b.owner) ||
    b.sequence - a.sequence ||
    Buffer.compare(a.recHash, b.recHash)
  )
}

/** The MAX_VERSIONS first entries in that order, holding at most twice as many. */
async function highestEntries(entries: AsyncIterable<IndexEntry>): Promise<IndexEntry[]> {
  let best: IndexEntry[] = []
  const cut = (): void => {
    best = best.sort(compareEntries).slice(0, MAX_VERSIONS)
  }
  for await (const entry of entries) {
    best.push(entry)
    if (best.length === 2 * MAX_VERSIONS) cut()
  }
  cut()
  return best
}

export async function readVersions(
  reader: DatabaseReader,
  name: string,
  signal?: AbortSignal
): Promise<ReleaseRecord[]> {
  return readRecords(reader, await highestEntries(readEntries(reader, { name }, signal)))
}

/** The records of index entries. One that was replaced since the index was read is left out. */
async function readRecords(reader: DatabaseReader, entries: IndexEntry[]): Promise<ReleaseRecord[]> {
  const stored = await reader.getMany(entries.map(entry => recordKey(entry.recHash)))
  const records: ReleaseRecord[] = []
  for (const [at, bytes] of stored.entries()) {
    if (bytes !== undefined) records.push(decodeVerifiedRelease(checkedBytes(bytes, entries[at]!.recHash)))
  }
  return records
}

/** One page of all releases, by name and version. The cursor is the place of the last one in the name index. */
export async function readPage(reader: DatabaseReader, options: ListOptions): Promise<ReleasePage> {
  const { limit, after, signal } = options
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE_RECORDS) {
    throw new CatalogError('INVALID_ARGUMENT', `a page has 1 to ${MAX_PAGE_RECORDS} releases, not ${limit}`)
  }
  const range = {
    prefix: makeKey(KeyFamily.NameIndex),
    limit: limit + 1,
    ...(after === undefined ? {} : { after: keyOfCursor(after) })
  }
  const entries: IndexEntry[] = []
  let lastKey: Uint8Array | undefined
  let next: string | undefined
  for await (const [key, value] of reader.iterate(range, signal)) {
    if (entries.length === limit) next = cursorOfKey(lastKey!)
    else {
      entries.push(readIndexEntry(key, value))
      lastKey = key
    }
  }
  const releases = await readRecords(reader, entries)
  return next === undefined ? { releases } : { releases, next }
}

const cursorOfKey = (key: Uint8Array): string =>
  Buffer.from(key.subarray(KeyFamily.NameIndex.length)).toString('base64url')

function keyOfCursor(cursor: string): Uint8Array {
  const key = makeKey(KeyFamily.NameIndex, Buffer.from(cursor, 'base64url'))
  if (parseNameIndexKey(key) !== undefined && cursorOfKey(key) === cursor) return key
  throw new CatalogError('INVALID_ARGUMENT', 'the cursor of the page cannot be read', {
    hint: 'give the `next` of the page before, or none'
  })
}

export interface LibraryState {
  /** Grows with every change of the set. */
  revision: number
  /** Releases in the library; what is said of them is not counted. */
  members: number
  /** Of the records of a copy; undefined of a library of this node, and of a copy that an earlier version has made. */
  sizeBytes: number | undefined
}

export function readLibraryState(reader: DatabaseReader, libraryId: string): LibraryState {
  const value = reader.get(libraryStateKey(libraryId))
  if (value === undefined) return { revision: 0, members: 0, sizeBytes: undefined }
  const sizeBytes = value.byteLength > 2 * U64_BYTES ? decodeU64(value, 2) : undefined
  return { revision: decodeU64(value, 0), members: decodeU64(value, 1), sizeBytes }
}

/** Bytes of a record that is stored; 0 when it is not. */
export const storedSizeBytes = (reader: DatabaseReader, recHash: Uint8Array): number =>
  reader.get(recordKey(recHash))?.byteLength ?? 0

/** Whether some name of a scope is pinned to an owner. */
export async function isPinnedInScope(
  reader: DatabaseReader,
  { scope, owner }: { scope: string; owner: Uint8Array },
  signal?: AbortSignal
): Promise<boolean> {
  for await (const [, pinned] of reader.iterate({ prefix: ownerPinKey(`${scope}/`) }, signal))
    if (bytesEqual(pinned, owner)) return true
  return false
}

export function readOwnerPin(reader: DatabaseReader, name: string): Uint8Array | undefined {
  const owner = reader.get(ownerPinKey(name))
  return owner === undefined ? undefined : Uint8Array.from(owner)
}
