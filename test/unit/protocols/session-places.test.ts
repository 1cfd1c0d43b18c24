import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MAX_SERVED_SESSIONS } from '../../../protocols/index.ts'
import {
  MIN_SERVICE_MS,
  type PlacedSession,
  type SessionHolder,
  whoYields
} from '../../../protocols/sync/places.ts'

const NOW_MS = 10 * MIN_SERVICE_MS

const session = (network: string, peer: string, more: { ageMs?: number; bytes?: number } = {}) => ({
  network,
  peer: `${network}/${peer}`,
  sinceMs: NOW_MS - (more.ageMs ?? 2 * MIN_SERVICE_MS),
  traffic: { bytesIn: 0, bytesOut: more.bytes ?? 0 }
})

const countOf = (sessions: readonly SessionHolder[], key: 'network' | 'peer', value: string): number =>
  sessions.filter(other => other[key] === value).length

describe('when all places of sessions are taken', () => {
  const newcomer = session('new', 'a')

  test('one of the network that has most yields, at once', () => {
    const crowd = [session('x', 'a', { ageMs: 1 }), session('x', 'b', { ageMs: 1 })]
    const others = [session('y', 'a'), session('z', 'a')]
    expect(crowd).toContain(whoYields([...others, ...crowd], newcomer, NOW_MS))
  })

  test('one that is alone in its network yields when it has had its minute, the slowest first', () => {
    const young = session('x', 'a', { ageMs: MIN_SERVICE_MS - 1 })
    expect(whoYields([young], newcomer, NOW_MS)).toBeUndefined()
    const slow = session('y', 'a', { bytes: 1000 })
    const fast = session('z', 'a', { bytes: 900, ageMs: MIN_SERVICE_MS })
    expect(whoYields([young, fast, slow], newcomer, NOW_MS)).toBe(slow)
  })

  test('a network gets no more of them than it lets the others have', () => {
    const many = [session('x', 'a'), session('x', 'b')]
    const more = session('x', 'c')
    expect(whoYields([...many, session('y', 'a'), session('z', 'a')], more, NOW_MS)).toSatisfy(
      (found: PlacedSession) => many.includes(found as (typeof many)[number])
    )
    const young = many.map(one => ({ ...one, sinceMs: NOW_MS }))
    expect(whoYields([...young, session('y', 'a'), session('z', 'a')], more, NOW_MS)).toBeUndefined()
  })

  const networks = fc.constantFrom('p', 'q', 'r', 's', 't', 'u', 'v')
  const holder = fc.record({ network: networks, peer: fc.constantFrom('a', 'b', 'c') })
  const placed = fc
    .tuple(holder, fc.record({ ageMs: fc.integer({ min: 0, max: 3 * MIN_SERVICE_MS }), bytes: fc.nat(1e6) }))
    .map(([{ network, peer }, more]) => session(network, peer, more))
  const full = fc.array(placed, { minLength: MAX_SERVED_SESSIONS, maxLength: MAX_SERVED_SESSIONS })

  test('nobody who has as few as the newcomer yields', () => {
    fc.assert(
      fc.property(full, holder, (sessions, { network, peer }) => {
        const asking = { network, peer: `${network}/${peer}` }
        const found = whoYields(sessions, asking, NOW_MS)
        if (found === undefined) return
        const key = found.network === network ? 'peer' : 'network'
        const lead = countOf(sessions, key, found[key]) - countOf(sessions, key, asking[key])
        expect(lead).toBeGreaterThanOrEqual(NOW_MS - found.sinceMs >= MIN_SERVICE_MS ? 1 : 2)
      }),
      { seed: 11 }
    )
  })

  test('a network that has none is let in at once while there are fewer networks than places', () => {
    fc.assert(
      fc.property(full, sessions => {
        expect(whoYields(sessions, newcomer, NOW_MS)).toBeDefined()
      }),
      { seed: 12 }
    )
  })

  test('a peer that has none is let in once all others have had their minute', () => {
    fc.assert(
      fc.property(full, networks, (sessions, network) => {
        const served = sessions.map(one => ({ ...one, sinceMs: NOW_MS - MIN_SERVICE_MS }))
        expect(whoYields(served, { network, peer: `${network}/new` }, NOW_MS)).toBeDefined()
      }),
      { seed: 13 }
    )
  })
})
