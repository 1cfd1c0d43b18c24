/**
 * The rank of this node for each content, kept up as members come and go.
 *
 * A node needs to know its own rank only, and that exactly only where it is among the first. Of a hundred thousand contents and a thousand
 * members that saves most of the work: counting who stands before ends when there are enough, after some two hundred hashes on average
 * instead of a thousand. And how many are before is kept with some to spare, so that a member that goes does not make it
 * count anew. What a change of one member costs is one hash for each content.
 */
import { costOf, type Words } from './cost.ts'
import { isBefore, LAST_PLACE, type Place, type Placed, type Roster } from './roster.ts'
import { SPREAD_WINDOW, type Spread, spreadOut } from './spread.ts'

/** Who stands behind so many members is no candidate and never takes a copy. Twice the most copies there may be. */
export const CANDIDATES = 40
/** How many more are counted: so many may go before it is counted anew. */
const SPARE = 16

/** No rank: not among the candidates, or no member. */
export const NO_RANK = Number.POSITIVE_INFINITY

/** Where this node stands for one content. */
export interface OwnRank {
  /** From 0. Up to `max` it is that of the spread order, from there on that of the costs. */
  readonly rank: number
  readonly place: Place
  /** A change of who stands behind this place changes nothing. */
  readonly bound: Place
  /** Members before this node, at least. */
  before: number
}

export interface RankOptions {
  readonly spread: Spread
  /** Most copies. */
  readonly max: number
}

/** `place`: of this node. `isMember`: whether it is one of the roster's. */
export function rankOwn(
  roster: Roster,
  self: { readonly peer: string; readonly place: Place; readonly isMember: boolean },
  content: Words,
  { spread, max }: RankOptions
): OwnRank {
  const { peer, place, isMember } = self
  if (!isMember) return { rank: NO_RANK, place, bound: place, before: 0 }
  const before = roster.countBefore(place, content, CANDIDATES + SPARE)
  if (before >= CANDIDATES) return { rank: NO_RANK, place, bound: place, before }
  const window = roster.first(content, SPREAD_WINDOW * max)
  const at = spreadOut(window, max, spread).findIndex(member => member.peer === peer)
  const last = window.length < SPREAD_WINDOW * max ? LAST_PLACE : window.at(-1)!.place
  return {
    rank: at >= 0 ? at : Math.max(max, before),
    place,
    bound: isBefore(last, place) ? place : last,
    before
  }
}

/** Takes in that a member came, went, or became another one. True when the rank must be made anew. */
export function isMoved(
  own: OwnRank,
  from: Placed | undefined,
  to: Placed | undefined,
  content: Words
): boolean {
  const isRanked = own.rank !== NO_RANK
  const limit = isRanked ? own.bound : own.place
  const wasWithin = from !== undefined && isWithin(from, content, limit)
  const isNowWithin = to !== undefined && isWithin(to, content, limit)
  if (isRanked) return wasWithin || isNowWithin
  own.before += Number(isNowWithin) - Number(wasWithin)
  return own.before < CANDIDATES
}

/** Whether a member stands before a place or at it. */
function isWithin({ words, scale, name }: Placed, content: Words, { cost, name: limit }: Place): boolean {
  const own = costOf(words, scale, content)
  return own < cost || (own === cost && name <= limit)
}
