import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { itemOf, type Sketch } from '../../../sync/index.ts'
import { checkOf } from '../../../sync/sketch/item.ts'
import { converge, makeRecord, numbered, Side, type StoredRecord } from './sides.ts'
import { hashOf } from './tries.ts'

/** The set that both sides must have in the end: of each key the record that wins. */
function unionOf(...sides: Side[]): Side {
  const union = new Side('union')
  for (const side of sides) union.take([...side.records.values()])
  return union
}

/** What looking for two records with the same cells would find, whatever it had cost: both stand in the cells of the first. */
function addBeside(sketch: Sketch, first: StoredRecord, second: StoredRecord): void {
  const [home, guest] = [first, second].map(({ trieKey, recHash }) => itemOf(trieKey, recHash))
  sketch.toggle(home!, 1, cell => {
    sketch.keyHigh[cell]! ^= guest!.keyHigh
    sketch.keyLow[cell]! ^= guest!.keyLow
    sketch.hash[cell]! ^= guest!.hash
    sketch.check[cell]! ^= checkOf(guest!)
    sketch.count[cell]!++
  })
}

/** Round trips: a message each way is one. */
const roundTrips = (turns: number | undefined): number => (turns ?? Number.NaN) / 2

describe('two sets', () => {
  /** A key among others: spread as hashes are, or in a crowd that shares its first digits. */
  const key = fc.oneof(
    { weight: 3, arbitrary: fc.nat({ max: 3000 }).map(number => hashOf(`key ${number}`)) },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.constantFrom(1, 5, 20, 31), fc.nat({ max: 255 })).map(([at, byte]) => {
        const crowded = new Uint8Array(32).fill(7)
        crowded[at] = byte
        return crowded
      })
    }
  )
  const record = fc
    .tuple(key, fc.nat({ max: 2 }), fc.constantFrom('', 'x', 'y'))
    .map(([trieKey, sequence, salt]) => makeRecord(trieKey, sequence, salt))
  const set = (maxLength: number): fc.Arbitrary<StoredRecord[]> =>
    fc.array(record, { maxLength, size: 'max' })

  it('become one, whatever is in them, and say no more than they may', async () => {
    await fc.assert(
      fc.asyncProperty(set(800), set(300), set(300), async (both, mine, theirs) => {
        const a = new Side('a', [...both, ...mine])
        const b = new Side('b', [...both, ...theirs])
        const wanted = unionOf(a, b)
        const course = await converge(a, b)
        expect(course.error).toBeUndefined()
        expect(a.root).toBe(wanted.root)
        expect(b.root).toBe(wanted.root)
        expect(course.turns.length).toBeLessThanOrEqual(16)
        expect(course.bytes).toBeLessThanOrEqual(64 * 1024 + 5 * (a.records.size + b.records.size))
      }),
      { seed: 421, numRuns: 60 }
    )
  })

  it('send each other what the other lacks, and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 60 }), fc.nat({ max: 60 }), async (mine, theirs) => {
        const both = Array.from({ length: 2000 }, (_, index) => numbered(index))
        const a = new Side('a', [...both, ...Array.from({ length: mine }, (_, i) => numbered(5000 + i))])
        const b = new Side('b', [...both, ...Array.from({ length: theirs }, (_, i) => numbered(6000 + i))])
        const course = await converge(a, b)
        expect(a.root).toBe(b.root)
        expect(course.records).toBe(mine + theirs)
      }),
      { seed: 422, numRuns: 20 }
    )
  })

  it('of which one is empty, or both are', async () => {
    const records = Array.from({ length: 5000 }, (_, index) => numbered(index))
    const pairs = [
      [records, []],
      [[], records],
      [[], [numbered(1)]],
      [[], []]
    ] as const
    for (const [mine, theirs] of pairs) {
      const [a, b] = [new Side('a', mine), new Side('b', theirs)]
      const course = await converge(a, b)
      expect(course.error).toBeUndefined()
      expect(a.root).toBe(b.root)
      expect(course.records).toBe(Math.abs(mine.length - theirs.length))
    }
  })

  it('with many records under one long prefix: a branch of its own, and no more turns', async () => {
    const crowd = (from: number, to: number): StoredRecord[] =>
      Array.from({ length: to - from }, (_, index) => {
        const trieKey = hashOf('crowd')
        trieKey[30] = (from + index) >> 8
        trieKey[31] = (from + index) & 255
        return makeRecord(trieKey)
      })
    const both = Array.from({ length: 3000 }, (_, index) => numbered(index))
    const a = new Side('a', [...both, ...crowd(0, 1200)])
    const b = new Side('b', [...both, ...crowd(400, 1600)])
    const course = await converge(a, b)
    expect(course.error).toBeUndefined()
    expect(a.root).toBe(b.root)
    expect(a.records.size).toBe(4600)
  })
})

