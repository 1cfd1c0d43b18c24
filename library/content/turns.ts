/** Keeps a long loop from holding the event loop: decoding a thousand small blocks takes tens of milliseconds. */
import { setImmediate as nextTurn } from 'node:timers/promises'

/** How long a loop of the main thread may go on before others get their turn. */
const TURN_MS = 3

export class Turns {
  #startMs = performance.now()

  /** Whether it is time to `pass`. */
  get isOver(): boolean {
    return performance.now() - this.#startMs >= TURN_MS
  }

  /** Resolves when the others have had their turn. */
  async pass(): Promise<void> {
    await nextTurn()
    this.#startMs = performance.now()
  }
}
