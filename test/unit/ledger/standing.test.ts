import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { DAY_MS, GIB, MIB } from '../../../base/index.ts'
import { type Amounts, add, fade, forfeit, NOTHING, newAccount } from '../../../ledger/account.ts'
import { PRIOR_BYTES } from '../../../ledger/prior.ts'
import {
  creditBytesOf,
  FORFEIT_MS,
  forfeitedUntilMs,
  scoreOf,
  scoreOfAccount,
  weightOfScore
} from '../../../ledger/standing.ts'

const WEEK_MS = 7 * DAY_MS
const bytes = fc.double({ min: 0, max: 1e15, noNaN: true })
const count = fc.double({ min: 0, max: 1e6, noNaN: true })
const amounts: fc.Arbitrary<Amounts> = fc.record({
  sentBytes: bytes,
  receivedBytes: bytes,
  transfers: count,
  failures: count,
  violations: count
})
const weightOf = (some: Partial<Amounts>): number => weightOfScore(scoreOf({ ...NOTHING, ...some }))

describe('a score', () => {
  it('is 0 to 1, and its weight a quarter to four, whatever was measured', () => {
    fc.assert(
      fc.property(amounts, some => {
        const score = scoreOf(some)
        expect(score).toBeGreaterThanOrEqual(0)
        expect(score).toBeLessThanOrEqual(1)
        expect(weightOfScore(score)).toBeGreaterThanOrEqual(0.25)
        expect(weightOfScore(score)).toBeLessThanOrEqual(4)
      })
    )
  })

  it('is never lower for what is given or done well, and never higher for what is taken or done ill', () => {
    fc.assert(
      fc.property(amounts, amounts, (some, more) => {
        const with_ = (name: keyof Amounts): number => scoreOf({ ...some, [name]: some[name] + more[name] })
        const score = scoreOf(some)
        for (const good of ['receivedBytes', 'transfers'] as const)
          expect(with_(good)).toBeGreaterThanOrEqual(score)
        for (const bad of ['sentBytes', 'failures', 'violations'] as const)
          expect(with_(bad)).toBeLessThanOrEqual(score)
      })
    )
  })

  it.each<[string, Partial<Amounts>, number]>([
    ['who is new', {}, 1],
    ['who gave as much as it took', { sentBytes: GIB, receivedBytes: GIB }, 1],
    ['who gave three times what it took', { sentBytes: 1000 * GIB, receivedBytes: 3000 * GIB }, 2],
    ['who took three times what it gave', { sentBytes: 3000 * GIB, receivedBytes: 1000 * GIB }, 0.5],
    ['who only gives', { receivedBytes: 1e15 }, 4],
    ['who only takes', { sentBytes: 1e15 }, 0.25]
  ])('makes the weight of %s', (_who, some, weight) => {
    expect(weightOf(some)).toBeCloseTo(weight, 3)
  })

  it('lets a newcomer take something before it tells, and a failure of many tell little', () => {
    expect(weightOf({ sentBytes: MIB })).toBeGreaterThan(0.98)
    expect(weightOf({ sentBytes: PRIOR_BYTES })).toBeGreaterThan(0.6)
    expect(scoreOf({ ...NOTHING, transfers: 100, failures: 1 })).toBeGreaterThan(0.49)
  })
})

describe('an account', () => {
  it('drifts back to that of a newcomer when nothing happens', () => {
    fc.assert(
      fc.property(amounts, some => {
        const later = fade(add(newAccount(0), some), 200 * WEEK_MS, WEEK_MS)
        expect(weightOfScore(scoreOfAccount(later))).toBeCloseTo(1, 3)
      })
    )
  })

  it('halves with each half-life, in whatever steps, and not at all while the clock is back', () => {
    const account = add(newAccount(0), { receivedBytes: GIB })
    expect(fade(account, WEEK_MS, WEEK_MS).recent.receivedBytes).toBe(GIB / 2)
    const steps = [1, 3, 4, 7].map(days => days * DAY_MS)
    const stepped = steps.reduce((now, atMs) => fade(now, atMs, WEEK_MS), account)
    expect(stepped.recent.receivedBytes).toBeCloseTo(GIB / 2, 0)
    expect(stepped.totalReceivedBytes).toBe(GIB)
    expect(fade({ ...account, atMs: WEEK_MS }, 0, WEEK_MS).recent.receivedBytes).toBe(GIB)
  })

  test('whose stake is forfeited has the least weight for its time, and what it had given is gone after it', () => {
    const given = add(newAccount(0), { receivedBytes: 10 * GIB, sentBytes: GIB })
    expect(creditBytesOf(given)).toBe(9 * GIB)
    const forfeited = forfeit({ ...given, atMs: 1 }, 1)
    expect(scoreOfAccount(forfeited)).toBe(0)
    const regained = add(forfeited, { receivedBytes: GIB })
    expect(scoreOfAccount(regained)).toBe(0)
    expect(creditBytesOf(regained)).toBe(-GIB)
    expect(forfeitedUntilMs(forfeited, 2)).toBe(1 + FORFEIT_MS)
    const later = fade(forfeited, 1 + FORFEIT_MS, WEEK_MS)
    expect(forfeitedUntilMs(later, later.atMs)).toBeUndefined()
    expect(scoreOfAccount(later)).toBeGreaterThan(0)
    expect(scoreOfAccount(later)).toBeLessThan(0.5)
  })
})
