import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import { silentLogger, systemClock } from '../../../base/index.ts'
import { createPeers } from '../../../node/services/peers.ts'
import { Topology } from '../../../topology/index.ts'
import { ManualClock } from '../protocols/manual-clock.ts'

const peerId = '12D3KooWGzxzKZYveHXtpG6AsrUJBcWxHBFS2HsEoGTxrMLvKXtf'
const source = `/ip4/127.0.0.1/udp/51234/quic-v1/p2p/${peerId}`
const listening = '/ip4/127.0.0.1/udp/4747/quic-v1'
const AWAY = 'a-peer-that-is-not-connected'
const NO_LIMITS = { up: 0, down: 0, burst: 1, isSet: false }

/** What is listed of one peer that came from `source` and stated `stated`. */
async function listed(stated: string[], { direction = 'inbound', quicMs = 0, heartbeatMs = 0 } = {}) {
  const clock = new ManualClock()
  const topology = new Topology({ clock, ways: () => new Map() }, { strategy: 'lowest-latency', region: '' })
  if (heartbeatMs > 0) topology.roundTrip(peerId, heartbeatMs)
  const service = createPeers({
    host: {
      peers: () => [{ peerId, addresses: [source], direction, rttMs: quicMs }],
      libp2p: {
        peerStore: {
          get: async () => {
            if (stated.length === 0) throw new Error('not found')
            return { addresses: stated.map(text => ({ multiaddr: multiaddr(text) })) }
          }
        }
      }
    } as never,
    topology,
    ledger: { view: { scoreOf: () => 0.75 } } as never,
    bans: { list: () => [{ peerId: AWAY, bannedAt: 0, reason: 'a line' }] } as never,
    health: {} as never,
    violations: {} as never,
    sets: {} as never,
    clock: systemClock,
    logger: silentLogger,
    agent: () => 'a'.repeat(1000),
    throttle: { ofPeer: () => NO_LIMITS },
    limits: { peers: () => [peerId, AWAY] } as never
  })
  const { peers, limited, banned } = await service.list()
  expect(banned).toEqual([{ peerId: AWAY, bannedAt: '1970-01-01T00:00:00.000Z', reason: 'a line' }])
  expect(peers[0]?.score).toBe(0.75)
  expect(limited).toEqual([{ peerId: AWAY, limits: NO_LIMITS }])
  return peers[0]
}

describe('the list of peers', () => {
  it('tells what program a peer says it is, in so many letters', async () => {
    expect((await listed([listening]))?.agent).toBe('a'.repeat(128))
  })

  it('tells where a peer that dialled us listens, not the port it came from', async () => {
    expect((await listed([listening]))?.addresses).toEqual([`${listening}/p2p/${peerId}`])
  })

  it('tells what there is of one that said nothing, and of one that we dialled', async () => {
    expect((await listed([]))?.addresses).toEqual([source])
    const both = [source, `${listening}/p2p/${peerId}`]
    expect((await listed([listening], { direction: 'outbound' }))?.addresses).toEqual(both)
  })

  it('has a round-trip time only when one was measured', async () => {
    expect((await listed([listening]))?.rttMs).toBeNull()
    expect((await listed([listening], { heartbeatMs: 0.4 }))?.rttMs).toBe(0.4)
    expect((await listed([listening], { quicMs: 1, heartbeatMs: 1.25 }))?.rttMs).toBe(1.25)
    expect((await listed([listening], { quicMs: 3 }))?.rttMs).toBe(3)
  })
})
