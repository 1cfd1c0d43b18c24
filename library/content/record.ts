/**
 * Bytes of the store at rest: the record in a segment, its index value in LevelDB, and the committed tail.
 * All numbers are little-endian. Described in docs/disk-format.md and frozen by test vectors.
 */
import { MIB } from '../../base/index.ts'
import { BLOCK_ID_BYTES, hashBlock, MAX_BLOCK_BYTES } from './blocks.ts'
import { BlockCodec, type BlockId, type StoredBlock } from './types.ts'

/**
 * A segment is never longer: small enough to rewrite at garbage collection, large enough that few are open.
 */
export const SEGMENT_BYTES = 64 * MIB
export const RECORD_HEAD_BYTES = 48
/** "CSG1" as it stands in the file: Catalog segment, format 1. */
const RECORD_MAGIC = 0x31475343
export const RECORD_MAGIC_BYTES = Buffer.from('CSG1', 'latin1')

const AT = { magic: 0, length: 4, id: 8, codec: 40, rawLength: 44 } as const

export interface RecordHead {
  id: BlockId
  codec: BlockCodec
  /** Bytes at rest that follow the head. */
  lengthBytes: number
  rawLengthBytes: number
}

/** Writes the 48 bytes of a head: magic u32, length u32, id, codec u8, three zeros, raw length u32. */
export function writeRecordHead(target: Buffer, at: number, head: RecordHead): void {
  target.writeUInt32LE(RECORD_MAGIC, at + AT.magic)
  target.writeUInt32LE(head.lengthBytes, at + AT.length)
  target.set(head.id, at + AT.id)
  target.writeUInt32LE(head.codec, at + AT.codec)
  target.writeUInt32LE(head.rawLengthBytes, at + AT.rawLength)
}

/** Reads a head; undefined when these 48 bytes are none. The id is a view into `source`. */
export function readRecordHead(source: Buffer, at: number): RecordHead | undefined {
  if (at + RECORD_HEAD_BYTES > source.byteLength || source.readUInt32LE(at + AT.magic) !== RECORD_MAGIC)
    return undefined
  const codec = source.readUInt32LE(at + AT.codec)
  const lengthBytes = source.readUInt32LE(at + AT.length)
  const rawLengthBytes = source.readUInt32LE(at + AT.rawLength)
  if (codec !== BlockCodec.Raw && codec !== BlockCodec.Zstd) return undefined
  if (lengthBytes < 1 || lengthBytes > MAX_BLOCK_BYTES) return undefined
  if (rawLengthBytes < 1 || rawLengthBytes > MAX_BLOCK_BYTES) return undefined
  return { id: source.subarray(at + AT.id, at + AT.id + BLOCK_ID_BYTES), codec, lengthBytes, rawLengthBytes }
}

/** Where a block stands. `offsetBytes` is that of the record's head. */
export interface BlockLocation {
  segment: number
  offsetBytes: number
  lengthBytes: number
  codec: BlockCodec
  rawLengthBytes: number
  /** See `checksumOf`; absent of raw blocks, and of those that were stored by format 1. */
  checksum?: Uint8Array
}

const LOCATION_BYTES = 20
/** Half a hash: nobody who holds the segments, such as the operator of a bucket, can find other bytes that match it. */
const CHECKSUM_BYTES = 16

/**
 * What tells that the bytes at rest of a block in zstd are those that were decoded and hashed when it was stored, so that
 * sending them needs neither. A raw block has none: its id is the hash of its bytes.
 */
export function checksumOf({ codec, bytes }: Pick<StoredBlock, 'codec' | 'bytes'>): Uint8Array | undefined {
  return codec === BlockCodec.Raw ? undefined : checksumAtRest(bytes)
}

/** The first half of the SHA-256. */
export function checksumAtRest(bytes: Uint8Array): Uint8Array {
  return hashBlock(bytes).subarray(0, CHECKSUM_BYTES)
}

/** Value of a `c/` key: segment, offset, length, codec, raw length, each u32; then the checksum where there is one. */
export function encodeLocation(location: BlockLocation): Uint8Array {
  const { checksum } = location
  const value = Buffer.allocUnsafe(LOCATION_BYTES + (checksum?.byteLength ?? 0))
  value.writeUInt32LE(location.segment, 0)
  value.writeUInt32LE(location.offsetBytes, 4)
  value.writeUInt32LE(location.lengthBytes, 8)
  value.writeUInt32LE(location.codec, 12)
  value.writeUInt32LE(location.rawLengthBytes, 16)
  if (checksum !== undefined) value.set(checksum, LOCATION_BYTES)
  return value
}

/** The checksum is a view into `value`. */
export function decodeLocation(value: Uint8Array): BlockLocation {
  const view = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  const location = {
    segment: view.readUInt32LE(0),
    offsetBytes: view.readUInt32LE(4),
    lengthBytes: view.readUInt32LE(8),
    codec: view.readUInt32LE(12) as BlockCodec,
    rawLengthBytes: view.readUInt32LE(16)
  }
  return value.byteLength === LOCATION_BYTES + CHECKSUM_BYTES
    ? { ...location, checksum: value.subarray(LOCATION_BYTES) }
    : location
}

/** How far the segments are committed: all records before are on disk and indexed. */
export interface Tail {
  segment: number
  offsetBytes: number
  /** Blocks in the index. */
  blocks: number
  /** Bytes of all segments together. */
  totalBytes: number
}

export const EMPTY_TAIL: Tail = { segment: 0, offsetBytes: 0, blocks: 0, totalBytes: 0 }

/** Value of the key `T`: segment u32, offset u32, blocks u64, total bytes u64. */
export function encodeTail(tail: Tail): Uint8Array {
  const value = Buffer.allocUnsafe(24)
  value.writeUInt32LE(tail.segment, 0)
  value.writeUInt32LE(tail.offsetBytes, 4)
  value.writeBigUInt64LE(BigInt(tail.blocks), 8)
  value.writeBigUInt64LE(BigInt(tail.totalBytes), 16)
  return value
}

export function decodeTail(value: Uint8Array | undefined): Tail {
  if (value === undefined) return EMPTY_TAIL
  const view = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return {
    segment: view.readUInt32LE(0),
    offsetBytes: view.readUInt32LE(4),
    blocks: Number(view.readBigUInt64LE(8)),
    totalBytes: Number(view.readBigUInt64LE(16))
  }
}
