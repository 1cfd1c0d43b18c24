import type { Clock } from '../../base/index.ts'
import type { Figure } from './result.ts'

/** Values of one name; a scenario measures thousands of times at most. */
const MAX_VALUES = 100_000

/** What the steps of a run have measured. */
export class Measures {
  readonly #clock: Clock
  readonly #values = new Map<string, { unit: Figure['unit']; values: number[] }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(name: string, value: number, unit: Figure['unit'] = 'ms'): void {
    const row = this.#values.get(name) ?? { unit, values: [] }
    if (row.values.length < MAX_VALUES) row.values.push(value)
    this.#values.set(name, row)
  }

  /** How long it took; nothing when it failed. */
  async time<T>(name: string, work: () => Promise<T>): Promise<T> {
    const startMs = this.#clock.monotonicMs()
    const result = await work()
    this.add(name, this.#clock.monotonicMs() - startMs)
    return result
  }

  figures(): Record<string, Figure> {
    return Object.fromEntries([...this.#values].map(([name, row]) => [name, figureOf(row.values, row.unit)]))
  }
}

/** Of at least one value; a percentile is the smallest value that so many are not above. */
export function figureOf(values: readonly number[], unit: Figure['unit']): Figure {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!
  return { unit, count: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}
