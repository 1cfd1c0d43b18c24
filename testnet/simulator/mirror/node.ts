import { HOUR_MS, MINUTE_MS } from '../../../base/index.ts'
import { nextSequence } from '../../../library/index.ts'
import {
  type Candidate,
  type CidText,
  DEFAULT_HALF_LIFE_MS,
  DemandCounter,
  DemandReports,
  type DemandSummary,
  demandFor,
  type Have,
  MEMBER_LIFETIME_MS,
  type Member,
  type MemberRecord,
  MemberSet,
  MirrorPlanner,
  type MirrorPolicy,
  signMember,
  summarise
} from '../../../mirror/index.ts'
import { type SigningKey, sha256 } from '../../../trust/index.ts'
import type { Random } from '../random.ts'
import type { SimulatedRelease } from './releases.ts'
import { Runner } from './runner.ts'
import { Senses } from './senses.ts'
import type { MirrorWorld } from './world.ts'

/** What breaks the rules: claims everything and has nothing, claims everything and has half, says that its favourites are wanted. */
export const MIRROR_MISCHIEF = ['boaster', 'half-boaster', 'promoter'] as const
export type MirrorMischief = (typeof MIRROR_MISCHIEF)[number]

export interface MirrorNodeOptions {
  readonly id: number
  readonly key: SigningKey
  readonly network: string | undefined
  readonly region: string
  readonly capacityClass: number
  readonly policy: MirrorPolicy
  readonly mischief?: MirrorMischief
}

/** Records of members are looked through so often. */
const MEMBERS_MS = 5 * MINUTE_MS
const PROVE_MS = 6 * HOUR_MS
const DEMAND_MS = HOUR_MS
const RENEW_MS = 6 * HOUR_MS

/** A node that mirrors: a disk and keys that outlive its restarts, the product's members and demand, and while it is up a planner with senses and a runner. */
export class MirrorNode {
  readonly options: MirrorNodeOptions
  readonly peer: string
  readonly members = new MemberSet()
  readonly reports = new DemandReports({ halfLifeMs: DEFAULT_HALF_LIFE_MS })
  readonly counter: DemandCounter
  readonly blocked = new Set<CidText>()
  record: MemberRecord | undefined
  summary: DemandSummary | undefined
  policy: MirrorPolicy
  capacityClass: number
  isUp = false
  isGone = false
  upSinceMs = 0
  downSinceMs = 0
  planner: MirrorPlanner | undefined
  readonly #disk = new Map<CidText, 'mirror' | 'own'>()
  readonly #world: MirrorWorld
  readonly #random: Random
  #senses: Senses | undefined
  #runner: Runner | undefined
  /** Counts the times that it was up: what belongs to an earlier one does not happen. */
  #life = 0
  #isRosterOld = true
  #rosterUntilMs = Number.POSITIVE_INFINITY

  constructor(world: MirrorWorld, options: MirrorNodeOptions, random: Random) {
    this.#world = world
    this.options = options
    this.#random = random
    this.policy = options.policy
    this.capacityClass = options.capacityClass
    this.peer = `node-${options.id}`
    this.counter = new DemandCounter({
      halfLifeMs: DEFAULT_HALF_LIFE_MS,
      salt: sha256(options.key.publicKey)
    })
  }

  get id(): number {
    return this.options.id
  }

  get isHonest(): boolean {
    return this.options.mischief === undefined
  }

  get isBoaster(): boolean {
    const { mischief } = this.options
    return mischief === 'boaster' || mischief === 'half-boaster'
  }

  get member(): Member {
    const { key, region } = this.options
    return { peer: this.peer, key: key.publicKey, region, capacityClass: this.capacityClass }
  }

  /** What is whole on its disk, as a mirror or as its publisher: it outlives a restart. */
  get disk(): ReadonlyMap<CidText, 'mirror' | 'own'> {
    return this.#disk
  }

  store(content: CidText, how: 'mirror' | 'own'): void {
    this.#disk.set(content, how)
    this.#world.holdings.add(content, this)
  }

  erase(content: CidText): void {
    this.#disk.delete(content)
    this.#world.holdings.remove(content, this)
  }

