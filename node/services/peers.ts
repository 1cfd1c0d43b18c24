import { peerIdFromString } from '@libp2p/peer-id'
import { CatalogError, type Logger } from '../../base/index.ts'
import type { Throttle } from '../../protocols/index.ts'
import { healthOf, type PeerView, type Topology } from '../../topology/index.ts'
import { type ConnectedPeer, type Host, parsePeerId } from '../host/index.ts'
import type { LimitedPeer, PeerShape } from '../schemas.ts'
import type { PeerBans } from './peer-bans.ts'
import type { PeerLimits } from './peer-limits.ts'
import { banShape, type PeerStandingModules, standingOf } from './peer-standing.ts'
import type { PeerService } from './types.ts'

export interface PeersModules extends PeerStandingModules {
  host: Pick<Host, 'peerId' | 'peers' | 'connect' | 'disconnect' | 'left' | 'libp2p'>
  bans: Pick<PeerBans, 'of' | 'list' | 'add' | 'remove'>
  logger: Logger
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
  const { host, throttle, limits, bans } = modules
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
    score: modules.ledger.view.scoreOf(peer.peerId),
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
      return {
        peers: await shapesOf(connected),
        limited: away.map(limitedPeer),
        banned: bans.list().map(banShape)
      }
    },
    async show(text, signal) {
      const peerId = parsePeerId(text).toString()
      const [connection = null] = await shapesOf(host.peers().filter(peer => peer.peerId === peerId))
      const standing = await standingOf(modules, peerId, signal)
      return { ...standing, connection, limits: throttle.ofPeer(peerId) }
    },
    async ban(text, reason, signal) {
      const peer = parsePeerId(text)
      const peerId = peer.toString()
      if (peerId === host.peerId)
        throw new CatalogError('INVALID_ARGUMENT', 'that is this node itself', {
          hint: '`catalog peers list` shows the ids of others'
        })
      const ban = await bans.add(peerId, reason, signal)
      // It is in force: what cannot be closed now is refused when it next asks for a connection.
      await host
        .left(peer)
        .catch(err => modules.logger.warn({ err, peer: peerId }, 'a banned peer stays connected'))
      return banShape(ban)
    },
    unban: async (text, signal) => banShape(await bans.remove(text, signal)),
    connect: async (address, signal) => (await shapesOf([await host.connect(address, signal)]))[0]!,
    disconnect: peerId => host.disconnect(peerId),
    async limit(text, limit, signal) {
      const peerId = parsePeerId(text).toString()
      await (limit === undefined ? limits.clear(peerId, signal) : limits.set(peerId, limit, signal))
      return limitedPeer(peerId)
    }
  }
}

/** A time of zero is what a transport says before it has measured. */
const measured = (rttMs: number | undefined): number | undefined =>
  rttMs !== undefined && rttMs > 0 ? rttMs : undefined
