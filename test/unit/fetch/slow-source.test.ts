import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KIB, MIB, SECOND_MS } from '../../../base/index.ts'
import {
  type Farewell,
  type Situation,
  SlowSources,
  type Standing,
  type Waiting
} from '../../../protocols/content/swarm/slow-source.ts'

const MB = 1_000_000
const LOOK_EVERY_MS = 100

/** A source that holds as much as it sends in half a second, but two small requests at least, as the planner has it. */
const source = (key: string, goodput: number | undefined, more: Partial<Standing> = {}): Standing => ({
  key,
  goodput,
  heldBytes: Math.max(128 * KIB, (goodput ?? 0) / 2),
  roundTripMs: 20,
  ...more
})

interface Change {
  readonly sources: readonly Standing[]
  readonly waiting?: readonly Waiting[]
  readonly needed?: readonly string[]
}

/** Lives through so many seconds; who was let go stays away. */
class Fetch {
  readonly gone: Farewell[] = []
  readonly #slow = new SlowSources()
  #nowMs = 0

  live(seconds: number, { sources, waiting = [], needed = [] }: Change): this {
    for (let tick = 0; tick < (seconds * SECOND_MS) / LOOK_EVERY_MS; tick++) {
      this.#nowMs += LOOK_EVERY_MS
      const farewell = this.#slow.look({
        nowMs: this.#nowMs,
        sources: sources.filter(({ key }) => !this.keys.includes(key)),
        isNeeded: key => needed.includes(key),
        waiting
      })
      if (farewell !== undefined) this.gone.push(farewell)
    }
    return this
  }

  get keys(): string[] {
    return this.gone.map(({ key }) => key)
  }
}

const gone = (seconds: number, change: Change): string[] => new Fetch().live(seconds, change).keys

describe('a slow source', () => {
  const fast = [source('a', 3 * MB), source('b', 3 * MB)]

  it.each<[what: string, sources: Standing[], expected: string[]]>([
    ['is let go', [...fast, source('c', 10_000)], ['c']],
    ['stays when it sends a good part of what the others send', [...fast, source('c', 0.4 * MB)], []],
    [
      'stays when it holds no more than it sends',
      [...fast, source('c', 0.1 * MB, { heldBytes: 50_000 })],
      []
    ],
    [
      'is let go where it sends well and is beside much faster ones',
      [source('a', 90 * MB, { heldBytes: 8 * MIB }), source('c', MB)],
      ['c']
    ],
    ['stays when it is the last', [source('c', 10_000)], []],
    ['stays when nothing is known of the others', [source('c', 10_000), source('a', undefined)], []],
    ['stays when nothing is known of it', [...fast, source('c', undefined, { heldBytes: MB })], []],
    ['stays among others as slow', ['c', 'd', 'e'].map(key => source(key, 10_000)), []],
    [
      'is let go with its like, the slowest first',
      [source('a', 3 * MB), ...[30_000, 10_000, 20_000].map((rate, i) => source(`c${i}`, rate))],
      ['c1', 'c2', 'c0']
    ]
  ])('%s', (_, sources, expected) => {
    expect(gone(30, { sources })).toEqual(expected)
  })

  it('stays when it may have what no other has', () => {
    const sources = [...fast, source('c', 10_000), source('d', 20_000)]
    expect(gone(30, { sources, needed: ['c'] })).toEqual(['d'])
  })

  it('has time to show what it can, more of it on a long path, and all of it again after each break', () => {
    const sources = [...fast, source('c', 10_000)]
    expect(gone(1.9, { sources })).toEqual([])
    expect(gone(2.2, { sources })).toEqual(['c'])
    const far = [...fast, source('c', 10_000, { roundTripMs: 300 })]
    expect(gone(5.9, { sources: far })).toEqual([])
    expect(gone(6.2, { sources: far })).toEqual(['c'])
    const fetch = new Fetch()
    for (let i = 0; i < 10; i++)
      fetch.live(1.8, { sources }).live(0.1, { sources: [...fast, source('c', MB)] })
    expect(fetch.keys).toEqual([])
  })

  it('is not slow no more because of one answer that was a little better', () => {
    const fetch = new Fetch()
    const little = [...fast, source('c', 220_000, { heldBytes: MB })]
    for (let i = 0; i < 2; i++)
      fetch.live(1, { sources: [...fast, source('c', 10_000)] }).live(0.1, { sources: little })
    expect(fetch.keys).toEqual(['c'])
  })

  it('goes at most sixteen times in a fetch', () => {
    const many = Array.from({ length: 40 }, (_, i) => source(`c${i}`, 10_000))
    expect(gone(30, { sources: [source('a', 30 * MB), ...many] })).toHaveLength(16)
  })
})

