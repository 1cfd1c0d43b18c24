import { type Clock, type ErrorCode, MINUTE_MS, type RetryPolicy, SECOND_MS } from '../../base/index.ts'
import type { ContentFetched } from './network.ts'

/** Rounds that a fetch has which never got a byte, or was lied to: what nobody gives must not hold a place for long. */
const FIRST_ROUNDS = 3
/**
 * How long a fetch that got something waits for more: long enough for a link that goes away for half a minute, for
 * the time-outs that notice it, and for a peer that restarts or moves to another address.
 */
const PATIENCE_MS = 2 * MINUTE_MS

/** Whoever gives wrong bytes is reachable, and gives them again. */
const LIES: ReadonlySet<ErrorCode> = new Set(['BYTES_WRONG', 'PROTOCOL_VIOLATION'])

/** Waits between rounds; how many rounds there are, Patience says. */
export const ROUNDS: RetryPolicy = {
  attempts: Number.MAX_SAFE_INTEGER,
  firstDelayMs: 500,
  maxDelayMs: 5 * SECOND_MS,
  factor: 3,
  jitter: 1
}

/**
 * Whether a fetch whose round failed goes on. One that never got anything gives up after a few rounds, which takes seconds; one
 * that did knows that its sources exist, and has something to lose: it goes on until nothing has come for minutes.
 */
export class FetchPatience {
  readonly #clock: Clock
  #failedRounds = 0
  #bytes = 0
  #earlierBytes = 0
  #lastBytesMs: number | undefined

  constructor(modules: { clock: Clock }) {
    this.#clock = modules.clock
  }

  /** So many bytes have come from peers in this round. */
  fetched(bytes: number): void {
    if (bytes > this.#bytes) this.#lastBytesMs = this.#clock.monotonicMs()
    this.#bytes = bytes
  }

  /** Whether anything came in any round. */
  get hasFetched(): boolean {
    return this.#lastBytesMs !== undefined
  }

  /**
   * What came in rounds that failed is found in the store by the one that succeeds, which takes it for bytes held before. To within
   * what came after the last report of a round's progress.
   */
  inAll(fetched: ContentFetched): ContentFetched {
    const bytes = Math.min(this.#earlierBytes, fetched.bytesReused)
    return {
      ...fetched,
      bytesFetched: fetched.bytesFetched + bytes,
      bytesReused: fetched.bytesReused - bytes
    }
  }

  /** A round failed; whether there is another. */
  failed(code: ErrorCode): boolean {
    this.#failedRounds++
    this.#earlierBytes += this.#bytes
    this.#bytes = 0
    if (this.#lastBytesMs === undefined || LIES.has(code)) return this.#failedRounds < FIRST_ROUNDS
    return this.#clock.monotonicMs() - this.#lastBytesMs < PATIENCE_MS
  }
}
