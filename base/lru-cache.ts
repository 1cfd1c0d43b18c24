import { assertWholeNumber } from './assert.ts'

/** The bound of a cache: a number of entries, or the summed size of its values. */
export type LruCacheOptions<K, V> =
  | { readonly maxEntries: number }
  | { readonly maxBytes: number; readonly sizeBytes: (value: V, key: K) => number }

interface Entry<V> {
  readonly value: V
  readonly weight: number
}

/** Keeps what was used last; what was not used for longest goes first. A value larger than the bound is not kept. */
export class LruCache<K, V> {
  /** Insertion order is order of use: a used entry is deleted and set again. */
  readonly #entries = new Map<K, Entry<V>>()
  readonly #maxWeight: number
  readonly #weigh: (value: V, key: K) => number
  #weight = 0

  constructor(options: LruCacheOptions<K, V>) {
    const byEntries = 'maxEntries' in options
    this.#maxWeight = byEntries ? options.maxEntries : options.maxBytes
    this.#weigh = byEntries ? () => 1 : options.sizeBytes
    assertWholeNumber(this.#maxWeight, 0, byEntries ? 'maxEntries' : 'maxBytes')
  }

  /** Number of entries. */
  get size(): number {
    return this.#entries.size
  }

  /** Summed size in bytes, or number of entries, whichever bounds this cache. */
  get weight(): number {
    return this.#weight
  }

  /** The value, which now counts as used last. */
  get(key: K): V | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return entry.value
  }

  /** What is kept, least recently used first; does not count as use. */
  *values(): Generator<V> {
    for (const { value } of this.#entries.values()) yield value
  }

  /** Whether the key is there; does not count as use. */
  has(key: K): boolean {
    return this.#entries.has(key)
  }

  set(key: K, value: V): void {
    this.delete(key)
    const weight = this.#weigh(value, key)
    assertWholeNumber(weight, 0, 'the size of a cached value')
    if (weight > this.#maxWeight) return
    this.#entries.set(key, { value, weight })
    this.#weight += weight
    for (const oldest of this.#entries.keys()) {
      if (this.#weight <= this.#maxWeight) return
      this.delete(oldest)
    }
  }

  delete(key: K): boolean {
    const entry = this.#entries.get(key)
    if (entry === undefined) return false
    this.#weight -= entry.weight
    return this.#entries.delete(key)
  }

  clear(): void {
    this.#entries.clear()
    this.#weight = 0
  }
}
