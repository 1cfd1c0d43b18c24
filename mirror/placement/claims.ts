/**
 * Who says that it holds a content, what it has proven of that, and what follows: how many copies there are that count, since when
 * there are too few, and how many stand before this node.
 *
 * A copy counts when a member holds it, has proven it within a day, and can be reached. Copies in one public network are one: who runs a
 * hundred nodes there runs one disk as far as anybody can tell. All of it follows from times that are kept with the claims, so it comes out
 * the same whether it is looked at once an hour or at every change.
 */
import { DAY_MS, HOUR_MS } from '../../base/index.ts'
import type { Words } from './cost.ts'
import { isBefore, type Place, type Roster } from './roster.ts'
import type { PeerState } from './types.ts'

/** Holders are asked once a day; two hours are for those that were busy. */
export const PROOF_LIFETIME_MS = DAY_MS + 2 * HOUR_MS
/** A copy here goes only because of proofs that are as fresh as this. */
export const FRESH_MS = HOUR_MS
/** More claims on one content are not kept: three times the most copies there may be. */
export const MAX_CLAIMS = 60

export interface Claim {
  /** Since when it is known as proven; undefined until it has proven anything. */
  readonly sinceMs?: number | undefined
  readonly provenMs?: number | undefined
  /** When it said that it let go of it, or failed to prove it. */
  readonly goneMs?: number | undefined
}

/** A claim, and what is known of the peer. */
export interface Holder {
  readonly peer: string
  readonly claim: Claim
  readonly state: PeerState
}

/**
 * Whose claim says least, where there are too many: it has proven nothing, has let go, or is no member; else it no longer counts, those that
 * ended longest ago first; else it is in one network with another that counts for as long. So names without end in one network, or names that
 * proved something once, keep nobody out. Undefined: each of them is a copy of its own that counts.
 */
export function leastTelling(
  holders: Iterable<Holder>,
  isMember: (peer: string) => boolean,
  nowMs: number
): string | undefined {
  const ended: Holder[] = []
  const ofSite = new Map<string, Holder>()
  let twin: Holder | undefined
  for (const holder of holders) {
    const { peer, claim } = holder
    if (claim.provenMs === undefined || claim.goneMs !== undefined || !isMember(peer)) return peer
    if (countsUntilMs(holder) <= nowMs) ended.push(holder)
    else {
      const other = ofSite.get(siteOf(holder))
      const isLonger = other === undefined || countsUntilMs(holder) > countsUntilMs(other)
      if (isLonger) ofSite.set(siteOf(holder), holder)
      if (other !== undefined) twin ??= isLonger ? other : holder
    }
  }
  ended.sort((a, b) => countsUntilMs(a) - countsUntilMs(b))
  return (ended[0] ?? twin)?.peer
}

/** Copies that others hold. */
export interface Copies {
  /** That count. */
  readonly proven: number
  /** Since when there are fewer than `min`; undefined when there are enough. */
  readonly shortSinceMs: number | undefined
  /** When one of those that count no longer does, unless it proves itself anew. */
  readonly expiresMs: number
  /** Whether one of them is in this node's own public network: another copy here would count as the same. */
  readonly isHere: boolean
}

export interface CopiesQuery {
  readonly roster: Roster
  readonly min: number
  /** This node's own public network. */
  readonly network: string | undefined
  /** Before that nobody had looked who holds it. */
  readonly knownSinceMs: number
  readonly nowMs: number
}

const provenUntilMs = ({ provenMs }: Claim): number =>
  provenMs === undefined ? Number.NEGATIVE_INFINITY : provenMs + PROOF_LIFETIME_MS

/** When it ceased to count, or will if nothing changes but the time; -Infinity for what never counted. */
const countsUntilMs = ({ claim, state }: Holder): number =>
  claim.provenMs === undefined
    ? Number.NEGATIVE_INFINITY
    : Math.min(
        provenUntilMs(claim),
        state.awaySinceMs ?? Number.POSITIVE_INFINITY,
        claim.goneMs ?? Number.POSITIVE_INFINITY
      )

/** Who counts as one. */
const siteOf = ({ peer, state }: Holder): string => state.network ?? peer

/** Counts the copies of others that are members. */
export function countCopies(holders: Iterable<Holder>, query: CopiesQuery): Copies {
  const { roster, min, network, knownSinceMs, nowMs } = query
  const untilMs = new Map<string, number>()
  for (const holder of holders) {
    if (roster.get(holder.peer) === undefined) continue
    const site = siteOf(holder)
    untilMs.set(site, Math.max(untilMs.get(site) ?? Number.NEGATIVE_INFINITY, countsUntilMs(holder)))
  }
  const times = [...untilMs.values()].sort((a, b) => b - a)
  const proven = times.filter(atMs => atMs > nowMs).length
  // With the copy at `min - 1` gone, and every other after it still there, there were too few.
  const shortSinceMs = proven >= min ? undefined : Math.max(knownSinceMs, times[min - 1] ?? knownSinceMs)
  return {
    proven,
    shortSinceMs,
    expiresMs: proven === 0 ? Number.POSITIVE_INFINITY : times[proven - 1]!,
    isHere: network !== undefined && (untilMs.get(network) ?? 0) > nowMs
  }
}

/** Copies of members that stand before a place. */
export interface Before {
  /** That count, by the freshness of their proofs. */
  readonly proven: number
  readonly fresh: number
  /** Since when there are `wanted` fresh ones; undefined when there are fewer. */
  readonly freshSinceMs: number | undefined
  /** Who counts, and should prove itself anew for that. */
  readonly stale: readonly string[]
  /** When one of the fresh ones is no longer fresh. */
  readonly expiresMs: number
}

export interface BeforeQuery {
  readonly roster: Roster
  readonly content: Words
  readonly place: Place
  readonly wanted: number
  readonly nowMs: number
}

/**
 * Counts the copies before a place in the plain order of costs, which two nodes see alike though they differ about all others: of two that
 * hold a copy only one stands before the other.
 */
export function countBefore(holders: Iterable<Holder>, query: BeforeQuery): Before {
  const { roster, content, place, wanted, nowMs } = query
  const sites = new Map<string, { sinceMs: number; freshUntilMs: number; peer: string }>()
  for (const holder of holders) {
    const { peer, claim, state } = holder
    if (countsUntilMs(holder) <= nowMs) continue
    const other = roster.placeOf(peer, content)
    if (other === undefined || !isBefore(other, place)) continue
    const freshUntilMs = claim.provenMs! + FRESH_MS
    const known = sites.get(siteOf(holder))
    if (known !== undefined && known.freshUntilMs >= freshUntilMs) continue
    sites.set(siteOf(holder), { sinceMs: Math.max(claim.sinceMs!, state.presentSinceMs), freshUntilMs, peer })
  }
  const fresh = [...sites.values()].filter(({ freshUntilMs }) => freshUntilMs > nowMs)
  const since = fresh.map(({ sinceMs }) => sinceMs).sort((a, b) => a - b)
  return {
    proven: sites.size,
    fresh: fresh.length,
    freshSinceMs: wanted === 0 ? undefined : since[wanted - 1],
    stale: [...sites.values()].filter(({ freshUntilMs }) => freshUntilMs <= nowMs).map(({ peer }) => peer),
    expiresMs: fresh.reduce(
      (least, { freshUntilMs }) => Math.min(least, freshUntilMs),
      Number.POSITIVE_INFINITY
    )
  }
}
