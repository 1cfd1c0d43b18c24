import { MIB, SECOND_MS } from '../../base/index.ts'

/** A transfer of so many bytes leaves about a third of what was known before. */
const MEMORY_BYTES = 8 * MIB
/** Less, in less time, says more of timers and turns than of a peer. */
const MIN_BYTES = MIB / 4
const MIN_MS = SECOND_MS / 4
/** As fine as times are measured. */
const LEAST_MS = 0.1

/**
 * Bytes a second over whole transfers in one direction: a moving average in which a transfer counts by its bytes, so that
 * many small ones do not outweigh a large one. One that took long for few bytes counts by the bytes that were to be expected
 * of that time: else a link that has become slow would never be found out.
 */
export class Goodput {
  /** Of weighted rates, and of their weights: together an average that is none of its beginning. */
  #sum = 0
  #weight = 0

  /** Undefined while nothing was measured. */
  get bytesPerSecond(): number | undefined {
    return this.#weight === 0 ? undefined : this.#sum / this.#weight
  }

  /** A transfer has ended, in which `bytes` came or went while it was busy for `tookMs`. */
  add(bytes: number, tookMs: number): void {
    if (tookMs <= 0 || (bytes < MIN_BYTES && tookMs < MIN_MS)) return
    const rate = (bytes / Math.max(tookMs, LEAST_MS)) * SECOND_MS
    const expectedBytes = ((this.bytesPerSecond ?? 0) * tookMs) / SECOND_MS
    const share = 1 - Math.exp(-Math.max(bytes, expectedBytes) / MEMORY_BYTES)
    this.#sum += share * (rate - this.#sum)
    this.#weight += share * (1 - this.#weight)
  }

  /** It is not more than this now, whatever was measured before. */
  isAtMost(bytesPerSecond: number): void {
    const rate = Math.min(this.bytesPerSecond ?? bytesPerSecond, bytesPerSecond)
    this.#sum = rate
    this.#weight = 1
  }
}
