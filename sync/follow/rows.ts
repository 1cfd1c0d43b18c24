/**
 * What a node knows of a library that it follows: one row for each (docs/disk-format.md). The copy that counts is equal to the head in
 * the row. A change too large for one batch is made in a second copy beside it, which takes its place when it is whole and equal to a head;
 * then names are led to it, and the copy before is taken away.
 */
import { CatalogError, toCatalogError } from '../../base/index.ts'
import {
  type DatabaseReader,
  followedLibrary,
  HOME_LIBRARY,
  KeyFamily,
  makeKey,
  type WriteOperation
} from '../../library/index.ts'
import { LIBRARY_ID_BYTES } from '../../protocols/index.ts'
import { PUBLIC_KEY_BYTES } from '../../trust/index.ts'
import { decodeHead, type Head } from '../heads/index.ts'

export interface FollowedRow {
  /** Public key of the node whose library it is. */
  readonly writer: Uint8Array
  /** Its name there. */
  readonly name: string
  /** Number of the copy that counts; 0 = there is none yet. */
  readonly copy: number
  /** Of the one that is being made beside it; 0 = none. */
  readonly staged: number
  /** Whether a bundle began that one: it is of no use without the rest of the file, while a session goes on with what a session has begun. */
  readonly isOfBundle: boolean
  /** Of the one that is being taken away; 0 = none. */
  readonly retiring: number
  /** Whether names have yet to be led to the records of the copy that counts. */
  readonly isIndexing: boolean
  /** Whether the library is not for everybody: its heads say so, and no library ever changes in that. */
  readonly isClosed: boolean
  /** When the copy was last found equal to a head, ms since the epoch; 0 = never. */
  readonly syncedMs: number
  /** The head that the copy is equal to. */
  readonly head: Head | undefined
}

/** Version 1 has no name: then the home of the node is meant. */
const UNNAMED_VERSION = 1
const ROW_VERSION = 2
const NUMBERS_BYTES = 3 * 4 + 1 + 8
const INDEXING_BIT = 1
const CLOSED_BIT = 2
const OF_BUNDLE_BIT = 4

const followedKey = (library: Uint8Array): Uint8Array => makeKey(KeyFamily.Followed, library)

/** A library that nothing is here of. */
export const newFollowed = ({ writer, name }: Pick<FollowedRow, 'writer' | 'name'>): FollowedRow => ({
  writer,
  name,
  copy: 0,
  staged: 0,
  isOfBundle: false,
  retiring: 0,
  isIndexing: false,
  isClosed: false,
  syncedMs: 0,
  head: undefined
})

/** The name here of the copy of a library with a number. */
export const copyName = (
  library: Uint8Array,
  copy: number,
  { isClosed }: Pick<FollowedRow, 'isClosed'>
): string => followedLibrary(library, copy, isClosed)

/** A number that no copy has. */
export const nextCopy = ({ copy, staged, retiring }: FollowedRow): number =>
  Math.max(copy, staged, retiring) + 1

/**
 * Whether something was cut off that no session goes on with by itself: the copy that counts took another one's place, and names do not lead to it
 * yet or the other one is not gone; or a bundle began one.
 */
export const isUnfinished = ({ isIndexing, retiring, isOfBundle }: FollowedRow): boolean =>
  isIndexing || retiring !== 0 || isOfBundle

export function putFollowed(library: Uint8Array, row: FollowedRow): WriteOperation {
  const name = Buffer.from(row.name)
  const numbers = Buffer.alloc(NUMBERS_BYTES)
  let at = 0
  for (const number of [row.copy, row.staged, row.retiring]) at = numbers.writeUInt32BE(number, at)
  at = numbers.writeUInt8(bitsOf(row), at)
  numbers.writeBigUInt64BE(BigInt(row.syncedMs), at)
  const head = row.head?.bytes ?? new Uint8Array()
  const parts = [Buffer.of(ROW_VERSION), row.writer, Buffer.of(name.byteLength), name, numbers, head]
  return { type: 'put', key: followedKey(library), value: Buffer.concat(parts) }
}

const bitsOf = ({ isIndexing, isClosed, isOfBundle }: FollowedRow): number =>
  (isIndexing ? INDEXING_BIT : 0) | (isClosed ? CLOSED_BIT : 0) | (isOfBundle ? OF_BUNDLE_BIT : 0)

