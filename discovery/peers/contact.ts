import type { PeerId } from '@libp2p/interface'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { kademliaId } from '../keys.ts'

/** A peer that can be asked: who it is, where it lies in the key space, and where it can be dialled. */
export interface Contact {
  readonly peerId: PeerId
  /** `peerId` as text, for maps and logs. */
  readonly id: string
  readonly kademliaId: Uint8Array
  /** Empty when only libp2p knows them, or an open connection makes them needless. */
  readonly addresses: readonly Multiaddr[]
}

export const contactOf = (peerId: PeerId, addresses: readonly Multiaddr[]): Contact => ({
  peerId,
  id: peerId.toString(),
  kademliaId: kademliaId(peerId.toMultihash().bytes),
  addresses
})

/** Multiaddrs from bytes of a peer; those that are none are left out. */
export function parseAddresses(list: readonly Uint8Array[]): Multiaddr[] {
  return list.flatMap(bytes => {
    try {
      return [multiaddr(bytes)]
    } catch {
      // An address of a kind this version does not know is as good as none.
      return []
    }
  })
}
