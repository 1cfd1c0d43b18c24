/**
 * Whether anybody may know of a record. One that came by itself, or with a library that is open to all, is public, and stays so. One that
 * was known from closed libraries first is *closed*: it is shown to those whom one of them admits, and leaves nothing behind when it leaves the
 * last of them. Only this node opens it, by publishing it in a public library of its own: were it enough that somebody else's public library
 * has it, whoever got hold of a record could have its content opened at all who follow both. The way from the id of a record to it says so, beside its hash, so that whoever asks for an id by itself gets the same
 * answer, after the same work, whether a closed record is here or none. The name index repeats it, as pages of it are gone through for peers.
 */
import { recordIdKey } from '../database/keys.ts'
import type { DatabaseReader, WriteOperation } from '../database/types.ts'
import { recordId } from '../records/envelope.ts'
import { recordHash, type SignedRecord } from '../records/index.ts'

const RECHASH_BYTES = 32
const CLOSED = Uint8Array.of(1)

/** Where the record of an id stands, and who may know of it. */
export interface RecordPlace {
  readonly recHash: Uint8Array
  readonly isClosed: boolean
}

/** `digest`: SHA-256 in the record's id. */
export function readPlace(reader: DatabaseReader, digest: Uint8Array): RecordPlace | undefined {
  const value = reader.get(recordIdKey(digest))
  if (value === undefined) return undefined
  return { recHash: value.slice(0, RECHASH_BYTES), isClosed: value.byteLength > RECHASH_BYTES }
}

export function putPlace({ bytes, id }: SignedRecord, isClosed: boolean): WriteOperation {
  const recHash = recordHash(bytes)
  const value = isClosed ? Uint8Array.from([...recHash, ...CLOSED]) : recHash
  return { type: 'put', key: recordIdKey(id.multihash.digest), value }
}

/** Whether a record that is here is closed; false for one that is not. */
export const isClosedRecord = (reader: DatabaseReader, { id }: Pick<SignedRecord, 'id'>): boolean =>
  readPlace(reader, id.multihash.digest)?.isClosed === true

/** Whether a record is here and everybody may know of it. Not the contrary of the above: one that is gone may have left with the last closed library that had it. */
export const isOpenRecord = (reader: DatabaseReader, { id }: Pick<SignedRecord, 'id'>): boolean =>
  readPlace(reader, id.multihash.digest)?.isClosed === false

/** The same as `isClosedRecord` of its signed bytes. */
export const areClosedBytes = (reader: DatabaseReader, bytes: Uint8Array): boolean =>
  isClosedRecord(reader, { id: recordId(bytes) })

/** Whether a record is closed once it has joined a copy of another node's library: as it is, or, where it is new, as the library is. */
export const isClosedIn = (
  reader: DatabaseReader,
  { id }: SignedRecord,
  library: { readonly isClosed: boolean }
): boolean => readPlace(reader, id.multihash.digest)?.isClosed ?? library.isClosed
