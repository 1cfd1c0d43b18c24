import { type Clock, LruCache, SECOND_MS } from '../../base/index.ts'
import { keyText } from '../keys.ts'

/** How long "nobody holds it" is remembered: long enough to stop a caller that asks in a loop, too short to annoy a person. */
const NEGATIVE_LIFETIME_MS = 10 * SECOND_MS
const MAX_KEYS = 10_000

/** Keys that nobody held when they were last asked for. */
export class NegativeCache {
  readonly #until = new LruCache<string, number>({ maxEntries: MAX_KEYS })
  readonly #clock: Clock
  /** Grows when a peer comes: what is found out before it is asked counts for nothing then. */
  #generation = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Said when a search begins, for what comes of it. */
  get generation(): number {
    return this.#generation
  }

  /** What a search has found that began in a generation. */
  add(key: Uint8Array, generation: number): void {
    if (generation !== this.#generation) return
    this.#until.set(keyText(key), this.#clock.monotonicMs() + NEGATIVE_LIFETIME_MS)
  }

  /** How much longer the key counts as missing, milliseconds; 0 = it has to be asked for. */
  remainingMs(key: Uint8Array): number {
    return Math.max(0, (this.#until.get(keyText(key)) ?? 0) - this.#clock.monotonicMs())
  }

  /** Somebody announced the key. */
  delete(key: Uint8Array): void {
    this.#until.delete(keyText(key))
  }

  /** A new peer may know what all others did not. */
  clear(): void {
    this.#until.clear()
    this.#generation++
  }
}
