import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HOUR_MS, MINUTE_MS } from '../../../base/index.ts'
import { EXACT, holdersFor, LOOKUP_PEERS, REPLICAS, regionOf } from '../../../discovery/announce/region.ts'
import {
  dueAt,
  passFor,
  RESUME_WITHIN_MS,
  SLOTS,
  SWEEP_INTERVAL_MS,
  slotOf
} from '../../../discovery/announce/schedule.ts'
import { nearest, sharedPrefixBits } from '../../../discovery/distance.ts'
import { keyText } from '../../../discovery/keys.ts'
import type { Contact } from '../../../discovery/peers/contact.ts'
import { CLAIM_LIFETIME_MS } from '../../../discovery/providers/limits.ts'

const peerAt = (kademliaId: Uint8Array): Contact =>
  ({ id: keyText(kademliaId), kademliaId, addresses: [] }) as unknown as Contact
const point = fc.uint8Array({ minLength: 32, maxLength: 32 })
/** Points that begin alike: `same` bytes of a prefix, then anything. */
const crowd = fc
  .tuple(
    point,
    fc.nat(6),
    fc.uniqueArray(point, { minLength: 1, maxLength: 80, selector: keyText, size: 'max' })
  )
  .map(([prefix, same, tails]) =>
    tails.map(tail => peerAt(Uint8Array.from([...prefix.subarray(0, same), ...tail.subarray(same)])))
  )
const ids = (peers: readonly Contact[]): string[] => peers.map(({ id }) => id)

describe('a region', () => {
  it('gives every key in it its exactly nearest peers, also when all peers share a prefix', () => {
    fc.assert(
      fc.property(crowd, point, point, (peers, at, other) => {
        const region = regionOf(at, nearest(at, peers, LOOKUP_PEERS))
        const full = Math.floor(region.bits / 8)
        const rest = 0xff >> (region.bits % 8)
        const inside = Uint8Array.from(other, (byte, i) =>
          i < full ? at[i]! : i === full ? (at[i]! & ~rest) | (byte & rest) : byte
        )
        expect(sharedPrefixBits(at, inside)).toBeGreaterThanOrEqual(region.bits)
        const given = holdersFor(inside, region.peers, () => true)
        const exact = Math.min(EXACT, peers.length)
        expect(ids(given).slice(0, exact)).toEqual(ids(nearest(inside, peers, exact)))
        expect(given).toHaveLength(Math.min(REPLICAS, peers.length))
      }),
      { numRuns: 300 }
    )
  })

  it('is the whole space while fewer peers exist than a lookup finds', () => {
    fc.assert(
      fc.property(crowd, point, (peers, at) => {
        fc.pre(peers.length < LOOKUP_PEERS)
        expect(regionOf(at, peers).bits).toBe(0)
      })
    )
  })

  it('skips peers that are not usable and takes the next nearest', () => {
    fc.assert(
      fc.property(crowd, point, (peers, at) => {
        const bad = nearest(at, peers, 1)[0]!
        const given = holdersFor(at, peers, peer => peer !== bad)
        expect(ids(given)).toEqual(
          ids(
            nearest(
              at,
              peers.filter(peer => peer !== bad),
              REPLICAS
            )
          )
        )
      })
    )
  })
})

const START = 1_800_000_000_000
const fresh = { doneAt: START, pass: undefined }
const slots = fc.nat(SLOTS - 1)
const intervals = fc.integer({ min: HOUR_MS, max: 24 * HOUR_MS })
const jitters = fc.double({ min: 0, max: 0.999, noNaN: true })

describe('the schedule', () => {
  it('cuts the space into equal parts', () => {
    const of = (first: number): number => slotOf(Uint8Array.of(first, ...new Uint8Array(31)))
    expect([of(0), of(3), of(4), of(255)]).toEqual([0, 0, 1, SLOTS - 1])
  })

  it('lets no claim lapse: a slot comes again within the interval and one slot', () => {
    fc.assert(
      fc.property(
        slots,
        slots,
        jitters,
        fc.nat(48 * HOUR_MS),
        intervals,
        (slot, shift, jitter, after, intervalMs) => {
          const doneAt = START + after
          const due = dueAt(slot, { doneAt, pass: undefined }, { shift, jitter, intervalMs })
          expect(due).toBeGreaterThanOrEqual(doneAt)
          expect(due - doneAt).toBeLessThanOrEqual(intervalMs + intervalMs / SLOTS)
          expect(due - doneAt).toBeLessThan(CLAIM_LIFETIME_MS)
        }
      )
    )
  })

  it('keeps each slot at its time of the day, and does not announce twice at once', () => {
    fc.assert(
      fc.property(slots, slots, fc.array(jitters, { minLength: 5, maxLength: 8 }), (slot, shift, draws) => {
        const intervalMs = SWEEP_INTERVAL_MS
        let doneAt = dueAt(slot, fresh, { shift, jitter: draws[0]!, intervalMs })
        for (const jitter of draws.slice(1)) {
          const next = dueAt(slot, { doneAt, pass: undefined }, { shift, jitter, intervalMs })
          expect(Math.abs(next - doneAt - SWEEP_INTERVAL_MS)).toBeLessThanOrEqual(
            SWEEP_INTERVAL_MS / SLOTS + MINUTE_MS
          )
          doneAt = next + MINUTE_MS / 2
        }
      })
    )
  })

  it('spreads the slots of a new node over the whole interval', () => {
    const dues = Array.from({ length: SLOTS }, (_, slot) =>
      dueAt(slot, fresh, { shift: 7, jitter: 0.5, intervalMs: SWEEP_INTERVAL_MS })
    ).sort((a, b) => a - b)
    const gaps = dues.slice(1).map((due, i) => due - dues[i]!)
    expect(Math.max(...gaps)).toBeLessThanOrEqual((2 * SWEEP_INTERVAL_MS) / SLOTS)
    expect(dues.at(-1)! - dues[0]!).toBeGreaterThan(SWEEP_INTERVAL_MS * 0.9)
  })

  it('goes on with an interrupted pass at once, and begins anew when it is too old', () => {
    const cursor = new Uint8Array(32).fill(9)
    const progress = { doneAt: START - HOUR_MS, pass: { startedAt: START, cursor } }
    expect(dueAt(3, progress, { shift: 0, jitter: 0, intervalMs: SWEEP_INTERVAL_MS })).toBe(START)
    expect(passFor(progress, START + RESUME_WITHIN_MS)).toEqual({ startedAt: START, after: cursor })
    const late = START + RESUME_WITHIN_MS + 1
    expect(passFor(progress, late)).toEqual({ startedAt: late, after: undefined })
  })
})
