import { DAY_MS, leftAfter } from '../../base/index.ts'

/** What was a day ago counts half: a peer that is off at night is there for a part of the time, whenever it is looked. */
const HALF_LIFE_MS = DAY_MS
/** Of the time that counts, which a half-life makes finite. */
const MEAN_LIFE_MS = HALF_LIFE_MS / Math.LN2

/**
 * The share of the time since a peer was first met in which it was connected, where what is long ago counts less. It is seen from
 * here: a node that was offline itself finds that all others were away.
 */
export class Presence {
  #presentMs = 0
  #sinceMetMs = 0
  #atMs: number
  #isPresent = false

  constructor(nowMs: number) {
    this.#atMs = nowMs
  }

  set(isPresent: boolean, nowMs: number): void {
    const { presentMs, sinceMetMs } = this.#sumsAt(nowMs)
    this.#presentMs = presentMs
    this.#sinceMetMs = sinceMetMs
    this.#atMs = nowMs
    this.#isPresent = isPresent
  }

  /** 0 to 1; 1 at the first moment, when nothing speaks against it. */
  shareAt(nowMs: number): number {
    const { presentMs, sinceMetMs } = this.#sumsAt(nowMs)
    return sinceMetMs > 0 ? Math.min(1, presentMs / sinceMetMs) : 1
  }

  #sumsAt(nowMs: number): { presentMs: number; sinceMetMs: number } {
    const left = leftAfter(nowMs - this.#atMs, HALF_LIFE_MS)
    const passedMs = MEAN_LIFE_MS * (1 - left)
    return {
      presentMs: this.#presentMs * left + (this.#isPresent ? passedMs : 0),
      sinceMetMs: this.#sinceMetMs * left + passedMs
    }
  }
}
