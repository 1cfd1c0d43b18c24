/**
 * The way down, written on the way up: each part that was built leaves here how to stop it, and the stops run in
 * reverse. One that fails or hangs is logged and does not keep the others from running.
 */
import { CatalogError, type Clock, type Logger, SECOND_MS } from '../base/index.ts'

/** Stops a part. When `deadline` is aborted it must end at once, with whatever loss that means. */
export type Stop = (deadline: AbortSignal) => Promise<void> | void

/** One part's share of the time for all; most need milliseconds. */
const STEP_MS = 3 * SECOND_MS
/** For a part to end at once after its deadline, before it is left behind. */
const AT_ONCE_MS = SECOND_MS / 4

export class Shutdown {
  readonly #clock: Clock
  readonly #stops: Array<{ name: string; stop: Stop }> = []

  constructor(modules: { clock: Clock }) {
    this.#clock = modules.clock
  }

  /** What is left last is stopped first. */
  leave(name: string, stop: Stop): void {
    this.#stops.push({ name, stop })
  }

  /** Runs every stop once; returns the names of those that failed or were left behind. */
  async run(logger: Logger, deadline: AbortSignal): Promise<string[]> {
    const failed: string[] = []
    for (let step = this.#stops.pop(); step !== undefined; step = this.#stops.pop()) {
      const startedMs = this.#clock.monotonicMs()
      try {
        await this.#bounded(step.stop, deadline)
        const tookMs = Math.round(this.#clock.monotonicMs() - startedMs)
        logger.debug({ step: step.name, tookMs }, 'stopped')
      } catch (err) {
        failed.push(step.name)
        logger.error({ step: step.name, err }, 'could not be stopped in good order')
      }
    }
    return failed
  }

  async #bounded(stop: Stop, deadline: AbortSignal): Promise<void> {
    const own = new AbortController()
    const done = new AbortController()
    const late = (async () => {
      await this.#clock.wait(STEP_MS, AbortSignal.any([deadline, done.signal])).catch(() => undefined)
      own.abort(new CatalogError('TIMEOUT', 'the time for the stop is over'))
      await this.#clock.wait(AT_ONCE_MS, done.signal)
      throw new CatalogError('TIMEOUT', 'still not stopped; left behind')
    })()
    // Nobody waits for it once the stop has ended.
    late.catch(() => undefined)
    try {
      await Promise.race([stop(own.signal), late])
    } finally {
      done.abort()
    }
  }
}
