import { peerIdFromString } from '@libp2p/peer-id'
import { networkOf } from '../discovery/index.ts'
import type { Host } from './host/index.ts'

/**
 * The public network from which a peer is connected; empty when it has none, undefined when it is away. One that is also connected from a
 * public address is in that network; who comes through a relay, in the relay's.
 */
export function networkOfPeer({ libp2p }: Pick<Host, 'libp2p'>, peerId: string): string | undefined {
  const addresses = libp2p.getConnections(peerIdFromString(peerId)).map(({ remoteAddr }) => remoteAddr)
  if (addresses.length === 0) return undefined
  return addresses.map(address => networkOf(address)).find(network => network !== undefined) ?? ''
}
