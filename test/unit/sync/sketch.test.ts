import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Slice } from '../../../library/index.ts'
import { SketchCache } from '../../../sync/follow/sketches.ts'
import {
  buildSketch,
  decodeCounts,
  decodeDifference,
  decodeSketch,
  encodeCells,
  encodeCounts,
  estimateDifference,
  itemOf,
  KEPT_FROM_RECORDS,
  keyBytesOf,
  MAX_SKETCH_CELLS,
  Sketch,
  type SketchItem
} from '../../../sync/sketch/index.ts'
import { checkOf } from '../../../sync/sketch/item.ts'
import { CellWalk, shareOf } from '../../../sync/sketch/mapping.ts'
import { rootOf, type StoredTree } from '../../../sync/trie/index.ts'
import { sha256 } from '../../../trust/index.ts'
import { MemoryTree } from './tries.ts'

interface Vectors {
  items: Array<{ trieKey: string; recHash: string; item: SketchItem; check: number; cells: number[] }>
  sketch: { records: number; cells: string; counts: string }
}
const file = new URL('../../fixtures/vectors/sync/sketch.json', import.meta.url)
const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vectors

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const fromHex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))

interface Hashes {
  trieKey: Uint8Array
  recHash: Uint8Array
}
/** Record `index` of a set; with `version`, another one under the same key. */
const record = (index: number, version = 0): Hashes => ({
  trieKey: sha256(Buffer.from(`key ${index}`)),
  recHash: sha256(Buffer.from(version === 0 ? `record ${index}` : `record ${index} version ${version}`))
})
const records = (from: number, to: number): Hashes[] =>
  Array.from({ length: to - from }, (_, index) => record(from + index))

const named = (items: readonly SketchItem[]): string[] =>
  items.map(({ keyHigh, keyLow, hash }) => `${keyHigh} ${keyLow} ${hash}`).sort()
const itemsOf = (set: Iterable<Hashes>): string[] =>
  named([...set].map(({ trieKey, recHash }) => itemOf(trieKey, recHash)))

/** A sequence of words that a seed makes. */
function words(seed: string): () => number {
  let index = 0
  return () => Buffer.from(sha256(Buffer.from(`${seed} ${index++}`))).readInt32BE(0)
}

/** A sketch that no set has: every word as it comes, small counts. */
function madeUp(seed: string, cellCount: number): Sketch {
  const next = words(seed)
  const sketch = new Sketch(cellCount)
  for (const column of [sketch.keyHigh, sketch.keyLow, sketch.hash, sketch.check])
    for (let cell = 0; cell < cellCount; cell++) column[cell] = next()
  for (let cell = 0; cell < cellCount; cell++) sketch.count[cell] = (next() % 3) | 0
  return sketch
}

describe('frozen sketches', () => {
  it.each(vectors.items)('have the item of $trieKey in the same cells', vector => {
    const item = itemOf(fromHex(vector.trieKey), fromHex(vector.recHash))
    expect(item).toEqual(vector.item)
    expect(checkOf(item)).toBe(vector.check)
    expect(toHex(keyBytesOf(item))).toBe(vector.trieKey.slice(0, 16))
    const walk = new CellWalk(item)
    for (const cell of vector.cells) {
      expect(walk.cell).toBe(cell)
      walk.advance()
    }
  })

  it('have the bytes they always had', () => {
    const { records: count, cells, counts } = vectors.sketch
    const sketch = buildSketch(records(0, count), 40)
    expect(toHex(encodeCells(sketch, 0, 24))).toBe(cells)
    expect(toHex(encodeCounts(sketch, 0, 40))).toBe(counts)
    const decoded = decodeSketch([{ cells: fromHex(cells), counts: fromHex(counts) }], count)
    expect(decoded).toEqual(sketch.prefix(24))
    expect(decodeCounts(fromHex(counts), { records: count })).toEqual(sketch.count)
  })
})

