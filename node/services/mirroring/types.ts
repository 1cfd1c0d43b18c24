/** What the parts of mirroring know of each other. */
import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import type { ReleaseRecord } from '../../../library/index.ts'
import type { Demand, Member } from '../../../mirror/index.ts'

/** Who volunteers to hold copies, as far as this node knows, and whether it does itself. */
export interface MemberDirectory {
  /** Nodes that count now, this one among them if it volunteers. `peer` is the peer id as text. */
  members(): readonly Member[]
  /** This node as its own record says, or would say. */
  own(): Member
  readonly isVolunteer: boolean
  /** This node's current record, for whoever it proves something to; undefined when it is none. */
  ownRecord(): Uint8Array | undefined
  /** A record that came with a proof. Throws MEMBER_INVALID, SIGNATURE_INVALID, UNSUPPORTED (a later format). */
  hear(record: Uint8Array): void
  /** Called after what members() says has changed; returns how to stop that. */
  onChange(listener: () => void): () => void
  /** Gives another capacity from now on: signs anew when the class changes. */
  setCapacity(bytes: number): Promise<void>
  /** Volunteers no longer: the last record, told to all connected peers. Resolves when told, or rejects with the signal's reason. */
  leave(signal: AbortSignal): Promise<void>
  /** Volunteers again after leave. */
  rejoin(): Promise<void>
}

/** How much contents are wanted, by what this node serves and what its peers say that they serve. */
export interface DemandBook {
  demandOf(content: string): Demand
  /** Contents that somebody asked for here or that peers report, most wanted first, at most `limit`. */
  wanted(limit: number): readonly string[]
  /** This node's latest signed summary; undefined when nothing is counted that everybody may know of. */
  summary(): Uint8Array | undefined
  /**
   * A summary that came from a peer, which its connection has proven. One that is not newer than the last is passed over. Throws DEMAND_INVALID,
   * SIGNATURE_INVALID, UNSUPPORTED (a later format).
   */
  hearSummary(peerId: PeerId, summary: Uint8Array): void
  /** Called with contents whose demand has grown; returns how to stop that. What fades does so without a word. */
  onChange(listener: (contents: readonly string[]) => void): () => void
}

/** Contents that nodes which leave ask others to take. */
export interface Offers {
  /**
   * Asks a peer to take what a release contains, while this node is a member: before `MemberDirectory.leave`. What the peer may not read is refused without asking it. Throws as
   * `Control.request`.
   */
  offer(peerId: PeerId, record: ReleaseRecord, signal: AbortSignal): Promise<'accepted' | 'refused'>
  /**
   * Who decides what is asked of this node, true for what it takes; without one, all is refused. The record is verified, the peer is a connected member, and it may
   * read the release: what the answer tells beyond that is up to the handler.
   */
  onOffer(handler: (peerId: PeerId, record: ReleaseRecord, signal: AbortSignal) => Promise<boolean>): void
}

/** Asks a peer which releases have some contents: those of a summary, for who would hold what is wanted. */
export interface WantedReleases {
  /** Verified, some of each content that the peer has; PROTOCOL_VIOLATION, reported, and what `Control.request` throws. */
  recordsOf(peerId: PeerId, contents: readonly CID[], signal: AbortSignal): Promise<ReleaseRecord[]>
}

/** `unanswered`: it cannot be reached, is busy, or does not speak the protocol, which says nothing about what it holds. */
export type ProofOutcome = 'proven' | 'refuted' | 'unanswered'

export interface Possession {
  /**
   * Has a peer prove that it can produce a content now. Throws nothing but the signal's reason. One of a peer at a time: to a second one it
   * says that it is busy.
   */
  challenge(peerId: string, content: CID, signal: AbortSignal): Promise<ProofOutcome>
  /** A peer has told by itself that it holds a content from now on: that it had it not when it was challenged says nothing any more. */
  claimed(peerId: string, content: CID): void
}
