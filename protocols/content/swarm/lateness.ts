import { percentile } from '../../../base/index.ts'

/** Answers whose times are remembered: of all sources, the last ones. */
const MAX_TIMES = 128
/** Fewer say nothing about the twentieth that is slowest. */
const MIN_TIMES = 20
const PERCENTILE = 0.95
/** Sooner nothing is called late: timers and turns of the event loop are not finer. */
const LEAST_LATE_MS = 100

/** Says from when on an answer is late: the 95th percentile of what the last ones took, from asking to the last byte. */
export class LatenessGauge {
  readonly #times: number[] = []
  #next = 0
  #lateMs: number | undefined

  add(tookMs: number): void {
    this.#times[this.#next] = tookMs
    this.#next = (this.#next + 1) % MAX_TIMES
    this.#lateMs = undefined
  }

  /** Undefined while too few answers were seen. */
  get lateMs(): number | undefined {
    if (this.#times.length < MIN_TIMES) return undefined
    this.#lateMs ??= Math.max(LEAST_LATE_MS, percentile(this.#times, PERCENTILE)!)
    return this.#lateMs
  }
}
