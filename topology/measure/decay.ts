import { leftAfter } from '../../base/index.ts'

/**
 * A sum that forgets: what was added counts half after each half-life, so that it says how much there was lately. Two of them
 * with one half-life make a ratio that forgets.
 */
export class DecayingSum {
  readonly #halfLifeMs: number
  #sum = 0
  #atMs: number

  constructor(halfLifeMs: number, nowMs: number) {
    this.#halfLifeMs = halfLifeMs
    this.#atMs = nowMs
  }

  add(amount: number, nowMs: number): void {
    this.#sum = this.at(nowMs) + amount
    this.#atMs = Math.max(this.#atMs, nowMs)
  }

  at(nowMs: number): number {
    return this.#sum * leftAfter(nowMs - this.#atMs, this.#halfLifeMs)
  }
}
