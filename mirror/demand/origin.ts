import type { Multiaddr } from '@multiformats/multiaddr'
import { networkPrefix } from '../../discovery/index.ts'

/**
 * The public network that a peer is reached in, as text: a /24 or /48; undefined for an address that is local or a name. One who rents a
 * network has all its addresses, so what many peers in it say is what one says.
 */
export function networkOf(address: Multiaddr): string | undefined {
  const prefix = networkPrefix(address)
  return prefix === undefined ? undefined : Buffer.from(prefix).toString('hex')
}

/** Who counts as one: a public network, or else a peer. */
export const originOf = (peer: string, network: string | undefined): string => network ?? peer
