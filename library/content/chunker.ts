/**
 * Content-defined chunking: where a file is cut depends on the bytes around the cut, not on its position, so
 * that a byte inserted at the front of a file moves the cuts along and leaves all later chunks as they were.
 *
 * The method is FastCDC (Xia et al., USENIX ATC 2016). A *gear hash* rolls over the bytes: `h = (h << 1) +
 * gear[byte]` in 32 bits. Each step shifts the influence of older bytes one bit to the left, so that the top
 * bit of `h` depends on the last 32 bytes and on nothing before. The file is cut after a byte where the top
 * bits of `h` under a mask are all zero: with n bits in the mask that is one byte in 2^n.
 *
 * Two refinements keep chunk sizes together. The first `min` bytes of a chunk are skipped: no cut can be
 * there, so the hash starts at `min`. And the mask has two more bits than the average asks for before the
 * chunk has reached the average size, two fewer after it (*normalisation* 2): cuts become rare before,
 * frequent after. At `max` the chunk is cut whatever the hash says. Each file starts afresh, so equal files
 * have equal chunks wherever they stand.
 *
 * Gear table and sizes are a part of the format (docs/disk-format.md): with others the same file gets other
 * chunks, and two nodes no longer share any. Table entry i is the first little-endian int32 of SHA-256("gear"
 * + i).
 */
import { hash } from 'node:crypto'
import { KIB, MIB } from '../../base/index.ts'

export const MIN_CHUNK_BYTES = 16 * KIB
export const AVERAGE_CHUNK_BYTES = 64 * KIB
export const MAX_CHUNK_BYTES = 256 * KIB
const NORMALISATION_BITS = 2
const HASH_BITS = 32
const AVERAGE_BITS = Math.log2(AVERAGE_CHUNK_BYTES)

/** The highest `bits` bits of 32 set, as the int32 that JavaScript's bit operations work with. */
const topBits = (bits: number): number => -1 << (HASH_BITS - bits)
const MASK_BEFORE_AVERAGE = topBits(AVERAGE_BITS + NORMALISATION_BITS)
const MASK_AFTER_AVERAGE = topBits(AVERAGE_BITS - NORMALISATION_BITS)

export const GEAR = Int32Array.from({ length: 256 }, (_, i) =>
  hash('sha256', `gear${i}`, 'buffer').readInt32LE(0)
)

/**
 * Length of the chunk that starts at `start`. `bytes` must hold MAX_CHUNK_BYTES from there, or all that is
 * left of the file: with less the cut would depend on how the file was read.
 */
export function cutLength(bytes: Uint8Array, start: number, end: number): number {
  const available = Math.min(end - start, MAX_CHUNK_BYTES)
  if (available <= MIN_CHUNK_BYTES) return available
  const average = start + Math.min(available, AVERAGE_CHUNK_BYTES)
  const early = findCut(bytes, start + MIN_CHUNK_BYTES, average, MASK_BEFORE_AVERAGE, 0)
  if (early !== undefined) return early - start
  if (available <= AVERAGE_CHUNK_BYTES) return available
  const late = findCut(bytes, average, start + available, MASK_AFTER_AVERAGE, hashBefore(bytes, average))
  return late === undefined ? available : late - start
}

/** The hash at a place that is at least 32 bytes behind where hashing began: older bytes have been shifted out of it. */
function hashBefore(bytes: Uint8Array, end: number): number {
  let hashed = 0
  for (let i = end - HASH_BITS; i < end; i++) hashed = ((hashed << 1) + GEAR[bytes[i]!]!) | 0
  return hashed
}

/**
 * Rolls `hashed` on from `from`; the place after the first byte where it is zero under the mask. Four bytes a turn: the
 * plain loop takes more than twice as long, and cutting is the largest part of taking in a folder.
 */
function findCut(
  bytes: Uint8Array,
  from: number,
  to: number,
  mask: number,
  hashed: number
): number | undefined {
  const gear = GEAR
  let hash = hashed
  let i = from
  for (const lastTurn = to - 4; i <= lastTurn; i += 4) {
    hash = ((hash << 1) + gear[bytes[i]!]!) | 0
    if ((hash & mask) === 0) return i + 1
    hash = ((hash << 1) + gear[bytes[i + 1]!]!) | 0
    if ((hash & mask) === 0) return i + 2
    hash = ((hash << 1) + gear[bytes[i + 2]!]!) | 0
    if ((hash & mask) === 0) return i + 3
    hash = ((hash << 1) + gear[bytes[i + 3]!]!) | 0
    if ((hash & mask) === 0) return i + 4
  }
  for (; i < to; i++) {
    hash = ((hash << 1) + gear[bytes[i]!]!) | 0
    if ((hash & mask) === 0) return i + 1
  }
  return undefined
}

/** Window of a chunker: eight of the largest chunks, so that what is moved to the front is little. */
const WINDOW_BYTES = 2 * MIB

/**
 * Cuts one file after another, fed in pieces of any size. The window is allocated once and reused; `next()`
 * returns views into it that are valid until the next `feed`.
 */
export class Chunker {
  readonly #window = Buffer.allocUnsafeSlow(WINDOW_BYTES)
  #start = 0
  #end = 0

  /**
   * Takes as much of `piece` as fits (the count is returned). Call `next()` until it is dry, then feed the
   * rest.
   */
  feed(piece: Uint8Array): number {
    if (this.#end === WINDOW_BYTES && this.#start > 0) {
      this.#window.copyWithin(0, this.#start, this.#end)
      this.#end -= this.#start
      this.#start = 0
    }
    const taken = Math.min(piece.byteLength, WINDOW_BYTES - this.#end)
    this.#window.set(taken === piece.byteLength ? piece : piece.subarray(0, taken), this.#end)
    this.#end += taken
    return taken
  }

  /**
   * The next chunk; undefined while more bytes are needed to know where it ends. `atEnd`: the file is
   * complete.
   */
  next(atEnd: boolean): Uint8Array | undefined {
    const left = this.#end - this.#start
    if (left === 0 || (!atEnd && left < MAX_CHUNK_BYTES)) {
      if (left === 0) this.reset()
      return undefined
    }
    const length = cutLength(this.#window, this.#start, this.#end)
    const chunk = this.#window.subarray(this.#start, this.#start + length)
    this.#start += length
    return chunk
  }

  /** Forgets what is left, for the next file. */
  reset(): void {
    this.#start = 0
    this.#end = 0
  }
}
