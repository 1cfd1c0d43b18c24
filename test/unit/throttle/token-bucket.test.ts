import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TokenBucket } from '../../../protocols/throttle/token-bucket.ts'

const SECOND_US = 1_000_000
const rates = fc.integer({ min: 1, max: 20_000_000_000 })
const bursts = fc.integer({ min: 1, max: 4 * 1024 ** 3 })

type Step =
  | { kind: 'take'; tokens: number; afterUs: number }
  | { kind: 'set'; rate: number; burst: number; afterUs: number }

/** Pauses from a microsecond to days, also back in time. */
const pauses = fc.oneof(
  fc.integer({ min: 0, max: 50 }),
  fc.integer({ min: -1000, max: 1_000_000 }),
  fc.integer({ min: 0, max: 400_000 * SECOND_US })
)
const takes: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('take' as const),
  tokens: fc.oneof(fc.integer({ min: 1, max: 70_000 }), fc.integer({ min: 1, max: 5 * 1024 ** 3 })),
  afterUs: pauses
})
const changes: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('set' as const),
  rate: rates,
  burst: bursts,
  afterUs: pauses
})

interface Taken {
  atUs: number
  tokens: number
}

describe('a token bucket', () => {
  it('never gives more than rate times time and a burst, over any window', () => {
    fc.assert(
      fc.property(rates, bursts, fc.array(takes, { maxLength: 60 }), (rate, burst, steps) => {
        let nowUs = 5
        let latestUs = nowUs
        const bucket = new TokenBucket({ rate, burst }, nowUs)
        const taken: Taken[] = []
        for (const { afterUs, ...step } of steps) {
          nowUs = Math.max(0, nowUs + afterUs)
          latestUs = Math.max(latestUs, nowUs)
          if (step.kind === 'take' && bucket.tryTake(step.tokens, nowUs))
            taken.push({ atUs: latestUs, tokens: step.tokens })
        }
        for (const [i, { atUs: fromUs }] of taken.entries()) {
          let sum = 0n
          for (const { atUs, tokens } of taken.slice(i)) {
            sum += BigInt(tokens)
            const allowed = BigInt(rate) * BigInt(atUs - fromUs) + BigInt(burst) * BigInt(SECOND_US)
            expect(sum * BigInt(SECOND_US) <= allowed).toBe(true)
          }
        }
      }),
      { numRuns: 500 }
    )
  })

  it('gives all of its rate to who always asks, whatever the size of a piece', () => {
    fc.assert(
      fc.property(
        rates,
        fc.integer({ min: 131_072, max: 4 * 1024 ** 3 }),
        fc.integer({ min: 1, max: 65_536 }),
        (rate, burst, piece) => {
          const bucket = new TokenBucket({ rate, burst }, 0)
          let nowUs = 0
          bucket.tryTake(bucket.available(nowUs), nowUs)
          let got = 0n
          for (let i = 0; i < 300; i++) {
            nowUs += bucket.waitUs(piece, nowUs)
            expect(bucket.tryTake(piece, nowUs)).toBe(true)
            got += BigInt(piece)
          }
          // Each wait ends at a whole microsecond and nothing is lost by that.
          const exact = BigInt(rate) * BigInt(nowUs)
          expect(got * BigInt(SECOND_US)).toBeGreaterThan(exact - BigInt(rate))
        }
      ),
      { numRuns: 300 }
    )
  })

  it('says to the microsecond when there will be enough', () => {
    fc.assert(
      fc.property(
        rates,
        bursts,
        bursts,
        fc.integer({ min: 1, max: 4 * 1024 ** 3 }),
        (rate, burst, first, wanted) => {
          const bucket = new TokenBucket({ rate, burst }, 0)
          bucket.tryTake(Math.min(first, burst), 0)
          const waitUs = bucket.waitUs(wanted, 0)
          if (wanted > burst) {
            expect(waitUs).toBe(Number.POSITIVE_INFINITY)
            return
          }
          if (waitUs > 0) expect(bucket.available(waitUs - 1)).toBeLessThan(wanted)
          expect(bucket.tryTake(wanted, waitUs)).toBe(true)
        }
      ),
      { numRuns: 500 }
    )
  })

  it('holds its promise through changes of rate and size: the largest of each, over any window', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(takes, changes), { maxLength: 60 }), steps => {
        let nowUs = 0
        const bucket = new TokenBucket({ rate: 1000, burst: 1000 }, nowUs)
        // What could have been gained until each moment, exactly, in millionths.
        let gained = 0n
        let rate = 1000
        let largest = 1000
        const taken: Array<{ gained: bigint; tokens: number }> = []
        for (const step of steps) {
          const afterUs = Math.abs(step.afterUs)
          nowUs += afterUs
          gained += BigInt(rate) * BigInt(afterUs)
          if (step.kind === 'set') {
            bucket.set(step, nowUs)
            rate = step.rate
            largest = Math.max(largest, step.burst)
          } else if (bucket.tryTake(step.tokens, nowUs)) taken.push({ gained, tokens: step.tokens })
        }
        for (const [i, from] of taken.entries()) {
          let sum = 0n
          for (const { gained: upTo, tokens } of taken.slice(i)) {
            sum += BigInt(tokens) * BigInt(SECOND_US)
            expect(sum <= upTo - from.gained + BigInt(largest) * BigInt(SECOND_US)).toBe(true)
          }
        }
      }),
      { numRuns: 500 }
    )
  })

  it('keeps what was gained at the old rate, as far as the new size holds it', () => {
    const bucket = new TokenBucket({ rate: 1000, burst: 10_000 }, 0)
    bucket.tryTake(10_000, 0)
    bucket.set({ rate: 10, burst: 3000 }, 2 * SECOND_US)
    expect(bucket.available(2 * SECOND_US)).toBe(2000)
    expect(bucket.available(102 * SECOND_US)).toBe(3000)
    bucket.set({ rate: 10, burst: 500 }, 102 * SECOND_US)
    expect(bucket.available(102 * SECOND_US)).toBe(500)
  })

  it('refuses a rate or a size that is none', () => {
    for (const bad of [
      { rate: 0, burst: 1 },
      { rate: 1, burst: 0 },
      { rate: 1.5, burst: 1 },
      { rate: 1, burst: 2 ** 33 }
    ])
      expect(() => new TokenBucket(bad, 0)).toThrow('invariant')
  })
})