describe('cells', () => {
  it('hold the share of all items that they should', () => {
    const items = 20_000
    const counts = new Int32Array(64)
    for (const { trieKey, recHash } of records(0, items)) {
      const walk = new CellWalk(itemOf(trieKey, recHash))
      for (; walk.cell < counts.length; walk.advance()) counts[walk.cell]!++
    }
    expect(counts[0]).toBe(items)
    for (let cell = 1; cell < counts.length; cell++) {
      const share = shareOf(cell)
      const deviation = Math.sqrt(items * share * (1 - share))
      // Five standard deviations in none of 63 cells; the records are fixed, so this is no matter of luck.
      expect(Math.abs(counts[cell]! - items * share)).toBeLessThan(5 * deviation)
    }
  })

  it('of two versions of one record are others', () => {
    const cellsOf = ({ trieKey, recHash }: Hashes): number[] => {
      const walk = new CellWalk(itemOf(trieKey, recHash))
      return Array.from({ length: 12 }, () => {
        walk.advance()
        return walk.cell
      })
    }
    for (let index = 0; index < 200; index++)
      expect(cellsOf(record(index))).not.toEqual(cellsOf(record(index, 1)))
  })

  it('are the same whatever order records came and went in', () => {
    const indices = fc.array(fc.nat({ max: 200 }), { maxLength: 100, size: 'max' })
    fc.assert(
      fc.property(indices, indices, (stay, go) => {
        const sketch = new Sketch(100)
        for (const index of go) sketch.add(record(index).trieKey, record(index, 1).recHash)
        for (const index of stay) sketch.add(record(index).trieKey, record(index).recHash)
        for (const index of go.toReversed()) sketch.remove(record(index).trieKey, record(index, 1).recHash)
        const fresh = buildSketch(
          stay.toReversed().map(index => record(index)),
          100
        )
        expect(sketch).toEqual(fresh)
      }),
      { seed: 401, numRuns: 100 }
    )
  })
})

describe('decoding', () => {
  /** Sets with `common` records, of which the others have some in other versions. */
  const differences = fc.record({
    common: fc.nat({ max: 300 }),
    mine: fc.nat({ max: 40 }),
    theirs: fc.nat({ max: 40 }),
    newer: fc.nat({ max: 20 })
  })

  it('gives the symmetric difference, whole or as much of it as the cells show, and nothing else', () => {
    fc.assert(
      fc.property(differences, fc.nat({ max: 400 }), ({ common, mine, theirs, newer }, cellCount) => {
        const both = records(0, common)
        const onlyMine = [...records(1000, 1000 + mine), ...records(3000, 3000 + newer)]
        const onlyTheirs = [
          ...records(2000, 2000 + theirs),
          ...Array.from({ length: newer }, (_, index) => record(3000 + index, 1))
        ]
        const difference = decodeDifference(
          buildSketch([...both, ...onlyMine], cellCount),
          buildSketch([...both, ...onlyTheirs], cellCount)
        )
        if (difference.isComplete && cellCount > 0) {
          expect(named(difference.mine)).toEqual(itemsOf(onlyMine))
          expect(named(difference.theirs)).toEqual(itemsOf(onlyTheirs))
        } else {
          expect(itemsOf(onlyMine)).toEqual(expect.arrayContaining(named(difference.mine)))
          expect(itemsOf(onlyTheirs)).toEqual(expect.arrayContaining(named(difference.theirs)))
        }
      }),
      { seed: 402, numRuns: 300 }
    )
  })

  it.each([
    [20, 3],
    [200, 1.9],
    [1000, 1.6],
    [10_000, 1.4]
  ])('of %i differences takes at most %f cells each', (count, ratio) => {
    const cellCount = Math.ceil(count * ratio)
    const mine = buildSketch(records(0, count / 2), cellCount)
    const theirs = buildSketch(records(count / 2, count), cellCount)
    const difference = decodeDifference(mine, theirs)
    expect(difference.isComplete).toBe(true)
    expect(difference.mine).toHaveLength(count / 2)
    expect(difference.theirs).toHaveLength(count / 2)
  })

  it('stops at two items in the very same cells, and gives all others', () => {
    const cellCount = 400
    const mine = buildSketch(records(0, 100), cellCount)
    const theirs = buildSketch(records(100, 200), cellCount)
    // What looking for a pair that shares its cells would find, whatever the search had cost.
    const walk = new CellWalk(itemOf(record(500).trieKey, record(500).recHash))
    for (; walk.cell < cellCount; walk.advance()) {
      theirs.keyHigh[walk.cell]! ^= 0x1234567
      theirs.count[walk.cell]! += 2
    }
    const difference = decodeDifference(mine, theirs)
    expect(difference.isComplete).toBe(false)
    expect(named(difference.mine)).toEqual(itemsOf(records(0, 100)))
    expect(named(difference.theirs)).toEqual(itemsOf(records(100, 200)))
  })

  it('ends for cells that no set has, with no item twice', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat({ max: 200 }), (seed, cellCount) => {
        const sketch = madeUp(seed, cellCount)
        const next = words(`items ${seed}`)
        // Single items in many cells, each in one of its own and in others that are not.
        for (let cell = 0; cell < cellCount; cell += 2) {
          const item = { keyHigh: next(), keyLow: next(), hash: next() }
          const walk = new CellWalk(item)
          while (walk.cell < cell) walk.advance()
          for (const place of [cell, Math.min(walk.cell, cellCount - 1)]) {
            sketch.keyHigh[place] = item.keyHigh
            sketch.keyLow[place] = item.keyLow
            sketch.hash[place] = item.hash
            sketch.check[place] = checkOf(item)
            sketch.count[place] = next() < 0 ? 1 : -1
          }
        }
        const { mine, theirs } = decodeDifference(sketch, new Sketch(cellCount))
        const all = named([...mine, ...theirs])
        expect(new Set(all).size).toBe(all.length)
        expect(all.length).toBeLessThanOrEqual(cellCount)
      }),
      { seed: 403, numRuns: 300 }
    )
  })

  it('does not believe in an item outside its cells', () => {
    const item = itemOf(record(7).trieKey, record(7).recHash)
    const walk = new CellWalk(item)
    walk.advance()
    const elsewhere = walk.cell === 1 ? 2 : 1
    const whole = new Sketch(30)
    whole.toggle(item, 1)
    const sketch = new Sketch(30)
    for (const column of ['keyHigh', 'keyLow', 'hash', 'check', 'count'] as const)
      sketch[column][elsewhere] = whole[column][0]!
    const nothing = { mine: [], theirs: [], isComplete: false }
    expect(decodeDifference(sketch, new Sketch(30))).toEqual(nothing)
  })

  it('does not peel the same item back and forth', () => {
    // The item stands alone in cell 0 with one sign; taken out there, it appears in its next cell with the other.
    const item = itemOf(record(7).trieKey, record(7).recHash)
    const sketch = new Sketch(30)
    sketch.toggle(item, 1)
    const walk = new CellWalk(item)
    walk.advance()
    sketch.count[walk.cell] = -1
    const { mine, theirs, isComplete } = decodeDifference(sketch, new Sketch(30))
    expect(mine.length + theirs.length).toBe(1)
    expect(isComplete).toBe(false)
  })
})

