/** The rows of heads in the database (docs/disk-format.md). */
import { CatalogError } from '../../base/index.ts'
import { type DatabaseReader, KeyFamily, makeKey, type WriteOperation } from '../../library/index.ts'
import { decodeHead, type Head } from './head.ts'
import type { OwnHead } from './own.ts'

const EVIDENCE_VERSION = 1
const ID_BYTES = 32
const LENGTH_BYTES = 2
const U64_BYTES = 8

export interface WriterOfLibrary {
  readonly library: Uint8Array
  /** Public key of its node. */
  readonly writer: Uint8Array
}

/** Last head of each writer of a library. */
export const headKey = (library: Uint8Array, writer: Uint8Array): Uint8Array =>
  makeKey(KeyFamily.Head, library, writer)

export const headPrefix = (library: Uint8Array): Uint8Array => makeKey(KeyFamily.Head, library)

const placeKey = (library: Uint8Array): Uint8Array => makeKey(KeyFamily.HeadPlace, library)

/** Contradictions of one writer in one library. */
export const evidencePrefix = (library: Uint8Array, writer: Uint8Array): Uint8Array =>
  makeKey(KeyFamily.HeadEvidence, library, writer)

export const putHead = ({ library, writer, bytes }: Head): WriteOperation => ({
  type: 'put',
  key: headKey(library, writer),
  value: bytes
})

/** The writes that make a head the last one of this node. */
export const putOwnHead = (head: Head, place: Uint8Array): WriteOperation[] => [
  putHead(head),
  { type: 'put', key: placeKey(head.library), value: place }
]

/** After it the next head of a library of this node begins a new epoch. */
export const forgetPlace = (library: Uint8Array): WriteOperation => ({ type: 'del', key: placeKey(library) })

/** The last head of a writer; undefined when none is known. Throws CONTENT_CORRUPT when the row has changed on disk. */
export function readHead(reader: DatabaseReader, library: Uint8Array, writer: Uint8Array): Head | undefined {
  const stored = reader.get(headKey(library, writer))
  return stored === undefined ? undefined : decodeStored(stored)
}

/** Of whom heads are known, by library. */
export async function* readHeadKeys(reader: DatabaseReader): AsyncGenerator<WriterOfLibrary> {
  const prefix = makeKey(KeyFamily.Head)
  for await (const [key] of reader.iterate({ prefix })) {
    const ids = key.slice(prefix.byteLength)
    yield { library: ids.subarray(0, ID_BYTES), writer: ids.subarray(ID_BYTES) }
  }
}

export function readOwnHead(
  reader: DatabaseReader,
  library: Uint8Array,
  writer: Uint8Array
): OwnHead | undefined {
  const head = readHead(reader, library, writer)
  const place = reader.get(placeKey(library)) ?? new Uint8Array()
  return head && { head, place: Uint8Array.from(place) }
}

/** Two heads that contradict each other. */
export interface Contradiction {
  readonly known: Head
  readonly incoming: Head
}

/** The row for a contradiction; the first of an epoch and revision is the one that stays. */
export function putEvidence({ known, incoming }: Contradiction): WriteOperation {
  const order = Buffer.alloc(2 * U64_BYTES)
  order.writeBigUInt64BE(BigInt(incoming.epoch))
  order.writeBigUInt64BE(BigInt(incoming.revision), U64_BYTES)
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt16BE(known.bytes.byteLength)
  return {
    type: 'put',
    key: Buffer.concat([evidencePrefix(incoming.library, incoming.writer), order]),
    value: Buffer.concat([Uint8Array.of(EVIDENCE_VERSION), length, known.bytes, incoming.bytes])
  }
}

/** Every contradiction that is kept. */
export async function* readEvidence(
  reader: DatabaseReader,
  signal?: AbortSignal
): AsyncGenerator<Contradiction> {
  for await (const [, value] of reader.iterate({ prefix: makeKey(KeyFamily.HeadEvidence) }, signal)) {
    const bytes = Buffer.from(value)
    const end = 1 + LENGTH_BYTES + bytes.readUInt16BE(1)
    yield {
      known: decodeStored(bytes.subarray(1 + LENGTH_BYTES, end)),
      incoming: decodeStored(bytes.subarray(end))
    }
  }
}

function decodeStored(stored: Uint8Array): Head {
  try {
    return decodeHead(Uint8Array.from(stored))
  } catch (cause) {
    throw new CatalogError('CONTENT_CORRUPT', 'a stored head cannot be read', { cause })
  }
}
