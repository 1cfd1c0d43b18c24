/** Rows of one family, by their keys as text: a character for each byte, so that they sort alike. */
export class Rows {
  readonly #values: Map<string, Uint8Array>
  /** In order, once somebody has gone through them; most families are only read by key. */
  #sorted: string[] | undefined

  constructor(values: Iterable<readonly [string, Uint8Array]> = []) {
    this.#values = new Map(values)
  }

  get(key: string): Uint8Array | undefined {
    return this.#values.get(key)
  }

  entries(): Iterable<[string, Uint8Array]> {
    return this.#values.entries()
  }

  set(key: string, value: Uint8Array): void {
    if (!this.#values.has(key)) this.#sorted?.splice(lowerBound(this.#sorted, key), 0, key)
    this.#values.set(key, value)
  }

  delete(key: string): void {
    if (this.#values.delete(key)) this.#sorted?.splice(lowerBound(this.#sorted, key), 1)
  }

  /** Keys that begin with `prefix`, in order. */
  keysOf(prefix: string): string[] {
    this.#sorted ??= [...this.#values.keys()].sort()
    const from = lowerBound(this.#sorted, prefix)
    let to = from
    while (this.#sorted[to]?.startsWith(prefix) === true) to++
    return this.#sorted.slice(from, to)
  }
}

/** Index of the first key that is not before `key`. */
export function lowerBound(sorted: readonly string[], key: string): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! < key) low = middle + 1
    else high = middle
  }
  return low
}
