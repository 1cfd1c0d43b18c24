import { MINUTE_MS } from '../../base/index.ts'
import { DecayingSum } from './decay.ts'

/** Long enough that a bad minute is seen in a fetch that follows, short enough that a restarted peer is tried again. */
const HALF_LIFE_MS = 10 * MINUTE_MS
/** One good answer that every peer is credited with: its first failure is not all that there is. */
const CREDIT = 1

/** The share of requests that failed lately, 0 to 1. */
export class Failures {
  readonly #failed: DecayingSum
  readonly #all: DecayingSum

  constructor(nowMs: number) {
    this.#failed = new DecayingSum(HALF_LIFE_MS, nowMs)
    this.#all = new DecayingSum(HALF_LIFE_MS, nowMs)
  }

  add(isFailure: boolean, nowMs: number): void {
    this.#all.add(1, nowMs)
    if (isFailure) this.#failed.add(1, nowMs)
  }

  rateAt(nowMs: number): number {
    return this.#failed.at(nowMs) / (this.#all.at(nowMs) + CREDIT)
  }
}
