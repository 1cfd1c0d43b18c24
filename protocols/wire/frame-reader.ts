import { CatalogError, freeMemory } from '../../base/index.ts'
import { checkSize } from './message.ts'

/** What `pull(stream)` returns: pieces of any size, taken at the reader's pace. */
export type ByteSource = AsyncIterable<Uint8Array>

export interface FrameReaderOptions {
  /** The memory of the pieces belongs to nobody else and is given back as soon as a piece has been read: for bulk data. */
  readonly freesPieces?: boolean
}

/** A length or tag is at most 2^32 - 1: five groups of seven bits. */
const MAX_VARINT_BYTES = 5
const MAX_UINT32 = 0xffffffff
const NOTHING = Buffer.alloc(0)

/**
 * Reads numbers and runs of bytes off a stream that delivers pieces of any size. Nothing is read ahead of what is asked
 * for beyond the piece at hand, and the caller states every length before memory is taken for it: that is how size
 * limits are kept before buffering. Results are copies, so that a few kept bytes never pin a transport buffer.
 * A stream that ends inside something throws STREAM_TRUNCATED; errors of the stream come through as they are.
 */
export class FrameReader {
  readonly #source: AsyncIterator<Uint8Array>
  readonly #freesPieces: boolean
  /** A Buffer: its `copy` is several times faster than `set` where the target is shared memory. */
  #piece: Buffer = NOTHING
  /** First unread byte of the piece. */
  #offset = 0
  #receivedBytes = 0

  constructor(source: ByteSource, { freesPieces = false }: FrameReaderOptions = {}) {
    this.#source = source[Symbol.asyncIterator]()
    this.#freesPieces = freesPieces
  }

  /** Bytes that have arrived so far, for progress and time-outs. */
  get receivedBytes(): number {
    return this.#receivedBytes
  }

  /** Bytes that were read out of here: the place in the stream, exactly. */
  get takenBytes(): number {
    return this.#receivedBytes - (this.#piece.byteLength - this.#offset)
  }

  /** An unsigned varint of at most 32 bits, or undefined when the stream ends before its first byte. */
  async varint(): Promise<number | undefined> {
    let value = 0
    for (let index = 0; index < MAX_VARINT_BYTES; index++) {
      if (this.#isEmpty && !(await this.#fill())) {
        if (index === 0) return undefined
        throw truncated('a number')
      }
      const byte = this.#piece[this.#offset++]!
      value += (byte & 0x7f) * 2 ** (7 * index)
      if (byte >= 0x80) continue
      if (value > MAX_UINT32 || (byte === 0 && index > 0)) break
      return value
    }
    throw new CatalogError('PROTOCOL_VIOLATION', 'a number is not a shortest varint of at most 32 bits')
  }

  /** Exactly `length` bytes in memory of their own. The caller has checked `length` against a limit. */
  async bytes(length: number): Promise<Uint8Array<ArrayBuffer>> {
    const target = new Uint8Array(length)
    await this.into(target)
    return target
  }

  /** A varint length, then that many bytes; undefined when the stream ends before it. */
  async frame(name: string, maxBytes: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const length = await this.varint()
    if (length === undefined) return undefined
    checkSize(name, length, 0, maxBytes)
    return await this.bytes(length)
  }

  /** Fills `target` completely. */
  async into(target: Uint8Array): Promise<void> {
    let done = 0
    while (done < target.byteLength) {
      if (this.#isEmpty && !(await this.#fill())) throw truncated(`${target.byteLength} bytes`)
      const part = this.#take(target.byteLength - done)
      done += part.copy(target, done)
    }
  }

  /** Reads and drops `length` bytes. */
  async skip(length: number): Promise<void> {
    let left = length
    while (left > 0) {
      if (this.#isEmpty && !(await this.#fill())) throw truncated(`${length} bytes`)
      left -= this.#take(left).byteLength
    }
  }

  /** Ends reading: lets the source release its listeners. */
  async close(): Promise<void> {
    this.#piece = NOTHING
    this.#offset = 0
    await this.#source.return?.()
  }

  get #isEmpty(): boolean {
    return this.#offset === this.#piece.byteLength
  }

  async #fill(): Promise<boolean> {
    if (this.#freesPieces) freeMemory(this.#piece)
    do {
      const next = await this.#source.next()
      if (next.done === true) return false
      const { buffer, byteOffset, byteLength } = next.value
      this.#piece = Buffer.from(buffer, byteOffset, byteLength)
      this.#offset = 0
    } while (this.#piece.byteLength === 0)
    this.#receivedBytes += this.#piece.byteLength
    return true
  }

  /** Up to `length` bytes of the piece at hand, not copied. */
  #take(length: number): Buffer {
    const part = this.#piece.subarray(this.#offset, this.#offset + length)
    this.#offset += part.byteLength
    return part
  }
}

function truncated(what: string): CatalogError {
  return new CatalogError('STREAM_TRUNCATED', `the stream ended inside ${what}`)
}
