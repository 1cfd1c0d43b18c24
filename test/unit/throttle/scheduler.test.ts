import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PRIORITIES, type Priority } from '../../../protocols/throttle/priority.ts'
import { Scheduler, type Turn } from '../../../protocols/throttle/scheduler.ts'

const KIB = 1024
const SLICE = 64 * KIB

/** A peer that always has something waiting: `streams` pieces at once, each followed by the next as soon as it is given. */
interface Demand {
  peerId: string
  priority: Priority
  streams: number
  bytes: number
}

/** What each demand got when `totalBytes` were given out, and how long (in bytes of all) its longest wait was. */
function simulate(
  demands: readonly Demand[],
  totalBytes: number,
  options: ConstructorParameters<typeof Scheduler>[0] = {}
): { got: number[]; longestWait: number[] } {
  type Piece = Turn & { demand: number }
  const scheduler = new Scheduler<Piece>(options)
  const ask = (demand: number): void => {
    const { peerId, priority, bytes } = demands[demand]!
    scheduler.add({ peerId, priority, bytes, demand })
  }
  for (const [i, { streams }] of demands.entries()) for (let s = 0; s < streams; s++) ask(i)
  const got = demands.map(() => 0)
  const lastAt = demands.map(() => 0)
  const longestWait = demands.map(() => 0)
  for (let given = 0; given < totalBytes; ) {
    const { demand, bytes } = scheduler.next(() => true)!
    given += bytes
    got[demand]! += bytes
    longestWait[demand] = Math.max(longestWait[demand]!, given - lastAt[demand]!)
    lastAt[demand] = given
    ask(demand)
  }
  for (const [i, at] of lastAt.entries()) longestWait[i] = Math.max(longestWait[i]!, totalBytes - at)
  return { got, longestWait }
}

/** Jain's index of fairness: 1 when all are equal, 1/n when one has everything. */
const jain = (values: readonly number[]): number => {
  const sum = values.reduce((a, b) => a + b, 0)
  return sum ** 2 / (values.length * values.reduce((a, b) => a + b ** 2, 0))
}

const demandsOf = (priority: fc.Arbitrary<Priority>): fc.Arbitrary<Demand[]> =>
  fc
    .array(
      fc.record({
        priority,
        streams: fc.integer({ min: 1, max: 8 }),
        bytes: fc.integer({ min: 1 * KIB, max: SLICE })
      }),
      { minLength: 1, maxLength: 24 }
    )
    .map(demands => demands.map((demand, i) => ({ ...demand, peerId: `peer ${i}` })))

describe('the scheduler', () => {
  it('is fair between equal peers of a class, however many streams and however large pieces they have', () => {
    fc.assert(
      fc.property(demandsOf(fc.constant('normal')), demands => {
        const { got } = simulate(demands, 200 * demands.length * SLICE)
        expect(jain(got)).toBeGreaterThanOrEqual(0.98)
        // Far closer than the index: no two differ by more than what is in one lap.
        expect(Math.max(...got) - Math.min(...got)).toBeLessThanOrEqual(3 * SLICE)
      }),
      { numRuns: 100 }
    )
  })

  it('starves nobody in any mix: each class gets its reserve, and each peer of it its share, within a bounded wait', () => {
    fc.assert(
      fc.property(demandsOf(fc.constantFrom(...PRIORITIES)), demands => {
        const totalBytes = 4000 * SLICE
        const { got, longestWait } = simulate(demands, totalBytes)
        const top = PRIORITIES.find(priority => demands.some(demand => demand.priority === priority))
        for (const priority of PRIORITIES) {
          const mine = demands.flatMap((demand, i) => (demand.priority === priority ? [i] : []))
          if (mine.length === 0) continue
          const sum = mine.reduce((total, i) => total + got[i]!, 0)
          if (priority !== top) {
            expect(sum).toBeGreaterThanOrEqual(totalBytes / 20 - 2 * SLICE)
            // Strict order: what is not reserved goes to the most urgent.
            expect(sum).toBeLessThanOrEqual(totalBytes / 20 + 4 * SLICE)
          }
          // One lap of the ring, at a twentieth of the whole, and what another class may be ahead.
          for (const i of mine) expect(longestWait[i]).toBeLessThanOrEqual(20 * SLICE * (2 * mine.length + 3))
        }
      }),
      { numRuns: 60 }
    )
  })

  it('divides by weight', () => {
    const demands: Demand[] = ['a', 'b', 'c'].map(peerId => ({
      peerId,
      priority: 'normal',
      streams: 2,
      bytes: 40_000
    }))
    const weights: Record<string, number> = { a: 0.2, b: 1, c: 2.5 }
    const { got } = simulate(demands, 4000 * SLICE, { weightOf: peerId => weights[peerId]! })
    const [a, b, c] = got as [number, number, number]
    expect(a / b).toBeCloseTo(0.2, 1)
    expect(c / b).toBeCloseTo(2.5, 1)
  })

  it('lets the most urgent go first when it comes, and passes over who may not go', () => {
    const scheduler = new Scheduler<Turn>()
    const piece = (peerId: string, priority: Priority): Turn => ({ peerId, priority, bytes: SLICE })
    const [low, normal, critical] = [piece('a', 'low'), piece('b', 'normal'), piece('c', 'critical')]
    for (const turn of [low, normal, critical]) scheduler.add(turn)
    expect(scheduler.next(turn => turn !== critical)).toBe(normal)
    expect(scheduler.next(() => false)).toBeUndefined()
    // Low is owed a twentieth of what normal got; then the order is strict again.
    expect(scheduler.next(() => true)).toBe(low)
    expect(scheduler.next(() => true)).toBe(critical)
    expect(scheduler.next(() => true)).toBeUndefined()
  })

  it('does not make a class pay for long for what it got while nobody urgent was there', () => {
    const scheduler = new Scheduler<Turn>()
    const add = (priority: Priority): void => scheduler.add({ peerId: priority, priority, bytes: SLICE })
    for (let i = 0; i < 10_000; i++) {
      add('low')
      scheduler.next(() => true)
    }
    add('low')
    let before = 0
    for (add('high'); before < 1000 && scheduler.next(() => true)!.priority === 'high'; add('high')) before++
    expect(before).toBeLessThanOrEqual(21)
  })

  it('forgets who gives up, and refuses what is too much, saying when to come again', () => {
    const scheduler = new Scheduler<Turn>({ maxWaiting: 3, maxWaitingPerPeer: 2 })
    const turns = Array.from({ length: 2 }, (): Turn => ({ peerId: 'a', priority: 'low', bytes: 1 }))
    for (const turn of turns) scheduler.add(turn)
    const busy = expect.objectContaining({ code: 'BUSY', details: { retryAfterMs: 1000 } })
    const tryAdd = (peerId: string): unknown => {
      try {
        return scheduler.add({ peerId, priority: 'high', bytes: 1 })
      } catch (error) {
        return error
      }
    }
    expect(tryAdd('a')).toEqual(busy)
    expect(tryAdd('b')).toBeUndefined()
    expect(tryAdd('c')).toEqual(busy)
    for (const turn of turns) expect(scheduler.remove(turn)).toBe(true)
    expect(scheduler.remove(turns[0]!)).toBe(false)
    expect(scheduler.waiting).toBe(1)
    expect(scheduler.next(() => true)).toMatchObject({ peerId: 'b' })
    expect(scheduler.next(() => true)).toBeUndefined()
  })
})
