/**
 * The planner: who should hold what, decided by each node for itself, kept up as things change.
 *
 * What it knows comes in by calls (releases, members, peers, claims, proofs, and what this node has); `plan` says what to do now. Nothing
 * is done twice: a change marks the contents that it may matter for, and only these are decided anew, with those whose time has come. The
 * plan is what `planMirror` would make of the same data from nothing. It does nothing itself, waits for nothing and asks for no clock.
 */
import type { CID } from 'multiformats/cid'
import { assertInvariant, SECOND_MS } from '../../base/index.ts'
import { MAX_MEMBERS } from '../members/member-set.ts'
import type { CidText } from '../types.ts'
import { type ActionsInput, actionsOf, type OfferRoom, offerRoomOf } from './actions.ts'
import { Budget } from './budget.ts'
import { type Claim, countBefore, countCopies } from './claims.ts'
import type { Words } from './cost.ts'
import { decide, type Facts, wantedBefore } from './decide.ts'
import { whyNotEligible } from './eligible.ts'
import { Entry, type KnownPeer } from './entry.ts'
import { NO_RANK, type OwnRank } from './own-rank.ts'
import { Pool } from './pool.ts'
import type { Member } from './roster.ts'
import { isSame } from './same-candidate.ts'
import { Stock } from './stock.ts'
import { copiesOf } from './strategies.ts'
import type { Candidate, MirrorPolicy, PeerState, Plan } from './types.ts'

/** Twice the members of one pool. Of more nothing is kept. */
const MAX_PEERS = 2 * MAX_MEMBERS
/** The room for offers is looked up no more often: of a hundred thousand copies that takes longer than an offer may. */
const OFFER_ROOM_MS = SECOND_MS

/** Why an offer is not taken that finds no room. */
const NO_ROOM = {
  quota: 'the quota is full of what is as urgent',
  owner: 'its owner would have more than a tenth of the quota',
  budget: 'nothing is left of the repair budget of this hour'
} as const

export interface PlannerOptions {
  /** This node as its own member record says, whether or not it is a member now. */
  readonly self: Member
  /** This node's own public network. */
  readonly network?: string | undefined
  readonly policy: MirrorPolicy
}

export class MirrorPlanner {
  readonly #entries = new Map<CidText, Entry>()
  readonly #pools = new Map<string, Pool>()
  readonly #peers = new Map<string, KnownPeer>()
  readonly #changed = new Set<Entry>()
  readonly #unlooked = new Set<Entry>()
  /** Those with a verdict, and those to decide anew at some time. */
  readonly #open = new Set<Entry>()
  readonly #stock = new Stock()
  readonly #network: string | undefined
  #self: Member
  #policy: MirrorPolicy
  #budget: Budget
  #ownSinceMs = Number.NEGATIVE_INFINITY
  #wholeSinceMs = Number.NEGATIVE_INFINITY
  #offerRoom: { readonly room: OfferRoom; readonly madeMs: number } | undefined

  constructor({ self, network, policy }: PlannerOptions) {
    expectPolicy(policy)
    this.#self = self
    this.#network = network
    this.#policy = policy
    this.#budget = new Budget({ bytesPerHour: policy.repairBudgetBytes })
  }

