import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { MIB, SECOND_MS } from '../../../base/index.ts'
import type { RoutingStrategy } from '../../../config/index.ts'
import { Topology, type Way } from '../../../topology/index.ts'
import { ManualClock } from '../protocols/manual-clock.ts'

function topology({ strategy = 'highest-bandwidth' as RoutingStrategy, region = '' } = {}) {
  const clock = new ManualClock()
  const ways = new Map<string, Way>()
  const metrics = new Registry()
  return {
    clock,
    ways,
    metrics,
    here: new Topology({ clock, ways: () => ways, metrics }, { strategy, region })
  }
}

/** A whole fetch from one peer. */
function fetch(here: Topology, peerId: string, bytes: number, tookMs: number, atMost?: number): void {
  here.began(peerId)
  here.ended(peerId, { bytes, tookMs, ...(atMost !== undefined && { atMost }) })
}

describe('the topology', () => {
  it('puts peers in order by what fetches measured, and those first who were never tried before slow ones', () => {
    const { here, ways } = topology()
    for (const peer of ['slow', 'fast', 'new']) ways.set(peer, 'direct')
    fetch(here, 'slow', MIB, 4 * SECOND_MS)
    fetch(here, 'fast', 100 * MIB, SECOND_MS)
    expect(here.order(['slow', 'new', 'fast'])).toEqual(['fast', 'new', 'slow'])
  })

  it('knows that a peer is there still when so many others came that it was forgotten', async () => {
    const { here, ways, clock } = topology()
    ways.set('peer', 'direct')
    here.present('peer', true)
    for (let i = 0; i < 1000; i++) here.present(`stranger ${i}`, false)
    here.roundTrip('peer', 20)
    await clock.advance(SECOND_MS)
    expect(here.views(['peer'])).toMatchObject([{ way: 'direct', uptime: 1 }])
  })

  it('tells a fetch where to begin with a source', () => {
    const { here } = topology()
    expect(here.recall('peer')).toEqual({ goodput: undefined, roundTripMs: undefined })
    here.roundTrip('peer', 20)
    fetch(here, 'peer', 8 * MIB, SECOND_MS + 20)
    expect(here.recall('peer')).toEqual({ goodput: 8 * MIB, roundTripMs: 20 })
    fetch(here, 'peer', 0, 0, 1000)
    expect(here.recall('peer').goodput).toBe(1000)
  })

  it('sees who is connected and how, and takes what a peer tells for a label only', async () => {
    const { here, ways, clock } = topology({ region: 'eu' })
    here.present('peer', true)
    ways.set('peer', 'relayed')
    here.told('peer', 'eu-west')
    here.asked('peer', true)
    here.given('peer', MIB, SECOND_MS)
    expect(here.views(['peer'])).toMatchObject([
      {
        way: 'relayed',
        region: { name: 'eu-west', source: 'told' },
        failureRate: 0.5,
        uptime: 1,
        goodput: { down: undefined, up: MIB }
      }
    ])
    for (const lie of [
      '',
      'Eu',
      '-eu',
      'a b',
      'x'.repeat(33),
      'eu/',
      'a/b/c',
      '\u202eeu',
      '"><script>',
      'near\n'
    ]) {
      here.told('peer', lie)
      expect(here.views(['peer'])[0]!.region).toEqual({ name: 'unknown', source: 'unknown' })
    }
    ways.clear()
    here.present('peer', false)
    await clock.advance(SECOND_MS)
    expect(here.views(['peer'])).toMatchObject([{ way: 'away', uptime: 0 }])
  })

  it('says after how long an answer is late, as measured or for a peer that nobody has measured', () => {
    const { here } = topology()
    expect(here.lateMs('stranger')).toBe(SECOND_MS)
    for (let i = 0; i < 40; i++) here.roundTrip('peer', i === 7 ? 400 : 20)
    expect(here.lateMs('peer')).toBe(20)
  })

  it('remembers so many peers and no more, and those that it heard of last', () => {
    const { here } = topology()
    for (let i = 0; i < 1100; i++) here.roundTrip(`peer-${i}`, 1)
    const all = here.all('lowest-latency').map(({ view }) => view.peerId)
    expect(all).toHaveLength(1000)
    expect(all).toContain('peer-1099')
    expect(all).not.toContain('peer-0')
    // Who is only asked about is not remembered.
    here.order(['a', 'b', 'c'])
    expect(here.all('lowest-latency')).toHaveLength(1000)
  })

  it('counts peers and those that do not do well', async () => {
    const { here, ways, metrics } = topology()
    for (const peer of ['well', 'unwell']) {
      ways.set(peer, 'direct')
      here.roundTrip(peer, 5)
    }
    for (let i = 0; i < 30; i++) here.asked('unwell', true)
    const text = await metrics.metrics()
    expect(text).toContain('catalog_topology_known_peers 2')
    expect(text).toContain('catalog_topology_unwell_peers 1')
    expect(text).toContain('catalog_topology_round_trip_seconds_count 2')
  })
})
