import type { Libp2p, PeerId } from '@libp2p/interface'
import type { SingleKadDHT } from '@libp2p/kad-dht'
import type { Multiaddr } from '@multiformats/multiaddr'
import { CatalogError } from '../../base/index.ts'
import { connectionTo } from '../../protocols/index.ts'
import { withoutPeerId, withPeer } from './addresses.ts'
import type { HostServices } from './types.ts'

/**
 * Looks for a peer that was lost: at the addresses known of it, and at the same time it is asked in the DHT where it is now. Peers near it
 * heard its new address when it moved and connected to them, so it is found also when it cannot dial this node. Whether there
 * is a connection to it afterwards; never rejects.
 */
export async function reconnect(
  libp2p: Libp2p<HostServices>,
  peer: PeerId,
  signal: AbortSignal
): Promise<boolean> {
  const over = new AbortController()
  const ended = AbortSignal.any([signal, over.signal])
  const known = new AbortController()
  const elsewhere = async (): Promise<void> => {
    const addresses = await newAddresses(libp2p, peer, ended)
    if (addresses.length === 0) throw new CatalogError('NOT_FOUND', `nobody says where ${peer} is now`)
    // A dial goes through its addresses one after the other, and those where it was cost their time-outs.
    known.abort()
    await libp2p.dial(addresses, { signal: ended })
  }
  const signals = { signal: AbortSignal.any([ended, known.signal]) }
  await Promise.any([connectionTo(libp2p, peer, signals), elsewhere()]).catch(() => {})
  over.abort()
  return libp2p.getConnections(peer).length > 0
}

/** Addresses that the peer has now as others say, and that are not known here. Never rejects. */
async function newAddresses(
  { peerStore, services }: Libp2p<HostServices>,
  peer: PeerId,
  signal: AbortSignal
): Promise<Multiaddr[]> {
  const dht = services.dht as unknown as SingleKadDHT | undefined
  // With an empty routing table kad-dht would wait for a first peer until the signal ends it.
  if (dht === undefined || dht.routingTable.size === 0) return []
  try {
    const stored = await peerStore.get(peer).catch(() => undefined)
    const known = new Set(stored?.addresses.map(({ multiaddr }) => withoutPeerId(multiaddr)))
    for await (const event of dht.findPeer(peer, { useCache: false, signal })) {
      if (event.name !== 'FINAL_PEER') continue
      const found = event.peer.multiaddrs.filter(address => !known.has(withoutPeerId(address)))
      if (found.length > 0) return found.map(address => withPeer(address, peer))
    }
  } catch {
    // Nobody knows it, or the time is over.
  }
  return []
}