  /** Settings change, the network splits or is whole again, this node begins to leave. */
  setPolicy(policy: MirrorPolicy, nowMs: number): void {
    expectPolicy(policy)
    const before = this.#policy
    this.#policy = policy
    if (before.isFrozen && !policy.isFrozen) this.#wholeSinceMs = nowMs
    if (before.repairBudgetBytes !== policy.repairBudgetBytes)
      this.#budget = new Budget({ bytesPerHour: policy.repairBudgetBytes })
    if (before.strategy !== policy.strategy || before.max !== policy.max)
      for (const pool of this.#pools.values()) this.#rankAnew(pool)
    for (const entry of this.#entries.values()) if (isConcern(entry)) this.#changed.add(entry)
  }

  /** This node signs a member record with another class or region. */
  setSelf(self: Member, nowMs: number): void {
    const { region, capacityClass } = this.#self
    this.#self = self
    if (region === self.region && capacityClass === self.capacityClass) return
    this.#ownSinceMs = nowMs
    for (const pool of this.#pools.values()) {
      pool.self = self
      this.#rankAnew(pool)
    }
  }

  /** All members of a pool, this node among them if it is one. */
  setMembers(name: string, members: readonly Member[]): void {
    const pool = this.#pool(name)
    const { touched, isAnew } = pool.setMembers(members)
    if (isAnew) this.#rankAnew(pool)
    else if (touched.length > 0)
      for (const entry of pool.entries) if (pool.isMoved(entry, touched)) this.#rank(pool, entry)
    for (const { peer } of touched) this.#touch(this.#peers.get(peer))
  }

  setRelease(candidate: Candidate, nowMs: number): void {
    const key = candidate.content.toString()
    const known = this.#entries.get(key)
    if (known !== undefined && isSame(known.candidate, candidate)) return
    const { budgetBytes } = this.#stock.change(known?.candidate, candidate)
    if (budgetBytes > 0) this.#budget.spend(budgetBytes, nowMs)
    if (known !== undefined && known.candidate.pool === candidate.pool) {
      known.candidate = candidate
      this.#noteConcern(known)
      return
    }
    if (known !== undefined) this.#pools.get(known.candidate.pool)?.entries.delete(known)
    const pool = this.#pool(candidate.pool)
    const entry = known ?? this.#newEntry(candidate, pool)
    if (known !== undefined) {
      known.candidate = candidate
      known.own = pool.rank(known.words, this.#policy)
    }
    this.#entries.set(key, entry)
    pool.entries.add(entry)
    this.#noteConcern(entry)
  }

  removeRelease(content: CidText): void {
    const entry = this.#entries.get(content)
    if (entry === undefined) return
    this.#stock.change(entry.candidate, undefined)
    this.#forgetHolders(entry)
    this.#pools.get(entry.candidate.pool)?.entries.delete(entry)
    this.#entries.delete(content)
    this.#unlooked.delete(entry)
    this.#changed.delete(entry)
    this.#open.delete(entry)
  }

  /** Contents of which it matters who holds them, since this node has them or could have to, and nobody has looked yet. */
  unlooked(limit: number): CidText[] {
    const contents: CidText[] = []
    for (const { candidate } of this.#unlooked)
      if (contents.push(candidate.content.toString()) >= limit) break
    return contents
  }

  /** Contents of which it matters who holds them. */
  *concerns(): Generator<CID> {
    for (const entry of this.#entries.values()) if (isConcern(entry)) yield entry.candidate.content
  }

  /** The public network in which a peer was last seen. */
  networkOf(peer: string): string | undefined {
    return this.#peers.get(peer)?.state.network
  }

  /** It has been looked up who holds a content: from now on too few holders mean something. */
  setKnown(content: CidText, nowMs: number): void {
    const entry = this.#entries.get(content)
    if (entry === undefined || !this.#unlooked.delete(entry)) return
    entry.knownSinceMs = nowMs
    this.#changed.add(entry)
  }

  setPeer(peer: string, state: PeerState): void {
    const known = this.#peers.get(peer)
    if (known === undefined) this.#addPeer(peer, state)
    else known.state = state
    this.#touch(known)
  }

  /** Nothing that a peer said counts any more. */
  removePeer(peer: string): void {
    const known = this.#peers.get(peer)
    if (known === undefined) return
    this.#touch(known)
    for (const entry of known.entries) entry.removeClaim(peer)
    this.#peers.delete(peer)
  }

  /** A member says that it holds a content. It counts once it has proven it. False for what is no concern, and from who is no member or this node. */
  claim(content: CidText, peer: string, nowMs: number): boolean {
    const known = this.#entries.get(content)?.claim(peer)
    if (known !== undefined && known.goneMs === undefined) return true
    return this.#setClaim(content, peer, {}, nowMs)
  }

  /** A peer has proven that it can produce a content. */
  prove(content: CidText, peer: string, nowMs: number): boolean {
    const known = this.#entries.get(content)?.claim(peer)
    const sinceMs = known?.goneMs === undefined ? (known?.sinceMs ?? nowMs) : nowMs
    return this.#setClaim(content, peer, { sinceMs, provenMs: nowMs }, nowMs)
  }

  /** A peer says that it let go of a content, or could not prove it. */
  refute(content: CidText, peer: string, nowMs: number): void {
    const known = this.#entries.get(content)?.claim(peer)
    if (known !== undefined && known.goneMs === undefined)
      this.#setClaim(content, peer, { ...known, goneMs: nowMs }, nowMs)
  }

  /** Whether anything has changed since the last plan: then it is time for the next one, whatever that said. */
  get hasChanged(): boolean {
    return this.#changed.size > 0
  }

  plan(nowMs: number): Plan {
    this.#decideChanged(nowMs)
    return actionsOf(this.#open, this.#input(nowMs))
  }

  /**
   * Why this node would not take over what a node that leaves offers, in words; undefined where it would: decided as a plan would be, before
   * anything of it is kept. What is taken over has room from then on.
   */
  whyNotTakeOver(candidate: Candidate, nowMs: number): string | undefined {
    const entry = this.#newEntry({ ...candidate, isOffered: true }, this.#pool(candidate.pool))
    if (entry.usedBytes > 0 || candidate.have === 'own') return undefined
    if (decide(this.#factsOf(entry, nowMs), this.#policy, nowMs).kind !== 'take')
      return (
        whyNotEligible(candidate, this.#policy.accept) ??
        'this node moves nothing now, or too many members stand before it'
      )
    const obstacle = candidate.isOffered ? undefined : this.#roomForOffers(nowMs).take(entry)
    return obstacle === undefined ? undefined : NO_ROOM[obstacle]
  }

  #roomForOffers(nowMs: number): OfferRoom {
    const known = this.#offerRoom
    if (known !== undefined && Math.abs(nowMs - known.madeMs) < OFFER_ROOM_MS) return known.room
    this.#decideChanged(nowMs)
    const room = offerRoomOf(this.#open, this.#input(nowMs))
    this.#offerRoom = { room, madeMs: nowMs }
    return room
  }

  #decideChanged(nowMs: number): void {
    for (const entry of this.#open) if (entry.verdict.dueMs <= nowMs) this.#changed.add(entry)
    for (const entry of this.#changed) this.#decide(entry, nowMs)
    this.#changed.clear()
  }

  #input(nowMs: number): ActionsInput {
    return {
      policy: this.#policy,
      stock: this.#stock,
      budget: this.#budget,
      entries: () => this.#stock.mirrored(this.#entries),
      held: () => [...this.#entries.values()].filter(isHeld),
      factsOf: entry => this.#factsOf(entry, nowMs),
      pool: entry => this.#pool(entry.candidate.pool),
      isThere: peer => {
        const known = this.#peers.get(peer)
        return known !== undefined && known.state.awaySinceMs === undefined
      },
      self: this.#self.peer,
      nowMs
    }
  }

  #decide(entry: Entry, nowMs: number): void {
    entry.verdict = isConcern(entry)
      ? decide(this.#factsOf(entry, nowMs), this.#policy, nowMs)
      : { kind: 'none', dueMs: Number.POSITIVE_INFINITY }
    if (entry.verdict.kind === 'none' && entry.verdict.dueMs === Number.POSITIVE_INFINITY)
      this.#open.delete(entry)
    else this.#open.add(entry)
  }

  #factsOf(entry: Entry, nowMs: number): Facts {
    const { candidate, own, words, knownSinceMs } = entry
    const policy = this.#policy
    const { roster } = this.#pool(candidate.pool)
    const copies = copiesOf(candidate, policy, nowMs)
    const others = countCopies(entry.holders(), {
      roster,
      min: policy.min,
      network: this.#network,
      knownSinceMs: knownSinceMs ?? nowMs,
      nowMs
    })
    const wanted = wantedBefore(copies, policy)
    const before = entry.isMirrored
      ? countBefore(entry.holders(), { roster, content: words, place: own.place, wanted, nowMs })
      : undefined
    return {
      candidate,
      ineligible: whyNotEligible(candidate, policy.accept),
      rank: own.rank,
      copies,
      others,
      before,
      isKnown: knownSinceMs !== undefined,
      ownSinceMs: this.#ownSinceMs,
      wholeSinceMs: this.#wholeSinceMs
    }
  }

  #setClaim(content: CidText, peer: string, claim: Claim, nowMs: number): boolean {
    const entry = this.#entries.get(content)
    if (entry === undefined || !isConcern(entry) || peer === this.#self.peer) return false
    const { roster } = this.#pool(entry.candidate.pool)
    const isMember = (name: string): boolean => roster.get(name) !== undefined
    if (!isMember(peer)) return false
    const known = this.#peers.get(peer) ?? this.#addPeer(peer, { presentSinceMs: nowMs })
    if (known === undefined) return false
    const { isKept, displaced } = entry.setClaim(peer, claim, isMember, nowMs)
    if (!isKept) return false
    if (displaced !== undefined) this.#peers.get(displaced)?.entries.delete(entry)
    known.entries.add(entry)
    this.#changed.add(entry)
    return true
  }

  /** Where there are too many, all that hold nothing make room; undefined where there are none of those. */
  #addPeer(peer: string, state: PeerState): KnownPeer | undefined {
    if (this.#peers.size >= MAX_PEERS)
      for (const [name, { entries }] of this.#peers) if (entries.size === 0) this.#peers.delete(name)
    if (this.#peers.size >= MAX_PEERS) return undefined
    const known = { state, entries: new Set<Entry>() }
    this.#peers.set(peer, known)
    return known
  }

  #newEntry(candidate: Candidate, pool: Pool): Entry {
    const rank = (words: Words): OwnRank => pool.rank(words, this.#policy)
    return new Entry(candidate, rank, peer => this.#peers.get(peer)!.state)
  }

  #touch(peer: KnownPeer | undefined): void {
    for (const entry of peer?.entries ?? []) this.#changed.add(entry)
  }

  #pool(name: string): Pool {
    const known = this.#pools.get(name) ?? new Pool(this.#self)
    this.#pools.set(name, known)
    return known
  }

  #rankAnew(pool: Pool): void {
    for (const entry of pool.entries) this.#rank(pool, entry)
  }

  #rank(pool: Pool, entry: Entry): void {
    entry.own = pool.rank(entry.words, this.#policy)
    this.#noteConcern(entry)
  }

  /** Its rank or what is here of it has changed. Of what is no concern any more nobody tells what becomes of it. */
  #noteConcern(entry: Entry): void {
    if (isConcern(entry)) {
      this.#changed.add(entry)
      if (entry.knownSinceMs === undefined) this.#unlooked.add(entry)
      return
    }
    if (this.#open.has(entry)) this.#changed.add(entry)
    this.#forgetHolders(entry)
  }

  #forgetHolders(entry: Entry): void {
    for (const peer of [...entry.peers()]) {
      entry.removeClaim(peer)
      this.#peers.get(peer)?.entries.delete(entry)
    }
    entry.knownSinceMs = undefined
    this.#unlooked.delete(entry)
  }
}

const isHeld = ({ candidate: { have } }: Entry): boolean => have === 'mirror' || have === 'own'

/** Held in any way, pinned, or with a rank. */
function isConcern({ candidate: { have, isPinned }, own: { rank } }: Entry): boolean {
  return rank !== NO_RANK || have === 'mirror' || have === 'coming' || have === 'own' || isPinned
}

/** The most copies of anything: twice that many are candidates. */
export const MOST_COPIES = 20

function expectPolicy({ min, target, max, graceMs, repairBudgetBytes }: MirrorPolicy): void {
  assertInvariant(
    1 <= min && min <= target && target <= max && max <= MOST_COPIES,
    `1 <= min <= target <= max <= ${MOST_COPIES}, not ${min}, ${target}, ${max}`
  )
  assertInvariant(graceMs >= 0 && repairBudgetBytes > 0, 'a grace from 0 and a budget above 0')
}
