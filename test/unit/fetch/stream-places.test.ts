import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type PlacedStream, StreamPlaces } from '../../../protocols/content/stream-places.ts'

const LIMITS = { total: 8, ofPeer: 4 }
const why = () => new Error('all taken')

class FakeStream implements PlacedStream {
  isCut = false
  readonly isIdle: boolean

  constructor(isIdle = false) {
    this.isIdle = isIdle
  }

  cut(): void {
    this.isCut = true
  }
}

describe('places of streams', () => {
  function taken(places: StreamPlaces, peer: string, count: number): FakeStream[] {
    const streams = Array.from({ length: count }, () => new FakeStream())
    for (const stream of streams) expect(places.take(peer, stream, LIMITS, why)).toBeDefined()
    return streams
  }

  it('are refused to a peer that has as many as it may, and to one that would have most', () => {
    const places = new StreamPlaces()
    const all = [...taken(places, 'a', 4), ...taken(places, 'b', 3), ...taken(places, 'c', 1)]
    for (const peer of ['a', 'b']) expect(places.take(peer, new FakeStream(), LIMITS, why)).toBeUndefined()
    expect(all.some(({ isCut }) => isCut)).toBe(false)
  })

  it('are taken from who has most, an idle stream first, then the newest', () => {
    const places = new StreamPlaces()
    const [idle, kept] = [new FakeStream(true), new FakeStream()]
    for (const stream of [idle, kept]) places.take('a', stream, LIMITS, why)
    const more = taken(places, 'a', 2)
    taken(places, 'b', 4)
    taken(places, 'c', 1)
    expect([idle, kept, ...more].map(({ isCut }) => isCut)).toEqual([true, false, false, false])
    taken(places, 'd', 2)
    expect([kept, ...more].map(({ isCut }) => isCut)).toEqual([false, false, true])
    expect(places.used).toBe(LIMITS.total)
  })

  it('come back once, also when the stream that lost its place ends later', () => {
    const places = new StreamPlaces()
    const releases = Array.from({ length: 8 }, (_, i) =>
      places.take(i < 4 ? 'a' : 'b', new FakeStream(), LIMITS, why)
    )
    const mine = places.take('c', new FakeStream(), LIMITS, why)
    for (const release of [...releases, ...releases]) release!()
    expect(places.used).toBe(1)
    mine!()
    expect([places.used, places.usedBy('c')]).toEqual([0, 0])
  })

  it('let in every peer, as long as there are no more peers than places', () => {
    const peer = fc.nat({ max: LIMITS.total - 1 })
    fc.assert(
      fc.property(fc.array(peer, { minLength: 20, maxLength: 60 }), asks => {
        const places = new StreamPlaces()
        for (const asked of asks) {
          const before = places.usedBy(`${asked}`)
          const given = places.take(`${asked}`, new FakeStream(), LIMITS, why)
          if (before === 0) expect(given).toBeDefined()
          expect(places.used).toBeLessThanOrEqual(LIMITS.total)
        }
        for (const asked of asks) expect(places.usedBy(`${asked}`)).toBeGreaterThan(0)
      }),
      { seed: 7 }
    )
  })
})
