import type { Address, PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { circuitRelayAddressesLast, loopbackAddressLast, publicAddressesFirst } from '@libp2p/utils'
import { CODE_P2P, CODE_P2P_CIRCUIT, type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { QUIC_V1 } from '@multiformats/multiaddr-matcher'
import { CatalogError } from '../../base/index.ts'
import { networkOf } from '../../discovery/index.ts'

/** Leading bytes of an address that make one "place": all of an IPv4 address, the /64 of an IPv6 one. */
const PLACE_BYTES = { ip4: 4, ip6: 8 }

/** One of these makes an address one that can be dialled; alone, /p2p/ID is looked up in the peer store and the DHT. */
const DIALABLE = new Set(['quic-v1', 'tcp', 'dnsaddr'])
/** What an address may consist of; others are of transports that are not spoken here (WebSockets, WebRTC …). */
const KNOWN = new Set([
  ...DIALABLE,
  'ip4',
  'ip6',
  'ip6zone',
  'dns',
  'dns4',
  'dns6',
  'udp',
  'p2p',
  'p2p-circuit'
])

/** PEER_ADDRESS_INVALID for what is not a multiaddr, or one of a transport this node does not speak. */
export function parseAddress(address: string): Multiaddr {
  const invalid = (why: string, cause?: unknown): CatalogError =>
    new CatalogError('PEER_ADDRESS_INVALID', `${JSON.stringify(address)} ${why}`, {
      details: { address },
      cause
    })
  let parsed: Multiaddr
  try {
    parsed = multiaddr(address)
  } catch (error) {
    throw invalid('is not a multiaddr', error)
  }
  const names = parsed.getComponents().map(({ name }) => name)
  const isDialable = names.some(name => DIALABLE.has(name)) || (names.length === 1 && names[0] === 'p2p')
  if (!isDialable || !names.every(name => KNOWN.has(name)) || !namesBothPeers(names))
    throw invalid('is not an address of QUIC (/…/udp/PORT/quic-v1) or TCP (/…/tcp/PORT)')
  try {
    const peerId = peerIdOf(parsed)
    if (peerId !== undefined) peerIdFromString(peerId)
  } catch (error) {
    throw invalid('has no peer id after /p2p/', error)
  }
  return parsed
}

/** An address through a relay names the relay, and the peer behind it. */
function namesBothPeers(names: readonly string[]): boolean {
  const at = names.indexOf('p2p-circuit')
  return at < 0 || (names[at - 1] === 'p2p' && names.at(-1) === 'p2p' && names.length === at + 2)
}

/** Whether a relay passes connections to this address on. */
export const isRelayed = (address: Multiaddr): boolean =>
  address.getComponents().some(({ code }) => code === CODE_P2P_CIRCUIT)

/** The peer id at the end of a multiaddr, if it has one. */
export const peerIdOf = (address: Multiaddr): string | undefined =>
  address.getComponents().findLast(({ code }) => code === CODE_P2P)?.value

/** The address with the peer's id at its end, so that nobody else can answer at it. */
export const withPeer = (address: Multiaddr, peerId: PeerId): Multiaddr =>
  address.getComponents().at(-1)?.code === CODE_P2P ? address : address.encapsulate(`/p2p/${peerId}`)

/** The IP address or name at the beginning of a multiaddr. */
export const hostOf = (address: Multiaddr): string | undefined => address.getComponents()[0]?.value

/** The address without /p2p/: two forms of one place to dial. */
export const withoutPeerId = (address: Multiaddr): string => address.toString().replace(/\/p2p\/[^/]+$/, '')

/** Names the place a public address belongs to, for limits by place; undefined for local and named addresses. */
export const placeOf = (address: Multiaddr): string | undefined => networkOf(address, PLACE_BYTES)

/** In which order the addresses of a peer are dialled. libp2p's own order, but for QUIC, which it puts after TCP. */
export const inDialOrder = (a: Address, b: Address): -1 | 0 | 1 =>
  loopbackAddressLast(a.multiaddr, b.multiaddr) ||
  publicAddressesFirst(a.multiaddr, b.multiaddr) ||
  circuitRelayAddressesLast(a.multiaddr, b.multiaddr) ||
  before(a.isCertified, b.isCertified) ||
  before(QUIC_V1.matches(a.multiaddr), QUIC_V1.matches(b.multiaddr))

const before = (a: boolean, b: boolean): -1 | 0 | 1 => (a === b ? 0 : a ? -1 : 1)
