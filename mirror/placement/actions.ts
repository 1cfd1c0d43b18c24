import type { Budget } from './budget.ts'
import {
  byUrgency,
  chooseFitting,
  Fitting,
  type Held,
  type Obstacle,
  type Room,
  transferOf,
  URGENCY,
  type Want
} from './capacity.ts'
import { type Before, type Claim, countBefore } from './claims.ts'
import type { Facts, Verdict } from './decide.ts'
import type { Entry } from './entry.ts'
import { CANDIDATES } from './own-rank.ts'
import type { Pool } from './pool.ts'
import type { Stock } from './stock.ts'
import { worthOf } from './strategies.ts'
import type { Action, HeldBack, MirrorPolicy, Plan } from './types.ts'

/** What is planned at once; the rest is planned when that is done. */
const MAX_ACTIONS = 1000
/** What a person reads of it. */
const MAX_HELD_BACK = 100

export interface ActionsInput {
  readonly policy: MirrorPolicy
  readonly stock: Stock
  readonly budget: Budget
  /** What is mirrored here. */
  entries(): readonly Entry[]
  /** That, and what is this node's own. */
  held(): readonly Entry[]
  factsOf(entry: Entry): Facts
  pool(entry: Entry): Pool
  /** Whether a peer is known to be reachable. */
  isThere(peer: string): boolean
  /** The peer id of this node. */
  readonly self: string
  readonly nowMs: number
}

interface EntryWant extends Want {
  readonly entry: Entry
  readonly reason: string
}
interface EntryHeld extends Held {
  readonly entry: Entry
}
type Doing = Extract<Verdict, { kind: 'take' | 'drop' }>

/** Makes a plan of what was decided for each content: what fits, in the order of its urgency. */
export function actionsOf(open: Iterable<Entry>, input: ActionsInput): Plan {
  const { policy, stock, budget, nowMs } = input
  const { wants, drops, proofs, nextMs } = sort(open, policy)
  wants.sort(byUrgency)
  const fitted = chooseFitting<EntryWant, EntryHeld>(wants, () => heldBy(input, drops), roomOf(input, drops))
  for (const { entry, before } of fitted.stale)
    for (const peer of before().stale)
      proofs.push({
        ...about(entry),
        kind: 'prove',
        peer,
        bytes: 0,
        reason: 'a copy here may go for room once this is proven anew'
      })
  const offers = policy.isDraining ? offersOf(input) : []
  const all: Action[] = [
    ...drops.map(({ entry, verdict }) => dropOf(entry, verdict.cause, verdict.reason)),
    ...fitted.evictions.map(({ entry }) =>
      dropOf(
        entry,
        'evicted',
        'room is needed for what is more urgent, and enough proven copies stand before this one'
      )
    ),
    ...offers,
    ...fitted.takes.map(takeOf),
    ...proofs
  ]
  const isCut = all.length > MAX_ACTIONS
  const isShortOfBudget = fitted.heldBack.some(({ because }) => because === 'budget')
  const waits = [nextMs, ...(isShortOfBudget ? [budget.nextMs(nowMs)] : []), ...(isCut ? [nowMs] : [])]
  const next = waits.reduce((least, at) => Math.min(least, at))
  return {
    actions: all.slice(0, MAX_ACTIONS),
    heldBack: fitted.heldBack.slice(0, MAX_HELD_BACK).map(heldBackOf),
    nextMs: next === Number.POSITIVE_INFINITY ? undefined : next,
    isSafeToLeave: offers.length === 0,
    usedBytes: stock.usedBytes
  }
}

/** What there is room for, with all that goes at once gone. */
const roomOf = ({ policy, stock, budget, nowMs }: ActionsInput, drops: Sorted['drops']): Room => ({
  quotaBytes: policy.quotaBytes,
  usedBytes: stock.usedBytes - drops.reduce((sum, { entry }) => sum + entry.usedBytes, 0),
  ownerBytes: stock.ownerBytes,
  budgetBytes: budget.leftBytes(nowMs),
  min: policy.min
})

/** What may be offered to this node between two plans: what has room keeps it, and the next one is judged by what is left. */
export interface OfferRoom {
  /** Why there is none for one that is offered; undefined where there is, or will be when what is less urgent has gone. */
  take(entry: Entry): Exclude<Obstacle, 'room'> | undefined
}

/** The room that is left when all has come that is wanted as urgently. */
export function offerRoomOf(open: Iterable<Entry>, input: ActionsInput): OfferRoom {
  const { policy } = input
  const { wants, drops } = sort(open, policy)
  const fitting = new Fitting<EntryWant, EntryHeld>(
    () => heldBy(input, drops).map(onceProven),
    roomOf(input, drops)
  )
  const urgent = wants.filter(({ cause }) => URGENCY[cause] <= URGENCY.offered).sort(byUrgency)
  for (const want of urgent) fitting.take(want)
  return {
    take(entry) {
      const { candidate } = entry
      const worth = worthOf(candidate, policy)
      const obstacle = fitting.take({ entry, candidate, worth, cause: 'offered', reason: '' })
      return obstacle === 'room' ? undefined : obstacle
    }
  }
}

