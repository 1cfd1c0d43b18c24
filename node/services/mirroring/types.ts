/** What the parts of mirroring know of each other. */
import type { Member } from '../../../mirror/index.ts'

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
  /** When the next member stops counting; undefined when nobody will. */
  nextExpiryMs(): number | undefined
  /** Called after what members() says has changed; returns how to stop that. */
  onChange(listener: () => void): () => void
  /** Gives another capacity from now on: signs anew when the class changes. */
  setCapacity(bytes: number): Promise<void>
  /** Volunteers no longer: the last record, told to all connected peers. Resolves when told, or rejects with the signal's reason. */
  leave(signal: AbortSignal): Promise<void>
  /** Volunteers again after leave. */
  rejoin(): Promise<void>
}
