import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DAY_MS, HOUR_MS, MIB, MINUTE_MS, SECOND_MS } from '../../../base/index.ts'
import { Failures } from '../../../topology/measure/failures.ts'
import { Goodput } from '../../../topology/measure/goodput.ts'
import { Load } from '../../../topology/measure/load.ts'
import { Presence } from '../../../topology/measure/presence.ts'
import { RoundTrip } from '../../../topology/measure/round-trip.ts'

const roundTripOf = (samples: readonly number[]): RoundTrip => {
  const roundTrip = new RoundTrip()
  for (const sample of samples) roundTrip.add(sample)
  return roundTrip
}

describe('the round trip', () => {
  it('is smoothed as RFC 6298 says', () => {
    expect(new RoundTrip().figures).toBeUndefined()
    expect(roundTripOf([100]).figures).toMatchObject({ smoothedMs: 100, variationMs: 50 })
    // RTTVAR = 3/4 * 50 + 1/4 * |100 - 200|, SRTT = 7/8 * 100 + 1/8 * 200.
    expect(roundTripOf([100, 200]).figures).toMatchObject({ smoothedMs: 112.5, variationMs: 62.5 })
  })

  it('is late after four deviations while little was measured, then after what one in twenty exceeds', () => {
    expect(roundTripOf([100]).figures!.lateMs).toBe(300)
    const many = roundTripOf([...Array.from({ length: 38 }, () => 10), 50, 90])
    expect(many.figures).toMatchObject({ p95Ms: 50, lateMs: 50 })
  })

  it('forgets what is long ago: a path that has become short is short', () => {
    const { figures } = roundTripOf([
      ...Array.from({ length: 100 }, () => 300),
      ...Array.from({ length: 64 }, () => 10)
    ])
    expect(figures!.p95Ms).toBe(10)
    expect(figures!.smoothedMs).toBeLessThan(11)
  })

  it('is within what was measured, whatever that was', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1 }), samples => {
        const { smoothedMs, variationMs, p95Ms, lateMs } = roundTripOf(samples).figures!
        const last = samples.slice(-64)
        expect(p95Ms).toBeGreaterThanOrEqual(Math.min(...last))
        expect(p95Ms).toBeLessThanOrEqual(Math.max(...last))
        expect(smoothedMs).toBeGreaterThanOrEqual(Math.min(...samples) - 1e-6)
        expect(smoothedMs).toBeLessThanOrEqual(Math.max(...samples) + 1e-6)
        expect(Number.isFinite(variationMs) && Number.isFinite(lateMs)).toBe(true)
      })
    )
  })
})

const goodputOf = (transfers: ReadonlyArray<readonly [bytes: number, tookMs: number]>): Goodput => {
  const goodput = new Goodput()
  for (const [bytes, tookMs] of transfers) goodput.add(bytes, tookMs)
  return goodput
}

