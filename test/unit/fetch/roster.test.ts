import { describe, expect, it } from 'vitest'
import { SECOND_MS } from '../../../base/index.ts'
import { type Holding, WHOLE } from '../../../protocols/content/swarm/asked.ts'
import { SwarmPlanner } from '../../../protocols/content/swarm/planner.ts'
import { type LaneTo, MAX_LANES, Roster } from '../../../protocols/content/swarm/roster.ts'
import { SourceBook } from '../../../protocols/content/swarm/source-book.ts'
import { SourceRate } from '../../../protocols/content/swarm/source-rate.ts'
import { type SimWant, wantsOf } from './swarm-simulator.ts'

const UNITS = 4

class Fetch {
  readonly book = new SourceBook()
  readonly planner = new SwarmPlanner<SimWant>({
    unitOf: want => want.unit,
    unitCount: UNITS,
    maxRequests: 8
  })
  readonly roster = new Roster<string>({ book: this.book, planner: this.planner })
  #nowMs = 0

  /** A lane over which so much a second was measured, and of which two requests are asked. */
  join(key: string, goodput: number, holding: Holding = WHOLE): void {
    const rate = new SourceRate()
    rate.answered(goodput, SECOND_MS)
    this.planner.join(key, rate, holding)
    this.planner.offer(wantsOf(64))
    this.planner.next(key, this.#nowMs)
    this.planner.next(key, this.#nowMs)
  }

  /** Who is let go within so many seconds. */
  look(seconds: number, lanes: readonly LaneTo<string>[]): string | undefined {
    for (let tick = 0; tick < seconds * 10; tick++) {
      this.#nowMs += SECOND_MS / 10
      const farewell = this.roster.look(lanes, this.#nowMs)
      if (farewell !== undefined) return farewell.key
    }
    return undefined
  }
}

const laneTo = (key: string): LaneTo<string> => ({ key, peerId: key.split('/')[0]! })

describe('a roster', () => {
  it('gives so many lanes, and knows each source once and so many at most', () => {
    const { roster } = new Fetch()
    for (let i = 0; i < 100; i++) roster.add(`p${i % 70}`)
    const given: string[] = []
    for (let peer = roster.next(0); peer !== undefined; peer = roster.next(given.length)) given.push(peer)
    expect(given).toEqual(Array.from({ length: MAX_LANES }, (_, i) => `p${i}`))
    expect(roster.hasWaiting).toBe(true)
    let rest = 0
    while (roster.next(0) !== undefined) rest++
    expect(given.length + rest).toBe(64)
  })

  it('judges a source by all of its connections together', () => {
    const keys = ['fast', 'other', 'other/1']
    const apart = new Fetch()
    for (const key of keys) apart.join(key, key === 'fast' ? 80_000_000 : 2_600_000)
    expect(apart.look(10, keys.map(laneTo))).toBeUndefined()
    const alone = new Fetch()
    for (const key of keys.slice(0, 2)) alone.join(key, key === 'fast' ? 80_000_000 : 2_600_000)
    expect(alone.look(10, keys.slice(0, 2).map(laneTo))).toBe('other')
  })

  it('lets one go after the other, and takes back the fastest when another fails', () => {
    const fetch = new Fetch()
    const { roster, planner } = fetch
    const lanes = ['fast', 'slow', 'slower'].map(laneTo)
    fetch.join('fast', 8_000_000)
    fetch.join('slow', 20_000)
    fetch.join('slower', 10_000)
    expect(fetch.look(3, lanes)).toBe('slower')
    expect(roster.isLetGo('slower')).toBe(true)
    expect(fetch.look(10, lanes)).toBeUndefined()
    planner.leave('slower')
    roster.ended('slower')
    expect(fetch.look(1, lanes.slice(0, 2))).toBe('slow')
    planner.leave('slow')
    roster.ended('slow')
    expect(roster.hasWaiting).toBe(false)
    expect(fetch.look(10, lanes.slice(0, 1))).toBeUndefined()
    planner.leave('fast')
    roster.ended('fast')
    expect(roster.next(0)).toBe('slow')
    expect(roster.next(1)).toBeUndefined()
    expect([roster.isLetGo('slow'), roster.isLetGo('slower')]).toEqual([false, true])
  })

  it('gives the lane of the slowest to one that waits, and takes it back when that one is slow', () => {
    const fetch = new Fetch()
    const { roster, planner, book } = fetch
    const names = Array.from({ length: MAX_LANES }, (_, i) => `p${i}`)
    for (const [i, name] of names.entries()) {
      fetch.join(name, 1_000_000 + i)
      book.of(name).answered(1_000_000, SECOND_MS)
    }
    book.of('known').answered(1_500_000, SECOND_MS)
    for (const name of ['known', 'new']) roster.add(name)
    expect(fetch.look(6, names.map(laneTo))).toBe('p0')
    planner.leave('p0')
    roster.ended('p0')
    expect(roster.next(MAX_LANES - 1)).toBe('new')
    fetch.join('new', 10_000)
    expect(fetch.look(3, [...names.slice(1), 'new'].map(laneTo))).toBe('new')
    planner.leave('new')
    roster.ended('new')
    expect([roster.next(MAX_LANES - 1), roster.next(MAX_LANES - 1)]).toEqual(['known', 'p0'])
  })
})

describe('a source is needed', () => {
  const holding = (...units: number[]): Holding => ({ isWhole: false, has: unit => units.includes(unit) })
  it.each<[what: string, here: Record<string, Holding>, expected: string[]]>([
    ['when it alone has everything', { a: WHOLE, b: holding(-1, 0, 1, 2, 3) }, ['a']],
    ['not when another has everything', { a: WHOLE, b: WHOLE, c: holding(-1, 0) }, []],
    ['when it alone has a part', { a: holding(-1, 0, 1), b: holding(-1, 1, 2), c: holding(-1, 2) }, ['a']],
    ['when it alone has the manifest', { a: holding(-1, 0), b: holding(0) }, ['a']],
    ['not when it has nothing', { a: holding(), b: holding(3) }, ['b']]
  ])('%s', (_, here, expected) => {
    const { planner } = new Fetch()
    for (const [key, holding] of Object.entries(here)) planner.join(key, new SourceRate(), holding)
    const isNeeded = (key: string): boolean => planner.areNeeded(new Set([key]))
    expect(Object.keys(here).filter(isNeeded)).toEqual(expected)
  })

  it('when another turned out to lack what it said it had', () => {
    const { planner } = new Fetch()
    for (const key of ['a', 'b']) planner.join(key, new SourceRate(), holding(-1, 0))
    planner.offer(wantsOf(1))
    expect(planner.areNeeded(new Set(['a']))).toBe(false)
    planner.lacked('b', planner.next('b', 0)!, 0)
    expect(planner.areNeeded(new Set(['a']))).toBe(true)
  })
})
