import type { Connection, ConnectionGater, MultiaddrConnection, PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { isLocalAddress } from '../../discovery/index.ts'
import { isRelayed, peerIdOf, placeOf, withoutPeerId } from './addresses.ts'

export interface GaterOptions {
  readonly allow: readonly string[]
  readonly deny: readonly string[]
  readonly bootstrap: readonly Multiaddr[]
  readonly maxConnections: number
  readonly reservedSlots: number
  readonly maxInboundPerAddress: number
}

export interface GaterModules {
  connections(): readonly Connection[]
  /** Whether private and loopback addresses may be dialled now. */
  usesLocalAddresses(): boolean
  /** Why no connection with a peer is wanted now; undefined when one may be. */
  unwanted(peerId: string): 'banned' | 'misbehaved' | undefined
  onRefused(reason: RefusalReason): void
}

export type RefusalReason =
  | 'banned'
  | 'misbehaved'
  | 'denied'
  | 'not_allowed'
  | 'no_slot'
  | 'address_limit'
  | 'leaving'

/**
 * Who may connect. Peers are judged by their id, which TLS has proven by then: bans, what it did against the protocols, deny list, allow list, and whether a slot is left
 * for somebody who is not reserved (bootstrap and allow-listed peers are). Before TLS only the address is
 * known: it is counted. A refused dialler sees its dial succeed and the connection close: libp2p has no word for "no".
 */
export class Gater implements ConnectionGater {
  readonly #options: GaterOptions
  readonly #modules: GaterModules
  readonly #allowed: ReadonlySet<string>
  readonly #denied: ReadonlySet<string>
  readonly #bootstrapIds: ReadonlySet<string>
  /** Places and peers that an operator or the keeper dials now: not subject to slots and to the local-address rule. */
  readonly #wanted = new Map<string, number>()
  /** Open inbound connections of each public place, from their first packet on. */
  readonly #inbound = new Map<string, number>()
  #isLeaving = false

  constructor(modules: GaterModules, options: GaterOptions) {
    this.#modules = modules
    this.#options = options
    this.#allowed = new Set(options.allow)
    this.#denied = new Set(options.deny)
    this.#bootstrapIds = new Set(options.bootstrap.map(peerIdOf).filter(id => id !== undefined))
  }

  /** Runs a dial that somebody asked for by its address. */
  async dialWanted<T>(address: Multiaddr, dial: () => Promise<T>): Promise<T> {
    const peerId = peerIdOf(address)
    const keys = [withoutPeerId(address), ...(peerId === undefined ? [] : [peerId])]
    for (const key of keys) this.#wanted.set(key, (this.#wanted.get(key) ?? 0) + 1)
    try {
      return await dial()
    } finally {
      for (const key of keys) decrement(this.#wanted, key)
    }
  }

  /** From now on no connection is made or taken: the node leaves, and who was told so must not meet it again. */
  leave(): void {
    this.#isLeaving = true
  }

  denyDialPeer = (peer: PeerId): boolean => this.#refusesPeer(peer) || this.#hasNoSlotFor(peer.toString())

  denyDialMultiaddr = (address: Multiaddr): boolean =>
    isLocalAddress(address) && !this.#modules.usesLocalAddresses() && !this.#isWanted(address)

  denyOutboundEncryptedConnection = (peer: PeerId): boolean => this.#refusesPeer(peer)

  denyInboundConnection = (maConn: MultiaddrConnection): boolean => {
    if (this.#isLeaving) return this.#refuse('leaving')
    // A relay's address says nothing of who is behind it.
    const place = isRelayed(maConn.remoteAddr) ? undefined : placeOf(maConn.remoteAddr)
    if (place === undefined) return false
    const count = this.#inbound.get(place) ?? 0
    if (count >= this.#options.maxInboundPerAddress) return this.#refuse('address_limit')
    this.#inbound.set(place, count + 1)
    maConn.addEventListener('close', () => decrement(this.#inbound, place), { once: true })
    return false
  }

  denyInboundEncryptedConnection = (peer: PeerId): boolean =>
    this.#refusesPeer(peer) || this.#hasNoSlotFor(peer.toString())

  /** Who comes through a relay has no address of its own: it is judged by its id, which noise has yet to prove. */
  denyInboundRelayedConnection = (_relay: PeerId, peer: PeerId): boolean =>
    this.#refusesPeer(peer) || this.#hasNoSlotFor(peer.toString())

  denyInboundRelayReservation = (peer: PeerId): boolean => this.#refusesPeer(peer)

  #refusesPeer(peer: PeerId): boolean {
    if (this.#isLeaving) return this.#refuse('leaving')
    const id = peer.toString()
    const unwanted = this.#modules.unwanted(id)
    if (unwanted !== undefined) return this.#refuse(unwanted)
    if (this.#denied.has(id)) return this.#refuse('denied')
    if (this.#allowed.size > 0 && !this.#allowed.has(id)) return this.#refuse('not_allowed')
    return false
  }

  #hasNoSlotFor(id: string): boolean {
    const { maxConnections, reservedSlots } = this.#options
    if (this.#modules.connections().length < maxConnections - reservedSlots) return false
    if (this.#allowed.has(id) || this.#bootstrapIds.has(id) || this.#wanted.has(id)) return false
    return this.#refuse('no_slot')
  }

  /** libp2p adds the peer id to addresses before it asks. */
  #isWanted(address: Multiaddr): boolean {
    const peerId = peerIdOf(address)
    return this.#wanted.has(withoutPeerId(address)) || (peerId !== undefined && this.#wanted.has(peerId))
  }

  #refuse(reason: RefusalReason): true {
    this.#modules.onRefused(reason)
    return true
  }
}

function decrement(counts: Map<string, number>, key: string): void {
  const left = (counts.get(key) ?? 0) - 1
  if (left > 0) counts.set(key, left)
  else counts.delete(key)
}