describe('an estimate', () => {
  it.each([1, 10, 100, 1000])('of %i differences is within a half, and mostly within a quarter', count => {
    let close = 0
    for (let round = 0; round < 40; round++) {
      const first = round * 10_000
      const mine = buildSketch(records(first, first + Math.floor(count / 2)), 176)
      const theirs = buildSketch(records(first + Math.floor(count / 2), first + count), 176)
      const ratio = estimateDifference(mine.count, theirs.count) / count
      expect(ratio).toBeGreaterThan(0.5)
      expect(ratio).toBeLessThan(count === 1 ? 3 : 1.5)
      if (ratio > 0.75 && ratio < 1.25) close++
    }
    expect(close).toBeGreaterThan(count === 1 ? 0 : 32)
  })

  it('is as good where all differences are on one side', () => {
    const theirs = buildSketch(records(0, 1000), 176)
    const estimate = estimateDifference(new Sketch(176).count, theirs.count)
    expect(estimate).toBeGreaterThanOrEqual(1000)
    expect(estimate).toBeLessThan(1500)
  })

  it('is never below the difference of the sizes', () => {
    const mine = buildSketch(records(0, 500), 176)
    expect(estimateDifference(mine.count, new Sketch(176).count)).toBeGreaterThanOrEqual(500)
    expect(estimateDifference(new Int32Array(0), new Int32Array(0))).toBe(1)
  })
})