/** As if all that is proven were so freshly: a want that waits for room has it proven anew. */
const onceProven = (held: EntryHeld): EntryHeld => ({
  ...held,
  before() {
    const before = held.before()
    return { ...before, fresh: before.proven }
  }
})

interface Sorted {
  readonly wants: EntryWant[]
  readonly drops: Array<{ entry: Entry; verdict: Doing }>
  readonly proofs: Action[]
  readonly nextMs: number
}

function sort(open: Iterable<Entry>, policy: MirrorPolicy): Sorted {
  const wants: EntryWant[] = []
  const drops: Sorted['drops'] = []
  const proofs: Action[] = []
  let nextMs = Number.POSITIVE_INFINITY
  for (const entry of open) {
    const { verdict, candidate } = entry
    nextMs = Math.min(nextMs, verdict.dueMs)
    if (verdict.kind === 'take')
      wants.push({
        entry,
        candidate,
        cause: verdict.cause,
        reason: verdict.reason,
        worth: worthOf(candidate, policy)
      })
    else if (verdict.kind === 'drop') drops.push({ entry, verdict })
    else if (verdict.kind === 'prove')
      for (const peer of verdict.peers)
        proofs.push({ ...about(entry), kind: 'prove', peer, bytes: 0, reason: verdict.reason })
  }
  return { wants, drops, proofs, nextMs }
}

const about = ({ candidate: { name, version, owner, content } }: Entry) => ({ name, version, owner, content })

const takeOf = ({ entry, cause, reason }: EntryWant): Action => ({
  ...about(entry),
  kind: 'take',
  cause,
  bytes: transferOf(entry.candidate),
  reason
})

const dropOf = (entry: Entry, cause: Doing['cause'], reason: string): Action => ({
  ...about(entry),
  kind: 'drop',
  cause,
  bytes: entry.candidate.bytes,
  reason
})

const heldBackOf = ({ want, because }: { want: EntryWant; because: HeldBack['because'] }): HeldBack => {
  const { name, version, content, bytes } = want.candidate
  return { name, version, content, bytes, because }
}

/** What is here and not pinned, with how urgently it is needed here. */
function heldBy(input: ActionsInput, drops: Sorted['drops']): EntryHeld[] {
  const { policy, nowMs } = input
  const dropped = new Set(drops.map(({ entry }) => entry))
  if (policy.isFrozen) return []
  return input
    .entries()
    .filter(entry => !entry.candidate.isPinned && !dropped.has(entry))
    .map(entry => {
      const { roster } = input.pool(entry)
      const query = { roster, content: entry.words, place: entry.own.place, wanted: policy.min, nowMs }
      let before: Before | undefined
      return {
        entry,
        candidate: entry.candidate,
        urgency: urgencyOf(input.factsOf(entry), policy),
        worth: worthOf(entry.candidate, policy),
        before: () => {
          before ??= countBefore(entry.holders(), query)
          return before
        }
      }
    })
}

function urgencyOf(
  { candidate, ineligible, rank, copies, others }: Facts,
  { min, target }: MirrorPolicy
): number {
  if (others.proven < min) return URGENCY.repair
  if (ineligible !== undefined) return URGENCY.surplus
  if (candidate.isOffered) return URGENCY.offered
  if (rank >= copies.keep) return URGENCY.surplus
  return rank < target ? URGENCY.rank : URGENCY.demand
}

/** Whether a peer says that it has it. */
const isClaimed = (claim: Claim | undefined): boolean => claim !== undefined && claim.goneMs === undefined

/** Members that one content is offered to. */
const MAX_TAKERS = 8

/** Of what too few others hold, this node's own too: the first members that can be reached and have it not. */
function offersOf(input: ActionsInput): Action[] {
  return input.held().flatMap(entry => {
    const { others } = input.factsOf(entry)
    if (others.proven >= input.policy.min || entry.candidate.isBlocked) return []
    const { roster } = input.pool(entry)
    const peers = roster
      .first(entry.words, CANDIDATES)
      .map(({ peer }) => peer)
      .filter(peer => peer !== input.self && input.isThere(peer) && !isClaimed(entry.claim(peer)))
      .slice(0, MAX_TAKERS)
    const reason = `${others.proven} of at least ${input.policy.min} copies are proven elsewhere`
    const { bytes } = entry.candidate
    return [{ ...about(entry), kind: 'offer', bytes, peers, reason } satisfies Action]
  })
}
