import { type Clock, HOUR_MS, LruCache } from '../../base/index.ts'

/** A peer that refused a key is not asked to hold it again for this long; by then its neighbourhood may look different. */
const REFUSAL_LIFETIME_MS = 6 * HOUR_MS
/** Refusals remembered: the ones of the last keys, about 100 bytes each. */
const MAX_REFUSALS = 50_000

/** Which peer did not take which key, so that the next nearest gets it instead. */
export class Refusals {
  readonly #until = new LruCache<string, number>({ maxEntries: MAX_REFUSALS })
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(key: string, peer: string): void {
    this.#until.set(`${key} ${peer}`, this.#clock.monotonicMs() + REFUSAL_LIFETIME_MS)
  }

  has(key: string, peer: string): boolean {
    return (this.#until.get(`${key} ${peer}`) ?? 0) > this.#clock.monotonicMs()
  }
}