  get usedBytes(): number {
    return [...this.disk].reduce(
      (sum, [content, how]) => sum + (how === 'mirror' ? this.#world.release(content).bytes : 0),
      0
    )
  }

  /** What it says that it holds. */
  claims(content: CidText): boolean {
    return this.isBoaster || this.disk.has(content)
  }

  start(): void {
    const { timeline } = this.#world
    this.isUp = true
    this.#life++
    this.upSinceMs = timeline.nowMs
    this.sign()
    if (!this.isHonest) return
    this.planner = new MirrorPlanner({
      self: this.member,
      network: this.options.network,
      policy: { ...this.policy, isFrozen: this.#world.isSplit }
    })
    const after = (delayMs: number, run: () => void): void => this.#after(delayMs, run)
    this.#senses = new Senses(this.#world, this, this.planner, after)
    this.#runner = new Runner({
      world: this.#world,
      node: this,
      planner: this.planner,
      senses: this.#senses,
      random: this.#random,
      after
    })
    for (const record of this.#world.records()) this.members.add(record, timeline.nowMs)
    this.#isRosterOld = true
    this.#setMembers()
    for (const release of this.#world.releases) this.learn(release)
    this.#every(MEMBERS_MS, () => this.#setMembers())
    this.#every(PROVE_MS, () => this.#senses!.proveAll())
    this.#every(DEMAND_MS, () => this.#tellDemand())
    this.#every(RENEW_MS, () => this.sign())
    this.planSoon()
  }

  stop(): void {
    this.isUp = false
    this.#life++
    this.downSinceMs = this.#world.timeline.nowMs
    this.planner = undefined
    this.#senses = undefined
    this.#runner = undefined
  }

  /** A new member record, which the others hear of. */
  sign(over: { lifetimeMs?: number } = {}): void {
    const { nowMs } = this.#world.timeline
    const sequence = nextSequence(nowMs, this.record?.sequence)
    const expires = sequence + (over.lifetimeMs ?? MEMBER_LIFETIME_MS)
    const { region, key } = this.options
    this.record = signMember({ region, capacityClass: this.capacityClass, sequence, expires }, key)
    this.#world.tellRecord(this, this.record)
  }

  /** Another class: as its record says, and as it reckons itself. */
  reclass(capacityClass: number): void {
    this.capacityClass = capacityClass
    this.planner?.setSelf(this.member, this.#world.timeline.nowMs)
    this.sign()
    this.#setMembers()
  }

  setPolicy(over: Partial<MirrorPolicy>): void {
    this.policy = { ...this.policy, ...over }
    this.planner?.setPolicy({ ...this.policy, isFrozen: this.#world.isSplit }, this.#world.timeline.nowMs)
    this.planSoon()
  }

  /** Hears of a release, or that something of it has changed here. */
  learn(release: SimulatedRelease, over: Partial<Candidate> = {}): void {
    const { nowMs } = this.#world.timeline
    const content = release.key
    const demand = demandFor(content, { counter: this.counter, reports: this.reports }, nowMs)
    const candidate: Candidate = {
      ...release.candidate,
      have: this.#have(content),
      isBlocked: this.blocked.has(content),
      demand,
      ...over
    }
    this.planner?.setRelease(candidate, nowMs)
    this.planSoon()
  }

  /** Notices whether another one can be reached. */
  notice(other: MirrorNode): void {
    this.#senses?.notice(other)
  }

  /** Hears that another one says that it holds a content, or does not any more. */
  hear(other: MirrorNode, content: CidText): void {
    this.#senses?.hear(other, content)
  }

  hearRecord(record: MemberRecord): void {
    const { nowMs } = this.#world.timeline
    const before = this.members.get(record.node)
    if (!this.isUp || this.members.add(record, nowMs) !== 'taken') return
    const isSame =
      before !== undefined &&
      before.expires > nowMs &&
      record.expires > nowMs &&
      before.capacityClass === record.capacityClass
    // Renewals change nothing but until when they count.
    this.#rosterUntilMs = Math.min(this.#rosterUntilMs, record.expires)
    if (!isSame) this.#isRosterOld = true
  }

  planSoon(): void {
    this.#runner?.planSoon()
  }

  /** Whether it would do anything now. */
  get isIdle(): boolean {
    return this.#runner?.isIdle ?? true
  }

  #have(content: CidText): Have {
    return this.disk.get(content) ?? (this.#runner?.isComing(content) === true ? 'coming' : 'nothing')
  }

  #setMembers(): void {
    const { nowMs } = this.#world.timeline
    if (this.planner === undefined || (!this.#isRosterOld && nowMs < this.#rosterUntilMs)) return
    this.#isRosterOld = false
    this.#rosterUntilMs = this.members.nextExpiryMs(nowMs) ?? Number.POSITIVE_INFINITY
    const members = this.members.members(nowMs).map(record => this.#world.memberOf(record))
    this.planner.setMembers('all', members)
    for (const { peer } of members) this.notice(this.#world.nodeOf(peer)!)
    this.planSoon()
  }

  #tellDemand(): void {
    const { timeline, releases } = this.#world
    if (this.counter.size > 0) {
      const signing = { sequence: timeline.nowMs, signer: this.options.key }
      this.summary = summarise(this.counter, () => true, signing)
      this.#world.tellSummary(this, this.summary)
    }
    const wanted = new Set(this.reports.contents())
    for (const release of releases)
      if (wanted.has(release.key) || this.counter.of(release.key, timeline.nowMs) !== undefined)
        this.learn(release)
  }

  /** Serves a user in some network. */
  serve(release: SimulatedRelease, network: string): void {
    this.counter.add({ content: release.key, origin: network, share: 1 }, this.#world.timeline.nowMs)
  }

  #every(intervalMs: number, run: () => void, firstMs = this.#random.below(intervalMs)): void {
    this.#after(firstMs, () => {
      run()
      this.#every(intervalMs, run, intervalMs)
    })
  }

  #after(delayMs: number, run: () => void): void {
    const life = this.#life
    this.#world.timeline.after(delayMs, () => {
      if (this.#life === life && this.isUp) run()
    })
  }
}
