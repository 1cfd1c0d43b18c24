/**
 * What to do about one content: the rules, as a function of what is known.
 *
 * - **Take** when this node's rank is below the copies wanted: it is one of those that should hold it. Or when fewer than `min` copies are
 *   proven, for `grace x (rank - target + 1)`: the first member behind those that should have it waits one grace, the next one two, so a reboot
 *   copies nothing, and of many that could step in one does.
 * - **Drop** only when this node is none of those that should hold it, and as many freshly proven copies as are wanted stand before it. In
 *   any set of holders the first ones never drop, so two nodes never drop for each other, however late they hear of things.
 *   What a node that leaves hands over stays meanwhile: its own copy, of which it alone knows that it goes, may be one of those before it.
 * - What is blocked, or may no longer be read here, goes at once and whatever else is so.
 */
import type { Before, Copies as OtherCopies } from './claims.ts'
import { FRESH_MS } from './claims.ts'
import { NO_RANK } from './own-rank.ts'
import type { Copies } from './strategies.ts'
import type { Candidate, Cause, MirrorPolicy } from './types.ts'

export interface Facts {
  readonly candidate: Candidate
  /** Why it is not for this node; undefined when it is. */
  readonly ineligible: string | undefined
  /** Of this node. */
  readonly rank: number
  readonly copies: Copies
  readonly others: OtherCopies
  /** Looked at only for what is held. */
  readonly before: Before | undefined
  /** Whether anybody has looked who holds it. */
  readonly isKnown: boolean
  /** Since when this node's class and region are what they are, and since when the network is whole. */
  readonly ownSinceMs: number
  readonly wholeSinceMs: number
}

export type Verdict =
  | { readonly kind: 'take' | 'drop'; readonly cause: Cause; readonly reason: string; readonly dueMs: number }
  | {
      readonly kind: 'prove'
      readonly peers: readonly string[]
      readonly reason: string
      readonly dueMs: number
    }
  | { readonly kind: 'none'; readonly dueMs: number }

const NEVER = Number.POSITIVE_INFINITY
const nothing = (dueMs: number = NEVER): Verdict => ({ kind: 'none', dueMs })

/** `dueMs`: when to decide anew though nothing changes but the time. */
export function decide(facts: Facts, policy: MirrorPolicy, nowMs: number): Verdict {
  switch (facts.candidate.have) {
    case 'own':
      return facts.candidate.isBlocked ? mustGo(facts) : nothing()
    case 'mirror':
      return decideHeld(facts, policy, nowMs)
    case 'coming':
      return nothing()
    default:
      return decideMissing(facts, policy, nowMs)
  }
}

const mustGo = ({ candidate, ineligible }: Facts): Verdict => ({
  kind: 'drop',
  cause: candidate.isBlocked ? 'blocked' : 'not-reader',
  reason: ineligible!,
  dueMs: NEVER
})

function decideMissing(facts: Facts, policy: MirrorPolicy, nowMs: number): Verdict {
  const { candidate, ineligible, rank, copies } = facts
  if (ineligible !== undefined || policy.isFrozen || policy.isDraining) return nothing()
  const take = (cause: Cause, reason: string): Verdict => ({ kind: 'take', cause, reason, dueMs: NEVER })
  if (candidate.isPinned) return take('pinned', 'it is pinned here')
  if (rank === NO_RANK) return nothing()
  if (candidate.isOffered) return take('offered', 'a node that leaves hands it over')
  if (rank < copies.take) {
    const cause = rank < policy.target ? 'rank' : 'demand'
    return take(cause, `this node is number ${rank + 1} of the ${copies.take} that should hold it`)
  }
  return repair(facts, policy, nowMs)
}

function repair(
  { rank, others, isKnown, wholeSinceMs }: Facts,
  policy: MirrorPolicy,
  nowMs: number
): Verdict {
  const { min, target, graceMs } = policy
  if (!isKnown) return nothing()
  if (others.shortSinceMs === undefined || others.isHere) return nothing(others.expiresMs)
  const dueMs = Math.max(others.shortSinceMs, wholeSinceMs) + graceMs * Math.max(1, rank - target + 1)
  if (nowMs < dueMs) return nothing(dueMs)
  const reason = `${others.proven} of at least ${min} copies are proven, and ${Math.max(0, rank - target)} before this node did not step in`
  return { kind: 'take', cause: 'repair', reason, dueMs: NEVER }
}

function decideHeld(facts: Facts, policy: MirrorPolicy, nowMs: number): Verdict {
  const { candidate, ineligible, rank, copies, ownSinceMs, wholeSinceMs } = facts
  if (candidate.isBlocked || !candidate.isReader) return mustGo(facts)
  if (candidate.isPinned || policy.isFrozen) return nothing()
  const isOurs = ineligible === undefined && (rank < copies.keep || candidate.isOffered)
  if (isOurs) return nothing()
  const before = facts.before!
  const wanted = wantedBefore(copies, policy)
  if (before.proven < wanted) return nothing()
  if (before.fresh < wanted)
    return {
      kind: 'prove',
      peers: before.stale,
      reason: 'a copy here may go once these are proven anew',
      dueMs: NEVER
    }
  // Whoever relied on this node's last place, and whoever this node relied on for that, has looked again by then.
  const settledMs = ownSinceMs + 2 * FRESH_MS
  const dueMs = Math.max(before.freshSinceMs! + policy.graceMs, wholeSinceMs + policy.graceMs, settledMs)
  if (nowMs < dueMs) return nothing(dueMs)
  const reason = `${before.fresh} proven copies stand before this one, ${wanted} are enough`
  return { kind: 'drop', cause: 'surplus', reason, dueMs: before.expiresMs }
}

/** Copies that must stand before one that goes: as many as are wanted, and never fewer than must be. */
export const wantedBefore = ({ keep }: Copies, { min }: MirrorPolicy): number => Math.max(min, keep)
