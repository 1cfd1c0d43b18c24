/**
 * multistream-select without waiting: the dialler of a stream sends its two lines (`/multistream/1.0.0`, the protocol)
 * and goes on with data at once; the remote must answer with exactly the same two lines. That saves a round trip
 * and stays compatible on the wire with every implementation, because a remote that knows the protocol echoes both lines in
 * any case. A remote that does not know it answers `na`, and the stream fails.
 * Source: https://github.com/multiformats/multistream-select (go-libp2p calls this "lazy" negotiation).
 */
const MULTISTREAM = '/multistream/1.0.0'
/** Longest line whose length fits the one-byte prefix written here; a longer protocol id negotiates the usual way. */
const MAX_LINE_BYTES = 127

export class OptimisticSelect {
  readonly protocol: string
  /** What the dialler sends, and what the remote must answer. */
  readonly lines: Uint8Array
  #confirmedBytes = 0

  constructor(protocol: string) {
    this.protocol = protocol
    this.lines = Buffer.concat([line(MULTISTREAM), line(protocol)])
  }

  /** Whether the protocol id is short enough for this form of negotiation. */
  static fits(protocol: string): boolean {
    return Buffer.byteLength(protocol) + 1 <= MAX_LINE_BYTES
  }

  get isConfirmed(): boolean {
    return this.#confirmedBytes === this.lines.byteLength
  }

  /** Compares the next bytes from the remote; returns what follows the answer, or undefined when the remote refused. */
  strip(chunk: Uint8Array): Uint8Array | undefined {
    const expected = this.lines.subarray(this.#confirmedBytes)
    const answer = chunk.subarray(0, expected.byteLength)
    if (Buffer.compare(answer, expected.subarray(0, answer.byteLength)) !== 0) return undefined
    this.#confirmedBytes += answer.byteLength
    return chunk.subarray(answer.byteLength)
  }
}

function line(text: string): Uint8Array {
  const bytes = Buffer.from(`${text}\n`)
  return Buffer.concat([Uint8Array.of(bytes.byteLength), bytes])
}
