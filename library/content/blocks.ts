/**
 * Blocks: the unit everything in the store is made of. A block is at most 256 KiB of raw bytes named by the
 * SHA-256 of those bytes. Chunks of files, pages of manifests and nodes of file trees are all blocks.
 */
import { hash } from 'node:crypto'
import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import { CatalogError, KIB } from '../../base/index.ts'
import { BlockCodec, type BlockId, type StoredBlock } from './types.ts'
import { decompress } from './zstd.ts'

export const BLOCK_ID_BYTES = 32
/** Raw bytes of a block: the largest chunk the chunker cuts. A part of the format. */
export const MAX_BLOCK_BYTES = 256 * KIB
/** Multicodec numbers of the two kinds of CIDs, and multihash number of SHA-256. */
export const RAW_CODE = 0x55
export const DAG_CBOR_CODE = 0x71
const SHA2_256_CODE = 0x12

/** SHA-256 of a block's raw bytes. One-shot: twice as fast as a hash object for blocks of this size. */
export function hashBlock(bytes: Uint8Array): BlockId {
  const { buffer, byteOffset, byteLength } = hash('sha256', bytes, 'buffer')
  // A plain Uint8Array: a Buffer compares and prints differently in places that matter.
  return new Uint8Array(buffer, byteOffset, byteLength)
}

export function sameId(a: BlockId, b: BlockId): boolean {
  return Buffer.compare(a, b) === 0
}

/** A string of 32 characters that stands for the id in a Map or Set; not for people. */
export function idKey(id: BlockId): string {
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('latin1')
}

/** The id as people and logs see it. */
export function idHex(id: BlockId): string {
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('hex')
}

/** CIDv1 `raw`: a file or manifest that is this one block. */
export function rawCid(id: BlockId): CID {
  return CID.createV1(RAW_CODE, createDigest(SHA2_256_CODE, id))
}

/** CIDv1 `dag-cbor`: a file or manifest whose tree has this root node. */
export function nodeCid(id: BlockId): CID {
  return CID.createV1(DAG_CBOR_CODE, createDigest(SHA2_256_CODE, id))
}

/** The block a root CID names. Throws CONTENT_INVALID unless it is CIDv1, raw or dag-cbor, SHA-256. */
export function blockIdOf(root: CID): BlockId {
  const known = root.code === RAW_CODE || root.code === DAG_CBOR_CODE
  const { code, digest } = root.multihash
  if (root.version !== 1 || !known || code !== SHA2_256_CODE || digest.byteLength !== BLOCK_ID_BYTES)
    throw new CatalogError('CONTENT_INVALID', `${root} is not a CIDv1 raw or dag-cbor over SHA-256`)
  return digest
}

/** Root of every empty file: the raw CID of no bytes. That block is never stored nor asked for. */
export const EMPTY_ROOT = rawCid(hashBlock(new Uint8Array(0)))

/**
 * The raw bytes of a block as it stands at rest or came from a peer; the input itself when it is raw already.
 * Lengths and the form of a frame are checked before anything is decoded. Returns undefined when the block is
 * not of that length or form.
 */
export function rawBytesOf(block: StoredBlock): Uint8Array | undefined {
  const { bytes, codec, rawLengthBytes } = block
  if (rawLengthBytes < 1 || rawLengthBytes > MAX_BLOCK_BYTES || bytes.byteLength > MAX_BLOCK_BYTES)
    return undefined
  if (codec === BlockCodec.Raw) return bytes.byteLength === rawLengthBytes ? bytes : undefined
  // Compression that gains nothing is not kept.
  if (codec !== BlockCodec.Zstd || bytes.byteLength >= rawLengthBytes) return undefined
  return decompress(bytes, rawLengthBytes)
}
