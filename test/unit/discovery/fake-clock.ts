import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../../../base/index.ts'

interface Wait {
  readonly atMs: number
  resolve(): void
}

/** Turns of the event loop that work in memory gets between two moments: more than any chain of steps here needs. */
const TURNS = 12

/** A clock that moves from one wait to the next, so that a day passes in as many steps as something is due. */
export class FakeClock implements Clock {
  #nowMs = 1_800_000_000_000
  readonly #waits = new Set<Wait>()

  now(): number {
    return this.#nowMs
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  wait(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason)
      const wait = {
        atMs: this.#nowMs + ms,
        resolve: () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        }
      }
      const onAbort = (): void => {
        this.#waits.delete(wait)
        reject(signal?.reason)
      }
      this.#waits.add(wait)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** Moves on by `ms`, stopping at each wait that ends on the way; waits shorter than `stepMs` are taken together. */
  async advance(ms: number, stepMs = 0): Promise<void> {
    const endMs = this.#nowMs + ms
    for (;;) {
      await this.settle()
      const next = Math.min(...Array.from(this.#waits, ({ atMs }) => atMs))
      if (next > endMs) break
      this.#nowMs = Math.min(endMs, Math.max(this.#nowMs, next) + stepMs)
      for (const wait of [...this.#waits]) {
        if (wait.atMs > this.#nowMs) continue
        this.#waits.delete(wait)
        wait.resolve()
      }
    }
    this.#nowMs = endMs
    await this.settle()
  }

  /** Runs something that waits for this clock, moving it until that is done. */
  async during<T>(promise: Promise<T>, stepMs = 10): Promise<{ tookMs: number; value: T }> {
    const startMs = this.#nowMs
    let isOver = false
    promise.then(
      () => (isOver = true),
      () => (isOver = true)
    )
    await this.settle()
    while (!isOver) await this.advance(stepMs)
    return { tookMs: this.#nowMs - startMs, value: await promise }
  }

  /** Lets everything that does not wait for this clock come to rest. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn++) await nextTurn()
  }
}
