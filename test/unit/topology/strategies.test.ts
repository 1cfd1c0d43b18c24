import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ROUTING_STRATEGIES, type RoutingStrategy } from '../../../config/index.ts'
import { FACTORS, type Factor, factorsOf, scoreOf } from '../../../topology/score.ts'
import { inOrder, STRATEGIES } from '../../../topology/strategies.ts'
import { anyTold, type Told, viewOf } from './views.ts'

const MB = 1_000_000

/** Names of peers in the order of a strategy. */
const orderOf = (strategy: RoutingStrategy, peers: Record<string, Told>, ownRegion?: string): string =>
  inOrder(
    Object.entries(peers).map(([name, told]) => viewOf(name, told)),
    strategy,
    ownRegion
  )
    .map(({ view }) => view.peerId)
    .join(' ')

/** One network for all: what each strategy is about differs between its peers. */
const NETWORK: Record<string, Told> = {
  relayed: { way: 'relayed', roundTripMs: 4, down: 30 * MB, label: 'eu' },
  fast: { roundTripMs: 90, down: 80 * MB, label: 'us' },
  near: { roundTripMs: 2, down: 3 * MB, label: 'eu', transfers: 3 },
  shaky: { roundTripMs: 30, down: 60 * MB, label: 'eu', failureRate: 0.6 },
  idle: { roundTripMs: 150, down: 8 * MB, label: 'asia' }
}

describe('a strategy', () => {
  it.each<[RoutingStrategy, string]>([
    ['shortest-path', 'near fast idle shaky relayed'],
    ['lowest-latency', 'near relayed shaky fast idle'],
    ['highest-bandwidth', 'fast relayed shaky idle near'],
    ['geographic', 'near relayed shaky fast idle'],
    ['load-balanced', 'fast relayed idle shaky near'],
    ['fault-tolerant', 'near fast idle relayed shaky']
  ])('%s puts one network in its own order', (strategy, order) => {
    expect(orderOf(strategy, NETWORK, 'eu')).toBe(order)
  })

  it.each<[string, RoutingStrategy, Record<string, Told>, string, string?]>([
    [
      'a direct connection before one that is far quicker through a relay',
      'shortest-path',
      { relayed: { way: 'relayed', roundTripMs: 1 }, direct: { roundTripMs: 300 } },
      'direct relayed'
    ],
    [
      'who can be dialled before who is behind a relay',
      'shortest-path',
      { relayed: { way: 'relayed', roundTripMs: 1 }, away: { way: 'away' } },
      'away relayed'
    ],
    [
      'the nearer of two',
      'lowest-latency',
      { far: { roundTripMs: 80, down: 90 * MB }, near: { roundTripMs: 20, down: MB } },
      'near far'
    ],
    [
      'the faster of two',
      'highest-bandwidth',
      { near: { roundTripMs: 20, down: MB }, far: { roundTripMs: 80, down: 90 * MB } },
      'far near'
    ],
    [
      'who was never measured before who was measured slow, and after who was measured fast',
      'highest-bandwidth',
      {
        slow: { roundTripMs: 9, down: MB },
        fast: { roundTripMs: 9, down: 90 * MB },
        new: { roundTripMs: 9 }
      },
      'fast new slow'
    ],
    [
      'the own region before a nearer peer of another one',
      'geographic',
      { other: { label: 'us', roundTripMs: 8 }, own: { label: 'eu', roundTripMs: 35 } },
      'own other',
      'eu'
    ],
    [
      'its own place, then its area, then others as far as they are',
      'geographic',
      {
        other: { label: 'us', roundTripMs: 30 },
        area: { label: 'eu/ams', roundTripMs: 30 },
        own: { label: 'eu/fra' }
      },
      'own area other',
      'eu/fra'
    ],
    [
      'whom it measured near before who only says so',
      'geographic',
      { liar: { label: 'eu', roundTripMs: 200 }, near: { roundTripMs: 3 } },
      'near liar',
      'eu'
    ],
    [
      'the class of the round trip where nobody has a label',
      'geographic',
      { far: { roundTripMs: 200 }, continent: { roundTripMs: 60 }, near: { roundTripMs: 2 } },
      'near continent far'
    ],
    [
      'who is idle before who is twice as fast and busy',
      'load-balanced',
      { busy: { down: 20 * MB, transfers: 2 }, idle: { down: 10 * MB } },
      'idle busy'
    ],
    [
      'who has given little lately',
      'load-balanced',
      { giver: { down: 10 * MB, loadBytes: 500 * MB }, rested: { down: 10 * MB, loadBytes: 5 * MB } },
      'rested giver'
    ],
    [
      'one of each region before a second of any',
      'fault-tolerant',
      {
        eu1: { label: 'eu', roundTripMs: 5 },
        eu2: { label: 'eu', roundTripMs: 6 },
        eu3: { label: 'eu', roundTripMs: 7 },
        us1: { label: 'us', roundTripMs: 90 },
        us2: { label: 'us', roundTripMs: 95 },
        asia: { label: 'asia', roundTripMs: 250 }
      },
      'eu1 us1 asia eu2 us2 eu3'
    ],
    [
      'the steadiest of a region',
      'fault-tolerant',
      { shaky: { roundTripMs: 2, failureRate: 0.4, uptime: 0.5 }, steady: { roundTripMs: 4 } },
      'steady shaky'
    ]
  ])('prefers %s (%s)', (_, strategy, peers, order, ownRegion) => {
    expect(orderOf(strategy, peers, ownRegion)).toBe(order)
  })

  it.each(ROUTING_STRATEGIES)('%s leaves equal peers in the order in which they were found', strategy => {
    const equal = { roundTripMs: 10, down: MB }
    expect(orderOf(strategy, { c: equal, a: equal, b: equal })).toBe('c a b')
  })

  it.each(ROUTING_STRATEGIES)('%s names every peer once, whatever was measured', strategy => {
    fc.assert(
      fc.property(fc.array(anyTold, { maxLength: 20 }), told => {
        const views = told.map((each, at) => viewOf(String(at), each))
        const ordered = inOrder(views, strategy, 'eu')
        expect(new Set(ordered.map(({ view }) => view))).toEqual(new Set(views))
        expect(ordered).toHaveLength(views.length)
        for (const { score } of ordered) {
          expect(score).toBeGreaterThanOrEqual(0)
          expect(score).toBeLessThanOrEqual(1)
        }
      })
    )
  })
})

