import type { Clock } from '../../../base/index.ts'

interface Wait {
  readonly atMs: number
  readonly wake: () => void
}

/** A clock that stands still until it is told to move. */
export class ManualClock implements Clock {
  #nowMs: number
  #setByMs = 0
  readonly #waits = new Set<Wait>()

  constructor(nowMs = 1_000_000) {
    this.#nowMs = nowMs
  }

  now(): number {
    return this.#nowMs + this.#setByMs
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  wait(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason)
      const onAbort = (): void => {
        this.#waits.delete(wait)
        reject(signal?.reason)
      }
      const wait: Wait = {
        atMs: this.#nowMs + ms,
        wake: () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        }
      }
      this.#waits.add(wait)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** Somebody sets the clock: no time passes. */
  setBy(ms: number): void {
    this.#setByMs += ms
  }

  /** Moves on in steps, so that loops which wait again run as often as they would. */
  async advance(ms: number, stepMs = 250): Promise<void> {
    const endMs = this.#nowMs + ms
    while (this.#nowMs < endMs) {
      this.#nowMs = Math.min(endMs, this.#nowMs + stepMs)
      for (const wait of [...this.#waits])
        if (wait.atMs <= this.#nowMs) {
          this.#waits.delete(wait)
          wait.wake()
        }
      // Frames that this step sent get their turn of the event loop.
      await new Promise(resolve => setTimeout(resolve, 1))
    }
  }
}
