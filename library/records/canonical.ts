/**
 * Canonical DAG-CBOR, bounded.
 *
 * One value must have one spelling, or one record could have many ids. DAG-CBOR demands the shortest heads, sorted map
 * keys, no indefinite lengths, tag 42 only. Records demand two things more, because languages differ there: no floating
 * point, and integers within ±(2^53 - 1).
 *
 * Decoding goes in three steps. `scan` walks the heads without building anything, iteratively, and enforces depth, number
 * of values, lengths and head forms, so that hostile bytes cannot make the decoder recurse or allocate. Then the decoder
 * builds the value. Then the value is encoded again: anything still not canonical (order or repetition of keys, broken
 * UTF-8) gives other bytes and is refused.
 */
import * as dagCbor from '@ipld/dag-cbor'
import { CatalogError } from '../../base/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import { RECORD_LIMITS } from './limits.ts'

/** CBOR major types (RFC 8949, 3.1). */
const Major = { Unsigned: 0, Negative: 1, Bytes: 2, Text: 3, List: 4, Map: 5, Tag: 6, Simple: 7 } as const
const CID_TAG = 42
/** Simple values false, true and null. */
const SIMPLE_VALUES = [20, 21, 22]
/** Bytes that follow a head whose low five bits are 24 to 27, and the smallest argument that needs them. */
const LONG_HEADS = [
  { sizeBytes: 1, least: 24 },
  { sizeBytes: 2, least: 2 ** 8 },
  { sizeBytes: 4, least: 2 ** 16 },
  { sizeBytes: 8, least: 2 ** 32 }
]

export function invalid(what: string, cause?: unknown): CatalogError {
  return new CatalogError('RECORD_INVALID', what, cause === undefined ? {} : { cause })
}

interface Head {
  major: number
  /** Value, length or count. */
  argument: number
  next: number
}

function readHead(bytes: Uint8Array, at: number): Head {
  const first = bytes[at]
  if (first === undefined) throw invalid('the record ends within a value')
  const major = first >> 5
  const info = first & 31
  if (info < 24) return { major, argument: info, next: at + 1 }
  const long = LONG_HEADS[info - 24]
  if (long === undefined) throw invalid('the record has a value of indefinite or reserved length')
  if (major === Major.Simple) throw invalid('the record has a floating point or unknown simple value')
  const next = at + 1 + long.sizeBytes
  if (next > bytes.byteLength) throw invalid('the record ends within a value')
  let argument = 0
  for (let i = at + 1; i < next; i++) argument = argument * 256 + bytes[i]!
  if (argument < long.least) throw invalid('the record has a number that is not in its shortest form')
  return { major, argument, next }
}

/** Values that follow inside this one; moves past the bytes of strings. */
function childrenOf(head: Head, bytes: Uint8Array): { children: number; next: number } {
  const { major, argument, next } = head
  switch (major) {
    case Major.Unsigned:
    case Major.Negative: {
      const limit = major === Major.Unsigned ? RECORD_LIMITS.integer : RECORD_LIMITS.integer - 1
      if (argument > limit) throw invalid('the record has an integer beyond 2^53 - 1')
      return { children: 0, next }
    }
    case Major.Bytes:
    case Major.Text:
      if (argument > bytes.byteLength - next) throw invalid('the record ends within a string')
      return { children: 0, next: next + argument }
    case Major.List:
      return { children: argument, next }
    case Major.Map:
      return { children: 2 * argument, next }
    case Major.Tag:
      if (argument !== CID_TAG) throw invalid(`the record has the unknown tag ${argument}`)
      return { children: 1, next }
    default:
      if (!SIMPLE_VALUES.includes(argument)) throw invalid('the record has an unknown simple value')
      return { children: 0, next }
  }
}

/** Throws RECORD_INVALID unless `bytes` are exactly one value within the bounds. */
function scan(bytes: Uint8Array): void {
  let at = 0
  let items = 0
  /** Values still to come on each open level. */
  const open = [1]
  while (open.length > 0) {
    if (open[open.length - 1] === 0) {
      open.pop()
      continue
    }
    open[open.length - 1]! -= 1
    items += 1
    if (items > RECORD_LIMITS.items) throw invalid(`the record has more than ${RECORD_LIMITS.items} values`)
    const { children, next } = childrenOf(readHead(bytes, at), bytes)
    at = next
    if (children === 0) continue
    open.push(children)
    if (open.length - 1 > RECORD_LIMITS.depth) {
      throw invalid(`the record is nested deeper than ${RECORD_LIMITS.depth} levels`)
    }
  }
  if (at !== bytes.byteLength) throw invalid('the record has bytes after its end')
}

/** Decodes one canonical value. Throws RECORD_TOO_LARGE before looking at the bytes, else RECORD_INVALID. */
export function decodeCanonical(bytes: Uint8Array): unknown {
  checkSize(bytes)
  scan(bytes)
  let value: unknown
  let again: Uint8Array
  try {
    value = dagCbor.decode(bytes)
    again = dagCbor.encode(value)
  } catch (cause) {
    throw invalid('the record is not DAG-CBOR', cause)
  }
  if (!bytesEqual(again, bytes)) throw invalid('the record is not in canonical form')
  return value
}

/** Encodes a value canonically. Throws RECORD_INVALID for what DAG-CBOR cannot hold. */
export function encodeCanonical(value: unknown): Uint8Array {
  try {
    return dagCbor.encode(value)
  } catch (cause) {
    throw invalid('the record holds a value that DAG-CBOR does not know', cause)
  }
}

/** Throws RECORD_TOO_LARGE. */
export function checkSize(bytes: Uint8Array): void {
  if (bytes.byteLength <= RECORD_LIMITS.recordBytes) return
  throw new CatalogError(
    'RECORD_TOO_LARGE',
    `the record has ${bytes.byteLength} bytes, more than ${RECORD_LIMITS.recordBytes}`,
    { details: { sizeBytes: bytes.byteLength, limitBytes: RECORD_LIMITS.recordBytes } }
  )
}