describe('the goodput', () => {
  it('is nothing until a transfer was large enough, or took long enough, to say something', () => {
    expect(goodputOf([[10_000, 50]]).bytesPerSecond).toBeUndefined()
    expect(goodputOf([[10_000, 2 * SECOND_MS]]).bytesPerSecond).toBeCloseTo(5000)
    expect(goodputOf([[MIB, SECOND_MS]]).bytesPerSecond).toBeCloseTo(MIB)
    expect(goodputOf([[MIB, 0]]).bytesPerSecond).toBeUndefined()
  })

  it('counts a transfer by its bytes: a few small ones do not outweigh a large one', () => {
    const large = [64 * MIB, 64 * SECOND_MS] as const
    const small = Array.from({ length: 3 }, () => [256 * 1024, 25] as const)
    const { bytesPerSecond } = goodputOf([large, ...small])
    expect(bytesPerSecond! / MIB).toBeLessThan(2)
    // The first one is no more than the others: nothing is known before it.
    expect(goodputOf([...small, large]).bytesPerSecond! / MIB).toBeLessThan(1.1)
  })

  it('finds out that a link has become slow, from a transfer of few bytes that took long', () => {
    const before = [64 * MIB, SECOND_MS] as const
    const { bytesPerSecond } = goodputOf([before, [MIB, 20 * SECOND_MS]])
    expect(bytesPerSecond! / MIB).toBeLessThan(1)
  })

  it('is at most what was seen from what did not come', () => {
    const goodput = goodputOf([[8 * MIB, SECOND_MS]])
    goodput.isAtMost(1000)
    expect(goodput.bytesPerSecond).toBe(1000)
    goodput.isAtMost(5000)
    expect(goodput.bytesPerSecond).toBe(1000)
  })

  it('is within what was measured, whatever that was', () => {
    const transfer = fc.tuple(fc.nat(2 ** 31 - 1), fc.double({ min: 0, max: 1e9, noNaN: true }))
    fc.assert(
      fc.property(fc.array(transfer), transfers => {
        const { bytesPerSecond } = goodputOf(transfers)
        if (bytesPerSecond === undefined) return
        const rates = transfers
          .filter(([, tookMs]) => tookMs > 0)
          .map(([bytes, tookMs]) => (bytes / Math.max(tookMs, 0.1)) * SECOND_MS)
        expect(bytesPerSecond).toBeGreaterThanOrEqual(Math.min(...rates) - 1e-9 * Math.max(...rates))
        expect(bytesPerSecond).toBeLessThanOrEqual(Math.max(...rates) * (1 + 1e-6))
      })
    )
  })
})

describe('failures', () => {
  it('are a share of what was asked lately, in which the first one is not all', () => {
    const failures = new Failures(0)
    expect(failures.rateAt(0)).toBe(0)
    failures.add(true, 0)
    expect(failures.rateAt(0)).toBe(0.5)
    for (let i = 0; i < 8; i++) failures.add(false, 0)
    expect(failures.rateAt(0)).toBe(0.1)
  })

  it('are forgotten: a peer that failed yesterday is tried like others', () => {
    const failures = new Failures(0)
    for (let i = 0; i < 10; i++) failures.add(true, 0)
    expect(failures.rateAt(0)).toBeGreaterThan(0.9)
    expect(failures.rateAt(HOUR_MS)).toBeLessThan(0.2)
    expect(failures.rateAt(DAY_MS)).toBeLessThan(0.001)
  })
})

describe('the uptime', () => {
  it('is the share of the time since a peer was met in which it was there', () => {
    const presence = new Presence(0)
    expect(presence.shareAt(0)).toBe(1)
    presence.set(true, 0)
    expect(presence.shareAt(MINUTE_MS)).toBe(1)
    presence.set(false, MINUTE_MS)
    expect(presence.shareAt(2 * MINUTE_MS)).toBeCloseTo(0.5, 2)
    presence.set(true, 2 * MINUTE_MS)
    expect(presence.shareAt(4 * MINUTE_MS)).toBeCloseTo(0.75, 2)
  })

  it('counts what is a day ago half', () => {
    const presence = new Presence(0)
    presence.set(true, 0)
    presence.set(false, 365 * DAY_MS)
    expect(presence.shareAt(366 * DAY_MS)).toBeCloseTo(0.5, 2)
  })

  it('is a share, whatever comes and goes, even where the clock stands still', () => {
    const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(DAY_MS)), { maxLength: 50 })
    fc.assert(
      fc.property(steps, changes => {
        let nowMs = 0
        const presence = new Presence(nowMs)
        for (const [isPresent, afterMs] of changes) {
          nowMs += afterMs
          presence.set(isPresent, nowMs)
          expect(presence.shareAt(nowMs)).toBeGreaterThanOrEqual(0)
          expect(presence.shareAt(nowMs)).toBeLessThanOrEqual(1)
        }
      })
    )
  })
})

describe('the load', () => {
  it('is what is under way and what came lately, and never less than nothing', () => {
    const load = new Load(0)
    load.begin()
    expect(load.figuresAt(0)).toEqual({ transfers: 1, bytes: 0 })
    load.end(1000, 0)
    load.end(1000, 0)
    expect(load.figuresAt(0)).toEqual({ transfers: 0, bytes: 2000 })
    expect(load.figuresAt(MINUTE_MS).bytes).toBe(1000)
  })
})
