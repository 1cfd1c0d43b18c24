import type { Clock } from './clock.ts'
import { LruCache } from './lru-cache.ts'
import { backoffDelayMs, type RetryPolicy } from './retry.ts'

interface Rest {
  readonly failures: number
  /** Monotonic. */
  readonly untilMs: number
}

/**
 * Those of many that failed, each left alone for a while: longer each time, as a retry policy says, until it does well. For what is not
 * tried in a loop of its own but when it turns up, such as peers that are found; `attempts` is not used.
 */
export class Rests {
  readonly #clock: Clock
  readonly #random: () => number
  readonly #policy: RetryPolicy
  readonly #rests: LruCache<string, Rest>

  /** `random` is uniform in [0, 1). Beyond `maxKeys` those that failed longest ago are forgotten. */
  constructor(
    modules: { readonly clock: Clock; readonly random?: (() => number) | undefined },
    options: { readonly policy: RetryPolicy; readonly maxKeys: number }
  ) {
    this.#clock = modules.clock
    this.#random = modules.random ?? Math.random
    this.#policy = options.policy
    this.#rests = new LruCache({ maxEntries: options.maxKeys })
  }

  isResting(key: string): boolean {
    return this.#clock.monotonicMs() < (this.#rests.get(key)?.untilMs ?? Number.NEGATIVE_INFINITY)
  }

  /** Notes a failure; how long it is left alone now. */
  failed(key: string): number {
    const failures = (this.#rests.get(key)?.failures ?? 0) + 1
    const waitMs = Math.round(backoffDelayMs(this.#policy, failures, this.#random()))
    this.#rests.set(key, { failures, untilMs: this.#clock.monotonicMs() + waitMs })
    return waitMs
  }

  succeeded(key: string): void {
    this.#rests.delete(key)
  }
}
