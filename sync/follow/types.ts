import type { SyncFrame } from '../../protocols/index.ts'
import type { SyncWay } from '../reconcile/index.ts'

interface SessionPeers {
  /** Chosen by the caller, and never used again. */
  readonly session: number
  /** Peer ids of this node and the other, as multihashes. */
  readonly local: Uint8Array
  readonly remote: Uint8Array
}

/**
 * How a copy is made equal. `differential`: what differs is looked for, in the cheapest way. `incremental`: the peer is asked what has
 * changed since the head of the copy, and where it does not say it, what differs is looked for. `full`: everything comes anew, whatever is
 * here, beside the copy that counts.
 */
export const SYNC_STRATEGIES = ['full', 'incremental', 'differential'] as const
export type SyncStrategy = (typeof SYNC_STRATEGIES)[number]

/** To make a copy of another node's library equal to what a peer has of it. */
export interface FollowOptions extends SessionPeers {
  readonly role: 'follower'
  readonly library: Uint8Array
  /** Public key of the node whose library it is. */
  readonly writer: Uint8Array
  /** Its name there. */
  readonly name: string
  /** Says what would change, and changes nothing. */
  readonly isDryRun: boolean
  /** What comes is to join home: a library that is not for everybody is refused before any of it comes. */
  readonly isToJoin?: boolean
  readonly strategy: SyncStrategy
  /** Records that the library may have. */
  readonly maxRecords: number
  /** Bytes that these may have, all together. */
  readonly maxBytes: number
  /** Of the trace that the session belongs to, where there is one. */
  readonly traceparent?: string
}

/** To show a peer the library that it asks for. */
export interface SourceOptions extends SessionPeers {
  readonly role: 'source'
  /** Public key of the other node: what it may not know of is not here for it. */
  readonly node: Uint8Array
  /** When the tries of a large library may be compared with this peer; 0 = now. */
  readonly compareInMs: number
  /** When a sketch may be made for it; 0 = now. */
  readonly sketchInMs: number
}

export type SessionOpening = FollowOptions | SourceOptions

/** What a follower's session came to. */
export interface FollowOutcome {
  /** `behind`: the peer has an earlier state of the library than this node has, or has heard of, so nothing was taken. */
  readonly state: 'equal' | 'updated' | 'behind'
  /** Records that came, or would come. */
  readonly received: number
  /** Records that went because the library does not have them any more, replaced ones included. */
  readonly removed: number
  /** Records of the copy, and its root, as it is now; of a dry run as it would be. */
  readonly records: number
  readonly root: Uint8Array
  /** What the peer has. */
  readonly peerRoot: Uint8Array
  /** How differences became known; undefined where there were none. */
  readonly way: SyncWay | undefined
  readonly head: { readonly epoch: number; readonly revision: number; readonly expires: number }
}

/** To make a copy of another node's library what a bundle has of it. */
export interface BundleOpening
  extends Pick<FollowOptions, 'session' | 'library' | 'writer' | 'name' | 'maxRecords' | 'maxBytes'> {
  /** The signed head of the bundle, judged. */
  readonly head: Uint8Array
  /** Records in the set of that head, as a proof says. */
  readonly records: number
}

/** What a bundle came to as a copy. */
export interface BundleOutcome extends Pick<FollowOutcome, 'received' | 'removed' | 'records'> {
  /** `part`: it was not of the whole library; `behind`: a later state is here, or known. Nothing was changed then. */
  readonly state: 'equal' | 'updated' | 'part' | 'behind'
}

/** A part of what a side says in its turn. */
export interface Said {
  readonly frames: Uint8Array[]
  /** Whether there is more of this turn. */
  readonly more: boolean
  /** Records in these frames. */
  readonly records: number
  /** Whether the tries of a large library are being compared. */
  readonly isFull: boolean
  /** Records that were gone through for sketches since the last part. */
  readonly sketchedRecords?: number
  /** The session has ended, once the frames are sent; a source has no outcome. */
  readonly ended?: { readonly outcome?: FollowOutcome }
}

/** A session in the worker. Whoever drives it calls one method after the other, and `close` whatever happens. */
export interface WorkerSession {
  /** Takes a message in, and says whether it is this side's turn now. */
  take(frame: SyncFrame, nowMs: number): Promise<boolean>
  say(nowMs: number): Promise<Said>
  close(): Promise<void>
}
