import { CatalogError, type Clock } from '../../base/index.ts'

/** What a stream waits for from its peer, and whether that takes too long: whoever holds many asks each now and then. */
export class Patience {
  readonly #clock: Clock
  #waiting: { limitMs: number; sinceMs: number; what: string } | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Runs something that depends on the peer. `what` says in an error what did not come within `limitMs`. */
  async wait<T>(limitMs: number, what: string, run: () => Promise<T>): Promise<T> {
    const outer = this.#waiting
    this.#waiting = { limitMs, what, sinceMs: this.#clock.monotonicMs() }
    try {
      return await run()
    } finally {
      this.#waiting = outer
    }
  }

  /** TIMEOUT, when something has been waited for too long. */
  overdue(nowMs: number): CatalogError | undefined {
    const waiting = this.#waiting
    if (waiting === undefined || nowMs - waiting.sinceMs < waiting.limitMs) return undefined
    return new CatalogError('TIMEOUT', `${waiting.what} within ${waiting.limitMs} ms`)
  }
}
