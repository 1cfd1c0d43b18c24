import type { PeerId } from '@libp2p/interface'
import type { Verdict } from '../protocols/index.ts'
import type { Contact } from './peers/contact.ts'

/** What one peer answered to "who holds this". */
export interface FindReply {
  /** Peer records, signatures not checked yet, and the age of each claim. */
  readonly providers: ReadonlyArray<{ peerRecord: Uint8Array; ageMs: number }>
  /** Peers it names as nearer, unchecked and at most MAX_CLOSER_PEERS. */
  readonly closer: readonly Contact[]
}

/** Claims of this node for one peer, in as many requests as needed. */
export interface ProvideCall {
  readonly keys: readonly Uint8Array[]
  readonly lifetimeMs: number
}

/** What discovery asks of the network: libp2p in a node (`Libp2pNetwork`), peers in memory in tests. */
export interface DiscoveryNetwork {
  readonly self: PeerId
  /** Peers with an open connection now. */
  connected(): Contact[]
  /** Calls back for each peer that becomes usable, and for each that is gone; returns how to stop it. */
  watch(listeners: { connect(contact: Contact): void; disconnect(id: string): void }): () => void
  /** This node's addresses, signed. */
  ownRecord(): Promise<Uint8Array>
  /** The peers nearest to a key that the DHT finds (`getClosestPeers`); all that answered, in any order. */
  closestPeers(key: Uint8Array, signal: AbortSignal): Promise<Contact[]>
  /** Sends claims; one verdict for each key. Throws when the peer cannot be reached or refuses the whole. */
  provide(peer: Contact, call: ProvideCall, signal: AbortSignal): Promise<Verdict[]>
  find(peer: Contact, key: Uint8Array, signal: AbortSignal): Promise<FindReply>
}
