/**
 * A token bucket: a bucket holds up to `burst` tokens and gains `rate` of them a second; who wants to do something takes
 * as many tokens as it costs, and waits while there are not enough. Over any stretch of time t no more than
 * `rate * t + burst` can be taken, and nothing is lost to rounding: time is whole microseconds, the level is counted
 * in millionths of a token, and both the gain (tokens a second times microseconds) and the level are whole numbers
 * below 2^53. The bucket has no clock and no timer: every call says what time it is. Time that goes back counts as standing.
 */
import { assertWholeNumber } from '../../base/index.ts'
import { MAX_BURST_BYTES } from './limits.ts'

/** Millionths in a token, and microseconds in a second: so a gain needs no division. */
const MILLION = 1_000_000

export interface BucketRate {
  /** Tokens a second, at least 1. */
  readonly rate: number
  /** Tokens the bucket holds at most, 1 to MAX_BURST_BYTES. */
  readonly burst: number
}

export class TokenBucket {
  #rate: number
  #capacity: number
  #level: number
  #sinceUs: number

  /** Full at first. */
  constructor({ rate, burst }: BucketRate, nowUs: number) {
    checkRate({ rate, burst })
    this.#rate = rate
    this.#capacity = burst * MILLION
    this.#level = this.#capacity
    this.#sinceUs = nowUs
  }

  get rate(): number {
    return this.#rate
  }

  get burst(): number {
    return this.#capacity / MILLION
  }

  /** Whole tokens in the bucket. */
  available(nowUs: number): number {
    this.#fill(nowUs)
    return Math.floor(this.#level / MILLION)
  }

  /** Takes `tokens` if they are there. */
  tryTake(tokens: number, nowUs: number): boolean {
    this.#fill(nowUs)
    const cost = tokens * MILLION
    if (cost > this.#level) return false
    this.#level -= cost
    return true
  }

  /** Microseconds until `tokens` are there if nobody takes any; Infinity when the bucket never holds so many. */
  waitUs(tokens: number, nowUs: number): number {
    this.#fill(nowUs)
    const missing = tokens * MILLION - this.#level
    if (missing <= 0) return 0
    return tokens * MILLION > this.#capacity ? Number.POSITIVE_INFINITY : Math.ceil(missing / this.#rate)
  }

  /** From now on another rate and size. What was gained until now stays, as far as the new size holds it. */
  set({ rate, burst }: BucketRate, nowUs: number): void {
    checkRate({ rate, burst })
    this.#fill(nowUs)
    this.#rate = rate
    this.#capacity = burst * MILLION
    this.#level = Math.min(this.#level, this.#capacity)
  }

  #fill(nowUs: number): void {
    const elapsedUs = nowUs - this.#sinceUs
    if (elapsedUs <= 0) return
    this.#sinceUs = nowUs
    const missing = this.#capacity - this.#level
    // Compared as time, so that the product below is never larger than what is missing.
    if (elapsedUs >= missing / this.#rate) this.#level = this.#capacity
    else this.#level += elapsedUs * this.#rate
  }
}

function checkRate({ rate, burst }: BucketRate): void {
  assertWholeNumber(rate, 1, 'the rate of a bucket')
  assertWholeNumber(burst, 1, 'the size of a bucket')
  assertWholeNumber(MAX_BURST_BYTES - burst, 0, 'what a bucket may be larger')
}
