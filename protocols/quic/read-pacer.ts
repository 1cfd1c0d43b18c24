import {
  BULK_RATE_BYTES_PER_S,
  COALESCE_BELOW_BYTES,
  type QuicStreamOptions,
  RATE_WINDOW_MS
} from './options.ts'

/** Growth and shrink of the read size: three full reads lead from 4 KiB to 256 KiB. */
const STEP = 4
/** Below this share of its size a native buffer is copied: it would pin all of it (rust `truncate` keeps capacity). */
const MOSTLY_EMPTY = 8

/**
 * Chooses the size of the next native read: four times larger after a read that came back full, four times smaller after
 * one less than a quarter full. On a stream that moves bulk data it also asks for a short wait after a small read: the
 * next one then finds many datagrams instead of one, and a core is saved.
 */
export class ReadPacer {
  readonly #options: QuicStreamOptions
  #sizeBytes: number
  #windowStartMs = 0
  #windowBytes = 0
  #isBulk = false

  constructor(options: QuicStreamOptions) {
    this.#options = options
    this.#sizeBytes = options.minReadBytes
  }

  /** Size of the next native read. */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** Takes note of a finished read; returns its bytes, copied when they would pin a mostly empty buffer. */
  record(chunk: Uint8Array): Uint8Array {
    const size = this.#sizeBytes
    if (chunk.byteLength === size) this.#sizeBytes = Math.min(size * STEP, this.#options.maxReadBytes)
    else if (chunk.byteLength < size / STEP)
      this.#sizeBytes = Math.max(size / STEP, this.#options.minReadBytes)
    return chunk.byteLength < size / MOSTLY_EMPTY ? chunk.slice() : chunk
  }

  /** How long to wait before the next read, after one of `readBytes` at monotonic time `nowMs`. */
  waitMs(readBytes: number, nowMs: number): number {
    this.#windowBytes += readBytes
    const elapsedMs = nowMs - this.#windowStartMs
    if (elapsedMs > RATE_WINDOW_MS) {
      this.#isBulk = (this.#windowBytes * 1000) / elapsedMs > BULK_RATE_BYTES_PER_S
      this.#windowStartMs = nowMs
      this.#windowBytes = 0
    }
    return this.#isBulk && readBytes < COALESCE_BELOW_BYTES ? this.#options.coalesceMs : 0
  }
}
