/** Prints one line per step as it ends: when it began, how long it took, at what rate, and what it did. */
import type { Writable } from 'node:stream'
import { displaySize } from '../../base/index.ts'

interface Step {
  /** `bytes` makes a rate of the step's time. */
  end(what: string, bytes?: number): void
}

export class Timeline {
  readonly #out: Writable
  readonly #startedMs = performance.now()

  constructor(out: Writable) {
    this.#out = out
    this.#row('at', 'took', 'rate', 'step', '')
  }

  begin(name: string): Step {
    const beganMs = performance.now()
    return {
      end: (what, bytes) => {
        const tookMs = performance.now() - beganMs
        const rate = bytes === undefined ? '' : `${displaySize((bytes / tookMs) * 1000)}/s`
        this.#row(seconds(beganMs - this.#startedMs), seconds(tookMs), rate, name, what)
      }
    }
  }

  summary(): void {
    this.#out.write(`\nEvery step was true. ${seconds(performance.now() - this.#startedMs)} in all.\n`)
  }

  #row(at: string, took: string, rate: string, name: string, what: string): void {
    this.#out.write(
      `${at.padStart(8)} ${took.padStart(8)} ${rate.padStart(12)}  ${name.padEnd(28)} ${what}\n`.trimEnd() +
        '\n'
    )
  }
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`
