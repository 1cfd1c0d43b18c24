import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LruCache } from '../../../base/index.ts'

test('what was not used for longest goes first', () => {
  const cache = new LruCache<string, number>({ maxEntries: 2 })
  cache.set('a', 1)
  cache.set('b', 2)
  expect(cache.get('a')).toBe(1)
  cache.set('c', 3)
  expect([cache.has('a'), cache.has('b'), cache.has('c')]).toEqual([true, false, true])
})

test('a value that is larger than the cache is not kept and evicts nothing but its old self', () => {
  const cache = new LruCache<string, string>({ maxBytes: 5, sizeBytes: value => value.length })
  cache.set('a', 'aa')
  cache.set('b', 'bb')
  cache.set('b', 'bbbbbb')
  expect([cache.get('a'), cache.get('b'), cache.weight]).toEqual(['aa', undefined, 2])
})

type Step = [kind: 'set' | 'get' | 'delete', key: number, value: number]

/** The obvious way: a list, last used last, cut from the front. */
class Model {
  entries: [key: number, value: number][] = []
  readonly #maxBytes: number

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get weight(): number {
    return this.entries.reduce((sum, [, value]) => sum + value, 0)
  }

  apply([kind, key, value]: Step): unknown {
    const found = this.entries.find(([present]) => present === key)
    this.entries = this.entries.filter(([present]) => present !== key)
    if (kind === 'delete') return found !== undefined
    if (kind === 'get') {
      if (found !== undefined) this.entries.push(found)
      return found?.[1]
    }
    if (value <= this.#maxBytes) this.entries.push([key, value])
    while (this.weight > this.#maxBytes) this.entries.shift()
    return undefined
  }
}

test('behaves as a list of used keys that is cut at the bound', () => {
  const kind = fc.constantFrom<Step[0][]>('set', 'set', 'get', 'delete')
  const step: fc.Arbitrary<Step> = fc.tuple(kind, fc.nat(9), fc.nat(8))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), fc.nat(20), (steps, maxBytes) => {
      const cache = new LruCache<number, number>({ maxBytes, sizeBytes: size => size })
      const model = new Model(maxBytes)
      for (const [name, key, value] of steps) {
        expect(cache[name](key, value)).toBe(model.apply([name, key, value]))
        expect([cache.size, cache.weight]).toEqual([model.entries.length, model.weight])
      }
      for (const [key, value] of model.entries) expect(cache.get(key)).toBe(value)
    })
  )
})

test('shows its values without using them', () => {
  const cache = new LruCache<string, number>({ maxEntries: 2 })
  cache.set('a', 1)
  cache.set('b', 2)
  expect([...cache.values()]).toEqual([1, 2])
  cache.set('c', 3)
  expect([...cache.values()]).toEqual([2, 3])
})
