import { createHash } from 'node:crypto'

/**
 * A stream taken by numbers of bytes, with the hash of all that was taken: what a file format with lengths in it and a checksum
 * at its end is read with. Holds one piece of the stream, and what is asked for; the caller checks sizes before it asks.
 */
export class ByteSource {
  readonly #source: AsyncIterator<Uint8Array>
  readonly #invalid: (what: string) => Error
  readonly #hash = createHash('sha256')
  #rest: Uint8Array = new Uint8Array(0)

  /** `invalid` makes the error of a stream that is not what it should be. */
  constructor(source: AsyncIterable<Uint8Array>, invalid: (what: string) => Error) {
    this.#source = source[Symbol.asyncIterator]()
    this.#invalid = invalid
  }

  /** SHA-256 of everything taken so far. */
  digest(): Uint8Array {
    return this.#hash.copy().digest()
  }

  /** The next bytes, in memory of their own; `invalid(otherwise)` where there are fewer. */
  async take(sizeBytes: number, otherwise = 'ends in the middle'): Promise<Buffer<ArrayBuffer>> {
    const taken = Buffer.allocUnsafeSlow(sizeBytes)
    for (let filled = 0; filled < sizeBytes; ) {
      if (this.#rest.byteLength === 0 && !(await this.#next())) throw this.#invalid(otherwise)
      const piece = this.#rest.subarray(0, sizeBytes - filled)
      taken.set(piece, filled)
      filled += piece.byteLength
      this.#rest = this.#rest.subarray(piece.byteLength)
    }
    this.#hash.update(taken)
    return taken
  }

  async expectEnd(): Promise<void> {
    if (this.#rest.byteLength > 0 || (await this.#next())) throw this.#invalid('has bytes after its end')
  }

  async #next(): Promise<boolean> {
    for (;;) {
      const { done, value } = await this.#source.next()
      if (done === true) return false
      if (value.byteLength === 0) continue
      this.#rest = value
      return true
    }
  }
}
