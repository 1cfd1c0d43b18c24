import { percentile } from '../../base/index.ts'

/** RFC 6298, section 2: shares of a new sample in the smoothed round trip and in its variation. */
const SMOOTHED_SHARE = 1 / 8
const VARIATION_SHARE = 1 / 4
/** Round trips that are remembered: a heartbeat comes every 3 to 15 s, so these are those of the last minutes. */
const MAX_SAMPLES = 64
/** Of fewer samples the twentieth that is slowest says nothing. */
const MIN_SAMPLES = 20
const LATE_SHARE = 0.95
/** RFC 6298's K: so many variations above the smoothed round trip an answer counts as lost there, and as late here. */
const LATE_VARIATIONS = 4

/** What was measured of round trips, in milliseconds. */
export interface RoundTripFigures {
  readonly smoothedMs: number
  /** How far samples are from the smoothed one, on average. */
  readonly variationMs: number
  /** Nearly all of the last ones (95 %) took no longer. */
  readonly p95Ms: number
  /** An answer that takes longer is late. */
  readonly lateMs: number
}

/**
 * How far away a peer is, from its heartbeats. Smoothed as TCP smooths its round trips (RFC 6298): an eighth of each new sample, and
 * beside it the mean deviation. When an answer is late, the 95th percentile of the last samples says; while there are too few,
 * the smoothed time and four deviations, which is TCP's time-out.
 */
export class RoundTrip {
  readonly #samples: number[] = []
  #next = 0
  #smoothedMs = 0
  #variationMs = 0
  #figures: RoundTripFigures | undefined

  /** A heartbeat was answered after so long. */
  add(sampleMs: number): void {
    if (this.#samples.length === 0) {
      this.#smoothedMs = sampleMs
      this.#variationMs = sampleMs / 2
    } else {
      this.#variationMs += VARIATION_SHARE * (Math.abs(this.#smoothedMs - sampleMs) - this.#variationMs)
      this.#smoothedMs += SMOOTHED_SHARE * (sampleMs - this.#smoothedMs)
    }
    this.#samples[this.#next] = sampleMs
    this.#next = (this.#next + 1) % MAX_SAMPLES
    this.#figures = undefined
  }

  /** Undefined before the first sample. */
  get figures(): RoundTripFigures | undefined {
    if (this.#samples.length === 0) return undefined
    this.#figures ??= this.#calculate()
    return this.#figures
  }

  #calculate(): RoundTripFigures {
    const [smoothedMs, variationMs] = [this.#smoothedMs, this.#variationMs]
    const p95Ms = percentile(this.#samples, LATE_SHARE)!
    const isKnown = this.#samples.length >= MIN_SAMPLES
    const lateMs = isKnown ? p95Ms : smoothedMs + LATE_VARIATIONS * variationMs
    return { smoothedMs, variationMs, p95Ms, lateMs }
  }
}
