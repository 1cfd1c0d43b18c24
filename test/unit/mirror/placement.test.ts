/** Who stands where: by weight, spread over regions, moved as little as can be, and the same however it is counted. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Member } from '../../../mirror/index.ts'
import { contentWords } from '../../../mirror/placement/cost.ts'
import { Entry } from '../../../mirror/placement/entry.ts'
import { NO_RANK, type OwnRank, rankOwn } from '../../../mirror/placement/own-rank.ts'
import { Pool } from '../../../mirror/placement/pool.ts'
import { placed, placeOf, Roster } from '../../../mirror/placement/roster.ts'
import { HALVES, spreadOut, THIRDS } from '../../../mirror/placement/spread.ts'
import { candidateOf, contentOf, memberOf, membersOf, POLICY, PRESENT } from './support.ts'

const rosterOf = (members: Iterable<Member>): Roster => {
  const roster = new Roster()
  for (const member of members) roster.set(member)
  return roster
}
const contents = (count: number) =>
  Array.from({ length: count }, (_, at) => contentWords(contentOf(`c${at}`)))
const chosen = (roster: Roster, content: ReturnType<typeof contentWords>, spread = HALVES, copies = 3) =>
  spreadOut(roster.first(content, 2 * 6), copies, spread).map(({ peer }) => peer)

describe('the share of a member', () => {
  test('doubles with each class', () => {
    const members = membersOf(60).map((member, at) => ({ ...member, capacityClass: at % 3 }))
    const roster = rosterOf(members)
    const firsts = [0, 0, 0]
    for (const content of contents(6000)) {
      const [first] = roster.first(content, 1)
      firsts[first!.capacityClass]!++
    }
    // 1/7, 2/7 and 4/7 of 6,000; five standard deviations.
    expect(Math.abs(firsts[0]! - 857)).toBeLessThan(140)
    expect(Math.abs(firsts[1]! - 1714)).toBeLessThan(180)
    expect(Math.abs(firsts[2]! - 3429)).toBeLessThan(195)
  })

  test.each([
    ['halves', HALVES],
    ['thirds', THIRDS]
  ])('is at most twice its weight, however unequal regions are (%s)', (_name, spread) => {
    const regions = (at: number): string => (at < 4 ? 'small' : at < 10 ? 'middle' : 'large')
    const members = membersOf(60).map((member, at) => ({ ...member, region: regions(at) }))
    const roster = rosterOf(members)
    const held = new Map<string, number>()
    const all = contents(3000)
    for (const content of all)
      for (const peer of chosen(roster, content, spread)) held.set(peer, (held.get(peer) ?? 0) + 1)
    const even = (3 * all.length) / members.length
    // Beyond the twofold, five standard deviations.
    for (const count of held.values()) expect(count).toBeLessThan(2 * even + 5 * Math.sqrt(2 * even))
  })
})

describe('spread', () => {
  const inRegion = (region: string) => ({ region })
  test.each([2, 3, 6])(
    'has a region more often than every second time in few of the first %i only',
    copies => {
      const roster = rosterOf(membersOf(30))
      const crowded = contents(600).filter(content => {
        const regions = chosen(roster, content, HALVES, copies).map(peer => roster.get(peer)!.region)
        return regions.some(one => regions.filter(other => other === one).length > Math.ceil(copies / 2))
      })
      // Where the first members are all of one region; without caps it is a third of all, or more.
      expect(crowded.length / 600).toBeLessThan(0.08)
    }
  )

  test('looks no further than twice as far as it has come', () => {
    const order = ['a', 'a', 'a', 'a', 'a', 'a', 'b'].map(inRegion)
    expect(spreadOut(order, 3, HALVES).map(({ region }) => region)).toEqual(['a', 'a', 'a'])
    const nearer = ['a', 'a', 'a', 'b', 'a'].map(inRegion)
    expect(spreadOut(nearer, 3, HALVES).map(({ region }) => region)).toEqual(['a', 'b', 'a'])
  })

  test('tells areas apart from places', () => {
    const order = ['eu/a', 'eu/b', 'eu/c', 'eu/d', 'us/a', 'eu/e'].map(inRegion)
    expect(spreadOut(order, 3, THIRDS).map(({ region }) => region)).toEqual(['eu/a', 'eu/b', 'us/a'])
  })

  test('begins the same however many copies are wanted', () => {
    const roster = rosterOf(membersOf(40))
    for (const content of contents(100))
      expect(chosen(roster, content, THIRDS, 6).slice(0, 3)).toEqual(chosen(roster, content, THIRDS, 3))
  })
})

test('when a member goes, only what it was chosen for moves, as far as costs go', () => {
  const members = membersOf(50)
  const [before, after] = [rosterOf(members), rosterOf(members.slice(1))]
  for (const content of contents(500)) {
    const were = before.first(content, 3).map(({ peer }) => peer)
    const are = after.first(content, 3).map(({ peer }) => peer)
    expect(are.slice(0, were.length - 1)).toEqual(were.filter(peer => peer !== 'm0').slice(0, 2))
  }
})

describe('the own rank', () => {
  const self = memberOf(0)
  const options = { spread: HALVES, max: POLICY.max }
  const rank = (roster: Roster, content: ReturnType<typeof contentWords>): OwnRank =>
    rankOwn(
      roster,
      { peer: self.peer, place: placeOf(placed(self), content), isMember: true },
      content,
      options
    )

  test('is the place in the spread order, and one node is at each place', () => {
    const roster = rosterOf(membersOf(30))
    for (const content of contents(200)) {
      const order = spreadOut(roster.first(content, 12), 6, HALVES).map(({ peer }) => peer)
      const own = rank(roster, content).rank
      if (order.includes('m0')) expect(own).toBe(order.indexOf('m0'))
      else expect(own).toBeGreaterThanOrEqual(6)
    }
  })

  test('is none behind forty', () => {
    const roster = rosterOf(membersOf(400))
    const ranks = contents(400).map(content => rank(roster, content).rank)
    const candidates = ranks.filter(own => own !== NO_RANK)
    expect(candidates.length).toBeGreaterThan(10)
    expect(candidates.length).toBeLessThan(80)
    expect(Math.max(...candidates)).toBeLessThan(40)
  })

  test('kept up as members come, go and change is what it is made anew', () => {
    const all = membersOf(120)
    const entries = Array.from({ length: 25 }, (_, at) => candidateOf(`c${at}`))
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.tuple(fc.nat(119), fc.nat(4)), { minLength: 1, maxLength: 5 }), {
          maxLength: 8
        }),
        rounds => {
          const pool = new Pool(self)
          const present = new Map(all.slice(0, 100).map(member => [member.peer, member]))
          pool.setMembers([...present.values()])
          const kept = entries.map(
            candidate =>
              new Entry(
                candidate,
                words => pool.rank(words, POLICY),
                () => PRESENT
              )
          )
          for (const round of rounds) {
            for (const change of round) apply(present, change)
            update(pool, [...present.values()], kept)
            for (const entry of kept) expect(entry.own.rank).toBe(pool.rank(entry.words, POLICY).rank)
          }
        }
      ),
      { numRuns: 40 }
    )
  })
})

function apply(present: Map<string, Member>, [number, what]: [number, number]): void {
  const peer = `m${number}`
  if (number === 0) return
  if (what === 0) present.delete(peer)
  else present.set(peer, memberOf(number, { capacityClass: what, region: `r${what % 2}` }))
}

function update(pool: Pool, members: Member[], entries: Entry[]): void {
  const { touched, isAnew } = pool.setMembers(members)
  for (const entry of entries)
    if (isAnew || pool.isMoved(entry, touched)) entry.own = pool.rank(entry.words, POLICY)
}
