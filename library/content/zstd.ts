/**
 * zstd for blocks: small, fast, and bounded before the decoder sees a byte.
 *
 * A block at rest or on the wire is one zstd frame of the plainest kind (RFC 8878): a single segment, so that the
 * decoder needs no window beyond the block itself; the length of the raw bytes stated in the head, where it can be
 * compared with what the record or the answer states; no dictionary, no checksum (the block's id is one), and
 * nothing behind the frame. `isPlainFrame` walks over head and block heads and says whether that holds. What it lets
 * through costs the decoder at most the 256 KiB of a block, whatever the bytes mean. How well a frame is compressed is
 * nobody's business: the id is over the raw bytes.
 */
import { constants, type ZstdOptions, zstdCompressSync, zstdDecompressSync } from 'node:zlib'

const MAGIC = 0xfd2fb528
const MAGIC_BYTES = 4
/** The bits of the descriptor that must be as given: single segment; nothing unused, reserved, no checksum, no dictionary. */
const FLAGS_MASK = 0x3f
const SINGLE_SEGMENT = 0x20
const BLOCK_HEAD_BYTES = 3
const BlockType = { Raw: 0, Repeated: 1, Compressed: 2 } as const
/** zlib refuses to work in pieces smaller than this. */
const MIN_PIECE_BYTES = 64
/** Level 1: half the speed of hashing and cutting; level 3 gains some 5 % more and takes half as long again. */
const LEVEL = 1

/** The bytes as one plain frame. */
export function compress(raw: Uint8Array): Uint8Array {
  return zstdCompressSync(raw, inOnePiece(raw.byteLength, { [constants.ZSTD_c_compressionLevel]: LEVEL }))
}

/**
 * The raw bytes of a plain frame; undefined when it is none, states another length or cannot be decoded. Never makes
 * more than `rawLengthBytes`, which the caller has bounded.
 */
export function decompress(frame: Uint8Array, rawLengthBytes: number): Uint8Array | undefined {
  if (!isPlainFrame(frame, rawLengthBytes)) return undefined
  try {
    const raw = zstdDecompressSync(frame, { ...inOnePiece(rawLengthBytes), maxOutputLength: rawLengthBytes })
    return raw.byteLength === rawLengthBytes ? raw : undefined
  } catch {
    return undefined // damaged: what it is not, is all the caller needs to know
  }
}

/** Whether the bytes are exactly one frame of the kind that blocks are kept in, for so many raw bytes. */
export function isPlainFrame(frame: Uint8Array, rawLengthBytes: number): boolean {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  const head = readHead(view)
  return (
    head !== undefined &&
    head.rawLengthBytes === rawLengthBytes &&
    endOfBlocks(view, head.headBytes) === frame.byteLength
  )
}

/** Where the blocks begin and what length the head states; undefined unless the head is that of a plain frame. */
function readHead(view: DataView): { headBytes: number; rawLengthBytes: number } | undefined {
  const at = MAGIC_BYTES + 1
  if (view.byteLength < at + 1 || view.getUint32(0, true) !== MAGIC) return undefined
  const descriptor = view.getUint8(MAGIC_BYTES)
  if ((descriptor & FLAGS_MASK) !== SINGLE_SEGMENT) return undefined
  // How wide the length is; 8 bytes are for lengths that no block has.
  const width = [1, 2, 4][descriptor >> 6]
  if (width === undefined || view.byteLength < at + width) return undefined
  const headBytes = at + width
  if (width === 1) return { headBytes, rawLengthBytes: view.getUint8(at) }
  // A length of two bytes counts from 256.
  if (width === 2) return { headBytes, rawLengthBytes: view.getUint16(at, true) + 256 }
  return { headBytes, rawLengthBytes: view.getUint32(at, true) }
}

/** Where the last block ends; undefined when the bytes end before it or a block is of no known type. */
function endOfBlocks(view: DataView, start: number): number | undefined {
  for (let at = start; at + BLOCK_HEAD_BYTES <= view.byteLength; ) {
    const head = view.getUint16(at, true) | (view.getUint8(at + 2) << 16)
    const type = (head >> 1) & 3
    if (type > BlockType.Compressed) return undefined
    at += BLOCK_HEAD_BYTES + (type === BlockType.Repeated ? 1 : head >> 3)
    if ((head & 1) === 1) return at
  }
  return undefined
}

/** One more than the bytes: an output that is exactly full makes zlib allocate another. */
function inOnePiece(sizeBytes: number, params?: ZstdOptions['params']): ZstdOptions {
  const chunkSize = Math.max(MIN_PIECE_BYTES, sizeBytes + 1)
  return params === undefined ? { chunkSize } : { chunkSize, params }
}
