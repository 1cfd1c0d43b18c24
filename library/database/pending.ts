/**
 * A database as it will be once operations are committed that have yet to be. Several plans that are to be one batch are made over it, each
 * as if those before it had been written, so none of them knows of the others.
 */
import type { DatabaseReader, KeyRange, WriteOperation } from './types.ts'

/** Its text has a unit for each byte, so it sorts as LevelDB sorts its bytes. */
interface Waiting {
  readonly text: string
  readonly key: Uint8Array
  /** Undefined for a key that goes. */
  readonly value: Uint8Array | undefined
}

export class PendingRows implements DatabaseReader {
  readonly #reader: DatabaseReader
  readonly #operations: WriteOperation[] = []
  readonly #waiting = new Map<string, Waiting>()
  /** Of those, in order. */
  readonly #order: string[] = []

  constructor(reader: DatabaseReader) {
    this.#reader = reader
  }

  /** All that were applied, in their order: whoever commits them bounds how many. */
  get operations(): readonly WriteOperation[] {
    return this.#operations
  }

  apply(operations: readonly WriteOperation[]): void {
    for (const operation of operations) {
      const { key } = operation
      const text = textOf(key)
      const value = operation.type === 'put' ? operation.value : undefined
      if (!this.#waiting.has(text)) this.#order.splice(this.#placeOf(text), 0, text)
      this.#waiting.set(text, { text, key, value })
      this.#operations.push(operation)
    }
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const waiting = this.#waiting.get(textOf(key))
    return waiting === undefined ? this.#reader.get(key) : waiting.value
  }

  async getMany(keys: Uint8Array[]): Promise<Array<Uint8Array | undefined>> {
    const stored = await this.#reader.getMany(keys)
    return keys.map((key, at) => {
      const waiting = this.#waiting.get(textOf(key))
      return waiting === undefined ? stored[at] : waiting.value
    })
  }

  async *iterate(range: KeyRange, signal?: AbortSignal): AsyncIterable<[Uint8Array, Uint8Array]> {
    const { limit, reverse = false, ...within } = range
    const waiting = this.#within(within, reverse)
    // As many more as may be hidden by what waits.
    const more = limit === undefined ? {} : { limit: limit + waiting.length }
    let left = limit ?? Number.POSITIVE_INFINITY
    for await (const row of merge(
      this.#reader.iterate({ ...within, reverse, ...more }, signal),
      waiting,
      reverse
    )) {
      if (left-- <= 0) return
      yield row
    }
  }

  /** What waits in a range, in the order in which it is gone through. */
  #within({ prefix, after }: Pick<KeyRange, 'prefix' | 'after'>, reverse: boolean): Waiting[] {
    const start = textOf(prefix)
    const from = after === undefined ? undefined : textOf(after)
    const found: Waiting[] = []
    for (let at = this.#placeOf(start); this.#order[at]?.startsWith(start) === true; at++) {
      const text = this.#order[at]!
      if (from === undefined || precedes(from, text, reverse)) found.push(this.#waiting.get(text)!)
    }
    return reverse ? found.reverse() : found
  }

  /** Of the first key that does not come before `text`. */
  #placeOf(text: string): number {
    let [low, high] = [0, this.#order.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#order[middle]! < text) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** Rows as they will be: what waits, and what is stored under other keys. */
async function* merge(
  stored: AsyncIterable<[Uint8Array, Uint8Array]>,
  waiting: readonly Waiting[],
  reverse: boolean
): AsyncIterable<[Uint8Array, Uint8Array]> {
  let at = 0
  for await (const row of stored) {
    const text = textOf(row[0])
    for (; at < waiting.length && precedes(waiting[at]!.text, text, reverse); at++) yield* rowOf(waiting[at]!)
    if (waiting[at]?.text === text) yield* rowOf(waiting[at++]!)
    else yield row
  }
  for (const last of waiting.slice(at)) yield* rowOf(last)
}

const rowOf = ({ key, value }: Waiting): Array<[Uint8Array, Uint8Array]> =>
  value === undefined ? [] : [[key, value]]

const precedes = (a: string, b: string, reverse: boolean): boolean => (reverse ? a > b : a < b)

const textOf = (key: Uint8Array): string => Buffer.from(key).toString('latin1')
