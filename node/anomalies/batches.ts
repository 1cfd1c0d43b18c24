import { SECOND_MS } from '../../base/index.ts'

/** However fast samples come: what is seen within a moment is one thing that happened. */
export const BATCH_MS = 30 * SECOND_MS
/** Samples of one batch that are looked at. Of those that come too fast for that the first ones do. */
const MAX_SAMPLES = 128

export interface Batch {
  readonly samples: readonly number[]
  readonly sinceMs: number
}

/** Collects samples until there are enough of them and they are of long enough. */
export class Batches {
  readonly #minSamples: number
  #samples: number[] = []
  #sinceMs = 0

  constructor(minSamples: number) {
    this.#minSamples = minSamples
  }

  /** The batch that this sample completes. */
  add(sample: number, nowMs: number): Batch | undefined {
    if (this.#samples.length === 0) this.#sinceMs = nowMs
    if (this.#samples.length < MAX_SAMPLES) this.#samples.push(sample)
    if (this.#samples.length < this.#minSamples || nowMs - this.#sinceMs < BATCH_MS) return undefined
    const batch = { samples: this.#samples, sinceMs: this.#sinceMs }
    this.#samples = []
    return batch
  }
}
