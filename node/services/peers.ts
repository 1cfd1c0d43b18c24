import { peerIdFromString } from '@libp2p/peer-id'
import type { Throttle } from '../../protocols/index.ts'
import { healthOf, type PeerView, type Topology } from '../../topology/index.ts'
import type { ConnectedPeer, Host } from '../host/index.ts'
import type { LimitedPeer, PeerShape } from '../schemas.ts'
import type { PeerLimits } from './peer-limits.ts'
import type { PeerService } from './types.ts'

export interface PeersModules {
  host: Pick<Host, 'peers' | 'connect' | 'disconnect' | 'libp2p'>
  /** Its round trips have fractions; those of the transport are whole milliseconds. */
  topology: Pick<Topology, 'views'>
  /** The program that the peer says it is. */
  agent(peerId: string): string | undefined
  throttle: Pick<Throttle, 'ofPeer'>
  limits: Pick<PeerLimits, 'peers' | 'set' | 'clear'>
}

/** Of what a peer says of itself; a program and its version need less. */
const MAX_AGENT_LENGTH = 128

/** Connections, as the operator sees and changes them. */
export function createPeers(modules: PeersModules): PeerService {
  const { host, throttle, limits } = modules
  const shapesOf = (peers: readonly ConnectedPeer[]): Promise<PeerShape[]> => {
    const views = modules.topology.views(peers.map(({ peerId }) => peerId))
    return Promise.all(peers.map((peer, at) => shapeOf(peer, views[at]!)))
  }
  const shapeOf = async (peer: ConnectedPeer, view: PeerView): Promise<PeerShape> => ({
    peerId: peer.peerId,
    addresses: await addressesOf(peer),
    direction: peer.direction,
    rttMs: view.roundTrip?.smoothedMs ?? measured(peer.rttMs) ?? null,
    agent: modules.agent(peer.peerId)?.slice(0, MAX_AGENT_LENGTH) ?? null,
    health: healthOf(view).health,
    // Scores of peers are not there yet; the field is, for programs that read it.
    score: null,
    limits: throttle.ofPeer(peer.peerId)
  })
  const limitedPeer = (peerId: string): LimitedPeer => ({ peerId, limits: throttle.ofPeer(peerId) })

  /**
   * Where it can be reached, as it said itself when it connected: what dialled us comes from a port that listens to
   * nobody. That port is told only of a peer that has said nothing.
   */
  async function addressesOf({ peerId, addresses, direction }: ConnectedPeer): Promise<string[]> {
    const known = await host.libp2p.peerStore.get(peerIdFromString(peerId)).catch(() => undefined)
    const suffix = `/p2p/${peerId}`
    const stated = (known?.addresses ?? []).map(({ multiaddr }) => {
      const text = multiaddr.toString()
      return text.endsWith(suffix) ? text : text + suffix
    })
    const dialled = direction === 'outbound' || stated.length === 0 ? addresses : []
    return [...new Set([...dialled, ...stated])]
  }

  return {
    async list() {
      const connected = host.peers()
      const away = limits.peers().filter(peerId => connected.every(peer => peer.peerId !== peerId))
      return { peers: await shapesOf(connected), limited: away.map(limitedPeer) }
    },
    connect: async (address, signal) => (await shapesOf([await host.connect(address, signal)]))[0]!,
    disconnect: peerId => host.disconnect(peerId),
    async limit(peerId, limit, signal) {
      await (limit === undefined ? limits.clear(peerId, signal) : limits.set(peerId, limit, signal))
      return limitedPeer(peerId)
    }
  }
}

/** A time of zero is what a transport says before it has measured. */
const measured = (rttMs: number | undefined): number | undefined =>
  rttMs !== undefined && rttMs > 0 ? rttMs : undefined