describe('two sets of 100,000 records', () => {
  let a: Side
  let b: Side
  let fresh = 1_000_000

  beforeAll(() => {
    const records = Array.from({ length: 100_000 }, (_, index) => numbered(index))
    a = new Side('a', records)
    b = a.copy('b')
  })

  /** Lets the sets differ by `count` records: 45 in 100 are only here, 45 only there, 10 are newer here. Returns all of them. */
  function diverge(
    count: number,
    keyOf = (number: number): Uint8Array => hashOf(`key ${number}`)
  ): StoredRecord[] {
    const mine: StoredRecord[] = []
    const theirs: StoredRecord[] = []
    for (let index = 0; index < count; index++) {
      const part = index % 20
      const number = fresh++
      if (part < 9) mine.push(makeRecord(keyOf(number)))
      else if (part < 18) theirs.push(makeRecord(keyOf(number)))
      else mine.push(numbered((number * 977) % 100_000, number))
    }
    a.take(mine)
    b.take(theirs)
    return [...mine, ...theirs]
  }

  function expectEqual(records: readonly StoredRecord[]): void {
    expect(a.root).toBe(b.root)
    expect(records.filter(record => !a.holds(record))).toEqual([])
  }

  it.each([
    [0, 1400, 0.5],
    [1, 1400, 1.5],
    [10, 1400, 1.5],
    [20, 1400, 1.5],
    [100, 60 * 100, 2],
    [1000, 48 * 1000, 2],
    [10_000, 48 * 10_000, 2]
  ])('that differ by %i: %i bytes and %f round trips at most', async (count, bytes, trips) => {
    const records = diverge(count)
    const course = await converge(a, b)
    expect(course.error).toBeUndefined()
    expectEqual(records)
    expect(course.bytes).toBeLessThanOrEqual(bytes)
    expect(roundTrips(course.equalAfter)).toBeLessThanOrEqual(trips)
  })

  it('that differ in one corner of the trie', async () => {
    const records = diverge(1000, number => {
      const trieKey = hashOf(`corner ${number}`)
      trieKey.set([0xab, 0xcd])
      return trieKey
    })
    const course = await converge(a, b)
    expectEqual(records)
    expect(course.bytes).toBeLessThanOrEqual(48 * 1000)
    expect(roundTrips(course.equalAfter)).toBeLessThanOrEqual(2)
  })

  it('that differ by a third: lists of everything, in order', async () => {
    const records = diverge(40_000)
    const course = await converge(a, b)
    expect(course.error).toBeUndefined()
    expectEqual(records)
    expect(course.bytes).toBeLessThanOrEqual(5 * (a.records.size + b.records.size))
    expect(course.turns.slice(0, 3)).toEqual(['hello', 'descend', 'records+descend'])
  })

  it('of which one is new: a stream that is cut off goes on where it was, and sends no record twice', async () => {
    const fresh = new Side('fresh')
    const first = await converge(fresh, a, { cutAfter: 5 })
    expect(fresh.records.size).toBe(first.records)
    expect(fresh.records.size).toBeGreaterThan(0)
    expect(fresh.records.size).toBeLessThan(a.records.size)
    const second = await converge(fresh, a)
    expect(second.error).toBeUndefined()
    expect(fresh.root).toBe(a.root)
    expect(first.records + second.records).toBe(a.records.size)
  })
})

describe('sketches that do not show everything', () => {
  const both = Array.from({ length: 8000 }, (_, index) => numbered(index))

  it('are one in ten at most, and the descent that follows finds the rest', async () => {
    const a = new Side('a', both)
    const b = new Side('b', both)
    let bytes = 0
    let late = 0
    const rounds = 20
    for (let round = 1; round <= rounds; round++) {
      a.take(Array.from({ length: 250 }, (_, index) => numbered(100_000 * round + index)))
      b.take(Array.from({ length: 250 }, (_, index) => numbered(100_000 * round + 50_000 + index)))
      const course = await converge(a, b)
      expect(course.error).toBeUndefined()
      expect(a.root).toBe(b.root)
      bytes += course.bytes / 500
      expect(roundTrips(course.equalAfter)).toBeLessThanOrEqual(5)
      if (roundTrips(course.equalAfter) > 2) late++
    }
    expect(late).toBeLessThanOrEqual(rounds / 10)
    expect(bytes / rounds).toBeLessThanOrEqual(48)
  })

  it('because two records share their cells: the others come out, and a descent brings the two', async () => {
    const a = new Side('a', both)
    const b = new Side('b', [...both, ...Array.from({ length: 400 }, (_, index) => numbered(50_000 + index))])
    const [first, second] = [numbered(50_000), numbered(50_001)]
    b.changeSketch = sketch => {
      sketch.remove(first.trieKey, first.recHash)
      sketch.remove(second.trieKey, second.recHash)
      addBeside(sketch, first, second)
    }
    const course = await converge(a, b)
    expect(course.error).toBeUndefined()
    expect(a.root).toBe(b.root)
    expect(course.turns.slice(0, 4)).toEqual(['hello', 'sketch', 'want', 'records+descend'])
    expect(roundTrips(course.equalAfter)).toBeLessThanOrEqual(6)
    expect(course.records).toBe(400)
  })
})
