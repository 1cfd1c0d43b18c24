/**
 * Whether other nodes can reach this one. AutoNAT has peers dial the public addresses of this node and writes its verdicts into libp2p's
 * list of own addresses; what follows from that list is decided here: the role in the DHT, and whether a relay is wanted.
 */
import type { Connection } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { isLocalAddress } from '../../discovery/index.ts'
import { isRelayed } from './addresses.ts'

/**
 * - `direct`: a public address of this node works, or its operator says that it does;
 * - `relayed`: none does, and a relay passes connections on;
 * - `unreachable`: peers on the Internet are connected, this node has no public address that works, and no relay;
 * - `unknown`: a public address that nobody has tried yet;
 * - `local`: own addresses and peers are all of the local network, and there is nothing to find out.
 */
export type ReachabilityState = 'direct' | 'relayed' | 'unreachable' | 'unknown' | 'local'

/** One of this node's addresses, as libp2p's address manager lists it. */
export interface OwnAddress {
  readonly multiaddr: Multiaddr
  /** Local and configured addresses always are; others once AutoNAT has had them dialled. */
  readonly verified: boolean
  /** `transport` is an address of a network interface. */
  readonly type: string
  /** Wall time until which the verdict holds; 0 before the first. */
  readonly expires: number
}

export function reachabilityOf(
  own: readonly OwnAddress[],
  connections: readonly Pick<Connection, 'remoteAddr'>[]
): ReachabilityState {
  const outside = own.filter(({ multiaddr }) => !isRelayed(multiaddr) && !isLocalAddress(multiaddr))
  if (outside.some(({ verified }) => verified)) return 'direct'
  if (own.some(({ multiaddr }) => isRelayed(multiaddr))) return 'relayed'
  if (outside.some(isUntried)) return 'unknown'
  return connections.some(({ remoteAddr }) => !isLocalAddress(remoteAddr)) ? 'unreachable' : 'local'
}

/** An address of our own interface on the Internet: it probably works, and the first node of a network has nobody to try it. */
export const isUntried = ({ verified, type, expires }: OwnAddress): boolean =>
  !verified && type === 'transport' && expires === 0

/** Who cannot be dialled is of no use in the routing tables of others. */
export const dhtModeOf = (state: ReachabilityState): 'client' | 'server' =>
  state === 'relayed' || state === 'unreachable' ? 'client' : 'server'