/** Changes that make a factor better or leave it. */
const BETTER: Record<Factor, (told: Told, by: number) => Told> = {
  path: told => ({ ...told, way: 'direct' }),
  latency: (told, by) => ({ ...told, roundTripMs: (told.roundTripMs ?? 0) / (1 + by) }),
  bandwidth: (told, by) => ({ ...told, down: (told.down ?? 0) * (1 + by) }),
  proximity: (told, by) => ({ ...told, roundTripMs: (told.roundTripMs ?? 0) / (1 + by) }),
  steadiness: (told, by) => ({ ...told, failureRate: (told.failureRate ?? 0) / (1 + by), uptime: 1 }),
  spare: told => ({ ...told, transfers: 0, loadBytes: (told.loadBytes ?? 0) / 2 })
}

describe('a score', () => {
  it.each(FACTORS)('is never worse for a better %s, in any strategy', factor => {
    const measured = anyTold.map(told => ({ roundTripMs: 50, down: MB, ...told }))
    fc.assert(
      fc.property(measured, fc.double({ min: 0, max: 10, noNaN: true }), (told, by) => {
        for (const { weights } of Object.values(STRATEGIES)) {
          const scores = [told, BETTER[factor](told, by)].map(each =>
            scoreOf(factorsOf(viewOf('peer', each), 'eu'), weights)
          )
          expect(scores[1]! - scores[0]!).toBeGreaterThanOrEqual(-1e-12)
        }
      })
    )
  })

  it('is of factors between 0 and 1, whatever was measured', () => {
    fc.assert(
      fc.property(anyTold, told => {
        for (const value of Object.values(factorsOf(viewOf('peer', told), 'eu'))) {
          expect(value).toBeGreaterThanOrEqual(0)
          expect(value).toBeLessThanOrEqual(1)
        }
      })
    )
  })

  it('is nothing where nothing weighs', () => {
    expect(scoreOf(factorsOf(viewOf('peer'), undefined), {})).toBe(0)
  })
})