export const delFollowed = (library: Uint8Array): WriteOperation => ({
  type: 'del',
  key: followedKey(library)
})

/** Undefined when the library is not followed. Throws CONTENT_CORRUPT. */
export function readFollowed(reader: DatabaseReader, library: Uint8Array): FollowedRow | undefined {
  const stored = reader.get(followedKey(library))
  return stored === undefined ? undefined : decodeRow(stored)
}

/** Whether there is a row, readable or not. */
export const isFollowed = (reader: DatabaseReader, library: Uint8Array): boolean =>
  reader.get(followedKey(library)) !== undefined

/** Every library that is followed, by id. What is known of each is read by who asks for it, so that one that cannot be read hides no other. */
export async function* readAllFollowed(
  reader: DatabaseReader,
  signal?: AbortSignal
): AsyncGenerator<{ library: Uint8Array; readRow: () => FollowedRow }> {
  for await (const { library, stored } of iterateRows(reader, signal))
    yield { library, readRow: () => decodeRow(stored) }
}

/** The name here of the copy that counts of every library that is followed; undefined for one whose row cannot be read. Heads are not looked at. */
export async function* readCopyNames(
  reader: DatabaseReader
): AsyncGenerator<{ library: Uint8Array; libraryId: string | undefined }> {
  for await (const { library, stored } of iterateRows(reader))
    yield { library, libraryId: copyNameIn(library, stored) }
}

async function* iterateRows(
  reader: DatabaseReader,
  signal?: AbortSignal
): AsyncGenerator<{ library: Uint8Array; stored: Uint8Array }> {
  const prefix = makeKey(KeyFamily.Followed)
  for await (const [key, stored] of reader.iterate({ prefix }, signal))
    if (key.byteLength === prefix.byteLength + LIBRARY_ID_BYTES)
      yield { library: key.slice(prefix.byteLength), stored }
}

function copyNameIn(library: Uint8Array, stored: Uint8Array): string | undefined {
  try {
    const { copy, isClosed } = decodePlain(Buffer.from(stored))
    return copyName(library, copy, { isClosed })
  } catch (err) {
    if (toCatalogError(err).code !== 'CONTENT_CORRUPT') throw err
    return undefined
  }
}

function decodeRow(stored: Uint8Array): FollowedRow {
  const bytes = Buffer.from(stored)
  const { headAt, ...row } = decodePlain(bytes)
  return { ...row, head: bytes.byteLength === headAt ? undefined : readHead(bytes.subarray(headAt)) }
}

/** All but the head, and where that begins. */
function decodePlain(bytes: Buffer): Omit<FollowedRow, 'head'> & { headAt: number } {
  const version = bytes[0]
  const nameAt = 1 + PUBLIC_KEY_BYTES
  if (version !== ROW_VERSION && version !== UNNAMED_VERSION) throw corrupt()
  const isNamed = version === ROW_VERSION
  const nameEnd = isNamed ? nameAt + 1 + (bytes[nameAt] ?? 0) : nameAt
  const headAt = nameEnd + NUMBERS_BYTES
  if (bytes.byteLength < headAt) throw corrupt()
  return {
    writer: Uint8Array.from(bytes.subarray(1, nameAt)),
    name: isNamed ? bytes.toString('utf8', nameAt + 1, nameEnd) : HOME_LIBRARY,
    copy: bytes.readUInt32BE(nameEnd),
    staged: bytes.readUInt32BE(nameEnd + 4),
    retiring: bytes.readUInt32BE(nameEnd + 8),
    isIndexing: (bytes[nameEnd + 12]! & INDEXING_BIT) !== 0,
    isClosed: (bytes[nameEnd + 12]! & CLOSED_BIT) !== 0,
    isOfBundle: (bytes[nameEnd + 12]! & OF_BUNDLE_BIT) !== 0,
    syncedMs: Number(bytes.readBigUInt64BE(nameEnd + 13)),
    headAt
  }
}

function readHead(bytes: Uint8Array): Head {
  try {
    return decodeHead(Uint8Array.from(bytes))
  } catch (cause) {
    throw corrupt(cause)
  }
}

function corrupt(cause?: unknown): CatalogError {
  return new CatalogError('CONTENT_CORRUPT', 'what is known of a followed library cannot be read', { cause })
}
