import { ALIVE_BYTES, PONG_MS, QUIET_MS, RTT_EVERY_MS, STALL_MS } from './limits.ts'

/** What a tick asks of the session. */
export type HeartbeatVerdict = 'alive' | 'ask' | 'dead'

/**
 * Whether the peer lives, and how far away it is. Whatever arrives is a sign of life; when nothing has come for
 * QUIET_MS a ping goes out, and when nothing comes for PONG_MS after that, the peer is dead. QUIC notices only after
 * its idle time-out (10 s), and not at all when the peer's process hangs while its network stack answers.
 *
 * A side that stood still itself (a busy machine, one that slept) heard nothing because it did not listen: it has PONG_MS from then on.
 *
 * Each ping has a number that nobody can guess: a peer that sends pongs before it is asked cannot make itself look nearer
 * than it is.
 */
export class Heartbeat {
  #heardMs: number
  #receivedBytes = 0
  #asked: { sequence: number; sentMs: number } | undefined
  #lastAskedMs = Number.NEGATIVE_INFINITY
  #tickedMs: number
  /** When this side had last stood still. */
  #patientFromMs = Number.NEGATIVE_INFINITY
  readonly #random: () => number

  /** `random` gives whole numbers from 1 to 2^32 - 1. */
  constructor(nowMs: number, random: () => number) {
    this.#heardMs = nowMs
    this.#tickedMs = nowMs
    this.#random = random
  }

  /** When something was heard last. */
  get heardMs(): number {
    return this.#heardMs
  }

  /** Whether a ping waits for its answer. */
  get isAsking(): boolean {
    return this.#asked !== undefined
  }

  /** A whole frame arrived. */
  heard(nowMs: number): void {
    this.#heardMs = nowMs
  }

  /** Called on each tick with the bytes the stream has received so far. On 'ask' send `nextPing`. */
  tick(nowMs: number, receivedBytes: number): HeartbeatVerdict {
    if (receivedBytes - this.#receivedBytes >= ALIVE_BYTES) {
      this.#receivedBytes = receivedBytes
      this.#heardMs = nowMs
    }
    // This side did not look: what came meanwhile is read after this tick, and nobody has been silent.
    if (nowMs - this.#tickedMs >= STALL_MS) this.#patientFromMs = nowMs
    this.#tickedMs = nowMs
    if (this.#asked !== undefined) {
      const silentSinceMs = Math.max(this.#asked.sentMs, this.#heardMs, this.#patientFromMs)
      return nowMs - silentSinceMs >= PONG_MS ? 'dead' : 'alive'
    }
    const isQuiet = nowMs - this.#heardMs >= QUIET_MS
    return isQuiet || nowMs - this.#lastAskedMs >= RTT_EVERY_MS ? 'ask' : 'alive'
  }

  /** Sequence number of the ping to send now. */
  nextPing(nowMs: number): number {
    const sequence = this.#random()
    this.#asked = { sequence, sentMs: nowMs }
    this.#lastAskedMs = nowMs
    return sequence
  }

  /** Takes a pong: the round trip in milliseconds; undefined when it answers no ping of ours. */
  pong(sequence: number, nowMs: number): number | undefined {
    if (this.#asked === undefined || this.#asked.sequence !== sequence) return undefined
    const tookMs = nowMs - this.#asked.sentMs
    this.#asked = undefined
    return tookMs
  }
}