describe('columns of a sketch', () => {
  const sketch = buildSketch(records(0, 300), 100)

  it('come back in as many parts as they went in', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 100 }), { maxLength: 5 }), cuts => {
        const places = [0, ...cuts.toSorted((a, b) => a - b), 100]
        const parts = places.slice(1).map((to, index) => ({
          cells: encodeCells(sketch, places[index]!, to),
          counts: encodeCounts(sketch, places[index]!, to)
        }))
        expect(decodeSketch(parts, 300)).toEqual(sketch)
      }),
      { seed: 404 }
    )
  })

  it('with what no set has are refused', () => {
    const refused = { code: 'PROTOCOL_VIOLATION' }
    const catching = (act: () => unknown): unknown => {
      try {
        return act()
      } catch (error) {
        return error
      }
    }
    const counts = encodeCounts(sketch, 0, 100)
    const cells = encodeCells(sketch, 0, 100)
    const wrong: Array<[string, () => unknown]> = [
      ['not all of the set in cell 0', () => decodeCounts(Uint8Array.of(1), { records: 300 })],
      ['half a cell', () => decodeSketch([{ cells: cells.subarray(0, 1592), counts }], 300)],
      ['a cell without a count', () => decodeSketch([{ cells, counts: counts.subarray(0, 50) }], 300)],
      ['more records than a set has', () => decodeCounts(Uint8Array.of(0), { records: 2 ** 31 })],
      ['a cut count', () => decodeCounts(Uint8Array.of(0, 0x80), { records: 300 })],
      ['a count in too many bytes', () => decodeCounts(Uint8Array.of(0, 0x80, 0), { records: 300 })],
      ['a count below zero', () => decodeCounts(Uint8Array.of(0, 0xff, 0x7f), { records: 300 })],
      ['a count above all', () => decodeCounts(Uint8Array.of(0, 0xfe, 0x7f), { records: 300 })],
      ['too many counts', () => decodeCounts(new Uint8Array(MAX_SKETCH_CELLS + 1), { records: 0 })],
      [
        'too many cells',
        () => decodeSketch([{ cells: new Uint8Array(16 * (MAX_SKETCH_CELLS + 1)), counts }], 300)
      ]
    ]
    for (const [what, act] of wrong) expect(catching(act), what).toMatchObject(refused)
  })

  it('of any bytes decode or throw PROTOCOL_VIOLATION', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 64 }),
        fc.uint8Array({ maxLength: 16 }),
        fc.nat({ max: 0x7fffffff }),
        (cells, counts, count) => {
          try {
            expect(decodeSketch([{ cells, counts }], count).cellCount).toBe(cells.byteLength / 16)
          } catch (error) {
            expect(error).toMatchObject({ code: 'PROTOCOL_VIOLATION' })
          }
        }
      ),
      { seed: 405, numRuns: 500 }
    )
  })
})

describe('the sketch of a set', () => {
  const whole: Slice = { due: () => false, pause: async () => undefined }
  const stored = (tree: MemoryTree): StoredTree => ({
    top: tree.top,
    nodes: tree.nodes,
    root: rootOf(tree.top),
    row: { generation: 0, revision: 0, top: tree.top }
  })
  const ofRecords = (all: readonly Hashes[]): MemoryTree => {
    const tree = new MemoryTree()
    tree.apply(all)
    return tree
  }

  it('is kept for a large set and follows it; that of a small one is built when it is asked for', async () => {
    const cache = new SketchCache()
    let reads = 0
    const of = async (tree: MemoryTree, cells: number): Promise<Sketch> =>
      (await cache.of('set', stored(tree), whole, () => reads++))(cells)
    const all = records(0, KEPT_FROM_RECORDS)
    const few = all.slice(0, 100)
    for (const _ of [1, 2]) expect(await of(ofRecords(few), 50)).toEqual(buildSketch(few, 50))
    expect(reads, 'each time').toBe(2)

    const tree = ofRecords(all)
    expect(await of(tree, 50)).toEqual(buildSketch(all, 50))
    reads = 0
    const newer = record(3, 1)
    const changes = [newer, record(-1), { trieKey: all[4]!.trieKey, recHash: undefined }]
    const before = stored(tree)
    const after = [...all.slice(0, 3), newer, ...all.slice(5), record(-1)]
    const committed = cache.follow('set', before, changes, rootOf(ofRecords(after).top))
    tree.apply(changes)
    committed()
    expect(await of(tree, MAX_SKETCH_CELLS)).toEqual(buildSketch(after, MAX_SKETCH_CELLS))
    expect(reads, 'it is in memory').toBe(0)
  })
})