describe('a source that others wait for', () => {
  const equal = ['a', 'b', 'c'].map((key, i) => source(key, (i + 1) * MB))
  const unknown = (key: string): Waiting => ({ key, goodput: undefined })

  it('makes room when it is the slowest, for one that nobody has measured, one every five seconds', () => {
    const fetch = new Fetch().live(4.9, { sources: equal, waiting: [unknown('x')] })
    expect(fetch.gone).toEqual([])
    fetch.live(0.2, { sources: equal, waiting: [unknown('x')] })
    expect(fetch.gone).toEqual([{ key: 'a', why: 'makes room', goodput: MB, successor: 'x' }])
    expect(fetch.live(4.7, { sources: equal, waiting: [unknown('y')] }).keys).toEqual(['a'])
    expect(fetch.live(0.3, { sources: equal, waiting: [unknown('y')] }).keys).toEqual(['a', 'b'])
  })

  it('does so although all are equally slow', () => {
    const slow = ['a', 'b', 'c'].map(key => source(key, 10_000))
    expect(gone(6, { sources: slow, waiting: [unknown('x')] })).toHaveLength(1)
  })

  it('makes no room for one that was measured not to be much faster', () => {
    const waiting = [{ key: 'x', goodput: 1.9 * MB }]
    expect(gone(20, { sources: equal, waiting })).toEqual([])
    const [farewell] = new Fetch().live(6, {
      sources: equal,
      waiting: [...waiting, { key: 'y', goodput: 3 * MB }]
    }).gone
    expect(farewell).toMatchObject({ key: 'a', successor: 'y' })
  })

  it('makes no room when it is the last, may have what no other has, has just come, or is far away', () => {
    const waiting = [unknown('x')]
    expect(gone(20, { sources: equal.slice(0, 1), waiting })).toEqual([])
    expect(gone(6, { sources: equal, waiting, needed: ['a'] })).toEqual(['b'])
    const fetch = new Fetch().live(4, { sources: equal.slice(1), waiting })
    expect(fetch.live(2, { sources: equal, waiting }).keys).toEqual(['b'])
    const far = equal.map(standing => ({ ...standing, roundTripMs: 400 }))
    expect(gone(7, { sources: far, waiting })).toEqual([])
  })

  it('goes at most sixteen times in a fetch', () => {
    const sources = Array.from({ length: 40 }, (_, i) => source(`c${i}`, MB))
    expect(gone(200, { sources, waiting: [unknown('x')] })).toHaveLength(16)
  })
})

describe('letting go, whatever the sources do', () => {
  const standing = fc.record({
    key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    goodput: fc.option(fc.integer({ min: 1, max: 2 ** 27 }), { nil: undefined }),
    heldBytes: fc.integer({ min: 0, max: 2 ** 23 }),
    roundTripMs: fc.integer({ min: 0, max: 400 })
  })
  const step = fc.record({
    afterMs: fc.integer({ min: 1, max: 4000 }),
    sources: fc.uniqueArray(standing, { selector: ({ key }) => key, maxLength: 5 }),
    needed: fc.subarray(['a', 'b', 'c', 'd', 'e']),
    waiting: fc.array(
      fc.record({ key: fc.constantFrom('x', 'y'), goodput: standing.map(({ goodput }) => goodput) }),
      {
        maxLength: 2
      }
    )
  })
  type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

  /** What is said at each step, with everything that has bytes in it multiplied. */
  const told = (steps: readonly Step[], times: number): Array<Farewell | undefined> => {
    const slow = new SlowSources()
    const scaled = <T extends { goodput: number | undefined }>(of: T): T => ({
      ...of,
      goodput: of.goodput && of.goodput * times
    })
    let nowMs = 0
    return steps.map(({ afterMs, sources, needed, waiting }) => {
      nowMs += afterMs
      return slow.look({
        nowMs,
        sources: sources.map(one => ({ ...scaled(one), heldBytes: one.heldBytes * times })),
        isNeeded: key => (needed as string[]).includes(key),
        waiting: waiting.map(scaled)
      } satisfies Situation)
    })
  }

  it('never lets the last one go, nor one that is needed, nor a fast one as slow', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), steps => {
        for (const [i, farewell] of told(steps, 1).entries()) {
          if (farewell === undefined) continue
          const { sources, needed, waiting } = steps[i]!
          const gone = sources.find(({ key }) => key === farewell.key)!
          expect(sources.length).toBeGreaterThan(1)
          expect(needed as string[]).not.toContain(farewell.key)
          if (farewell.why === 'makes room')
            expect(waiting.map(({ key }) => key)).toContain(farewell.successor)
          else expect(gone.goodput!).toBeLessThan(farewell.othersGoodput / 8)
        }
      })
    )
  })

  it('knows no absolute rate: the same sources a thousand times as fast are judged alike', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const keys = (times: number): Array<string | undefined> =>
          told(steps, times).map(farewell => farewell?.key)
        expect(keys(1024)).toEqual(keys(1))
      })
    )
  })
})
