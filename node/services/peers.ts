import { peerIdFromString } from '@libp2p/peer-id'
import type { ConnectedPeer, Host } from '../host/index.ts'
import type { PeerShape } from '../schemas.ts'
import type { PeerService } from './types.ts'

export interface PeersModules {
  host: Pick<Host, 'peers' | 'connect' | 'disconnect' | 'libp2p'>
  /** The control protocol's own measurement, with fractions; the transport's has whole milliseconds. */
  rttMs(peerId: string): number | undefined
}

/** Connections, as the operator sees and changes them. */
export function createPeers(modules: PeersModules): PeerService {
  const { host } = modules
  const shapeOf = async (peer: ConnectedPeer): Promise<PeerShape> => ({
    peerId: peer.peerId,
    addresses: await addressesOf(peer),
    direction: peer.direction,
    rttMs: measured(modules.rttMs(peer.peerId)) ?? measured(peer.rttMs) ?? null,
    // Scores and limits of single peers are not there yet; the fields are, for programs that read them.
    score: null,
    limits: {}
  })

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
    list: () => Promise.all(host.peers().map(shapeOf)),
    connect: async (address, signal) => await shapeOf(await host.connect(address, signal)),
    disconnect: peerId => host.disconnect(peerId)
  }
}

/** A time of zero is what a transport says before it has measured. */
const measured = (rttMs: number | undefined): number | undefined =>
  rttMs !== undefined && rttMs > 0 ? rttMs : undefined
