import type { CID } from 'multiformats/cid'
import type { MirrorAccept, MirrorStrategy } from '../../config/index.ts'
import type { Priority } from './strategies.ts'

/** What this node has of a content. */
export type Have =
  | 'nothing'
  /** Being fetched for mirroring: its bytes count as taken. */
  | 'coming'
  /** Here for other reasons, and may go at any time: taking it costs no transfer. */
  | 'cache'
  /** Held as a mirror. */
  | 'mirror'
  /** Published here, or kept by the operator in another way: it counts, and is never let go of here. */
  | 'own'

/** What the planner needs to know of a release. Several with one content are one here: the one that is protected most. */
export interface Candidate {
  readonly name: string
  readonly version: string
  /** Public key, as text. */
  readonly owner: string
  readonly content: CID
  readonly bytes: number
  /** Whose members may hold it: the name of a set of members (`setMembers`). */
  readonly pool: string
  readonly have: Have
  /** Whether this node may read its library. */
  readonly isReader: boolean
  readonly isBlocked: boolean
  /** Whether a library that this node follows has it. */
  readonly isFollowed: boolean
  /** Whether `mirror.accept = "listed"` means it. */
  readonly isListed: boolean
  readonly isPinned: boolean
  /** Whether a node that leaves asked this one to take it over. */
  readonly isOffered: boolean
  /** `demandFor`. */
  readonly demand: { readonly count: number; readonly askers: number; readonly lastMs?: number | undefined }
  readonly priority: Priority
  /** Share of its holders' time in which they could be reached and proved it, 0 to 1. */
  readonly availability: number
}

/** Another node. Liveness is here and in no rank. */
export interface PeerState {
  /** `networkOf` its address. */
  readonly network?: string | undefined
  /** Since when it cannot be reached; undefined while it can. */
  readonly awaySinceMs?: number | undefined
  /** Since when it can be reached. */
  readonly presentSinceMs: number
}

export type Accept = MirrorAccept
export type StrategyName = MirrorStrategy

export interface MirrorPolicy {
  /** Copies: below `min` is repaired, `target` there should be, more than `max` never. min <= target <= max <= 20. */
  readonly min: number
  readonly target: number
  readonly max: number
  readonly graceMs: number
  /** Bytes of others' releases; 0 = no limit. */
  readonly quotaBytes: number
  /** Bytes an hour. */
  readonly repairBudgetBytes: number
  readonly accept: Accept
  readonly strategy: StrategyName
  /** Says that the network is split, or that this node is cut off: nothing is taken or let go of. */
  readonly isFrozen: boolean
  /** Says that this node is about to leave: it takes nothing, and hands over what nobody else holds. */
  readonly isDraining: boolean
}

interface ActionOn {
  readonly name: string
  readonly version: string
  readonly owner: string
  readonly content: CID
  /** For a person and a program to read. */
  readonly reason: string
}

/** What this node should do next. `bytes`: transferred by a take or an offer, freed by a drop, none for a proof. */
export type Action =
  | (ActionOn & { readonly kind: 'take' | 'drop'; readonly bytes: number; readonly cause: Cause })
  /** Ask one of `peers` to take it over, the first that will; none: nobody is there who could. */
  | (ActionOn & { readonly kind: 'offer'; readonly bytes: number; readonly peers: readonly string[] })
  /** Have `peer` prove that it holds this, so that a copy here may go. */
  | (ActionOn & { readonly kind: 'prove'; readonly bytes: 0; readonly peer: string })

/** Why something is taken or let go of. */
export const CAUSES = [
  'pinned',
  'offered',
  'repair',
  'rank',
  'demand',
  'blocked',
  'not-reader',
  'surplus',
  'evicted'
] as const
export type Cause = (typeof CAUSES)[number]

/** Something that should be taken, and is not for now. */
export interface HeldBack {
  readonly content: CID
  readonly name: string
  readonly version: string
  readonly bytes: number
  readonly because: 'quota' | 'owner' | 'budget' | 'actions'
}

export interface Plan {
  /** What matters most first. */
  readonly actions: readonly Action[]
  /** The first hundred. */
  readonly heldBack: readonly HeldBack[]
  /** When to plan again though nothing changes; undefined: only then. */
  readonly nextMs: number | undefined
  /** Of a node that drains: nothing is here that too few others hold. */
  readonly isSafeToLeave: boolean
  readonly usedBytes: number
}
