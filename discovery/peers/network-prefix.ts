import { isLoopback, isPrivate } from '@libp2p/utils'
import type { Multiaddr } from '@multiformats/multiaddr'
import { keyText } from '../keys.ts'

/** Leading bytes of an address that name one network. */
export interface PrefixBytes {
  readonly ip4: number
  readonly ip6: number
}

/** A /24 and a /48: what one customer of a hoster commonly has at most. */
const NETWORK_BYTES: PrefixBytes = { ip4: 3, ip6: 6 }

/** Private ranges, loopback and link-local: addresses that mean something only near us. */
export const isLocalAddress = (address: Multiaddr): boolean => isPrivate(address) || isLoopback(address)

/**
 * The network a public address is in, for limits that hold for a network as a whole: the family's code (4 or 6), then the
 * leading bytes; undefined for local and named addresses, which have no such limits.
 */
export function networkPrefix(
  address: Multiaddr,
  prefixBytes: PrefixBytes = NETWORK_BYTES
): Uint8Array | undefined {
  const [first] = address.getComponents()
  if ((first?.name !== 'ip4' && first?.name !== 'ip6') || isLocalAddress(address)) return undefined
  // The component's own bytes are absent in an address that was made from text; its code takes one byte.
  const bytes = first.bytes ?? address.bytes
  const family = first.name === 'ip4' ? 4 : 6
  return Uint8Array.of(family, ...bytes.subarray(1, 1 + prefixBytes[first.name]))
}

/** The same as text, in hex: what two addresses of one network have in common, and others have not. */
export function networkOf(address: Multiaddr, prefixBytes?: PrefixBytes): string | undefined {
  const prefix = networkPrefix(address, prefixBytes)
  return prefix && keyText(prefix)
}

/** A network as `networkOf` names it, to read: `192.0.2.0/24` or `2001:db8:1::/48`. */
export function displayNetwork(network: string): string {
  const [family, ...bytes] = Buffer.from(network, 'hex')
  if (family === 4) return `${bytes.join('.')}.0/24`
  const groups = [0, 2, 4].map(at => ((bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0)).toString(16))
  return `${groups.join(':')}::/48`
}
