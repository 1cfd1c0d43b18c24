import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../base/index.ts'
import { nextSequence } from '../../../library/index.ts'
import {
  type Action,
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
  originOf,
  signMember,
  summarise
} from '../../../mirror/index.ts'
import { type SigningKey, sha256 } from '../../../trust/index.ts'
import type { Random } from '../random.ts'
import { RATE_BYTES_PER_MS } from './policy.ts'
import type { SimulatedRelease } from './releases.ts'
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

/** A change is planned for so soon, so that what comes together is planned for together. */
const PLAN_DELAY_MS = SECOND_MS
/** Records of members are looked through so often. */
const MEMBERS_MS = 5 * MINUTE_MS
const PROVE_MS = 6 * HOUR_MS
const DEMAND_MS = HOUR_MS
const RENEW_MS = 6 * HOUR_MS
const ROUND_TRIP_MS = 200
/** A transfer that failed is begun again after so long. */
const RETRY_MS = 30 * SECOND_MS

/** A node that mirrors: the product's planner, members and demand, and the little of a runner that carries plans out. */
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
  readonly #coming = new Set<CidText>()
  #senses: Senses | undefined
  /** Counts the times that it was up: what belongs to an earlier one does not happen. */
  #life = 0
  #isPlanning = false
  #wakeMs = Number.POSITIVE_INFINITY
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
    this.#senses = new Senses(this.#world, this, this.planner, (delayMs, run) => this.#after(delayMs, run))
    this.#coming.clear()
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
    this.#wakeMs = Number.POSITIVE_INFINITY
    this.#isPlanning = false
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
    if (this.planner === undefined || this.#isPlanning) return
    this.#isPlanning = true
    this.#after(PLAN_DELAY_MS, () => this.#plan())
  }

  /** Whether it would do anything now. */
  get isIdle(): boolean {
    return (
      this.planner === undefined ||
      (this.#coming.size === 0 && this.planner.plan(this.#world.timeline.nowMs).actions.length === 0)
    )
  }

  #have(content: CidText): Have {
    return this.disk.get(content) ?? (this.#coming.has(content) ? 'coming' : 'nothing')
  }

  #plan(): void {
    this.#isPlanning = false
    const { timeline, watch } = this.#world
    const planner = this.planner!
    const unlooked = planner.unlooked(10_000)
    if (unlooked.length > 0) this.#senses!.lookUp(unlooked)
    const plan = planner.plan(timeline.nowMs)
    watch.planned(this, plan)
    for (const action of plan.actions) this.#do(action)
    if (this.policy.isDraining && plan.isSafeToLeave) this.#world.leaveForGood(this)
    if (plan.nextMs !== undefined && plan.nextMs < this.#wakeMs) this.#wakeAt(plan.nextMs)
  }

  #wakeAt(atMs: number): void {
    this.#wakeMs = atMs
    this.#after(Math.max(PLAN_DELAY_MS, atMs - this.#world.timeline.nowMs), () => {
      if (this.#wakeMs === atMs) this.#wakeMs = Number.POSITIVE_INFINITY
      this.planSoon()
    })
  }

  #do(action: Action): void {
    const release = this.#world.release(action.content.toString())
    if (!('cause' in action)) this.#ask(action, release)
    else if (action.kind === 'take') this.#take(release, action.cause)
    else this.#drop(release, action.cause)
  }

  #ask(action: Exclude<Action, { cause: unknown }>, release: SimulatedRelease): void {
    const other = action.peer === undefined ? undefined : this.#world.nodeOf(action.peer)
    if (other === undefined) return
    if (action.kind === 'prove') this.#senses!.challengeSoon(other, release.key)
    else if (this.#world.reaches(this, other) && other.isHonest) other.learn(release, { isOffered: true })
  }

  #take(release: SimulatedRelease, cause: string): void {
    const { timeline, watch } = this.#world
    const source = this.#source(release.key)
    if (source === undefined) {
      this.#wakeAt(timeline.nowMs + RETRY_MS)
      return
    }
    watch.took(this, release, cause)
    this.#coming.add(release.key)
    this.learn(release)
    const life = this.#life
    timeline.after(ROUND_TRIP_MS + release.bytes / RATE_BYTES_PER_MS, () => {
      if (this.#life !== life) return
      this.#coming.delete(release.key)
      if (this.#world.reaches(this, source) && source.disk.has(release.key)) {
        this.store(release.key, 'mirror')
        watch.copied(release, cause)
        this.#world.tellClaim(this, release.key)
      } else watch.figures.failedTransfers++
      this.learn(release)
    })
  }

  #source(content: CidText): MirrorNode | undefined {
    const sources = this.#world
      .holdersOf(content)
      .filter(other => other !== this && this.#world.reaches(this, other))
    return sources.length === 0 ? undefined : this.#random.pick(sources)
  }

  #drop(release: SimulatedRelease, cause: string): void {
    this.#world.watch.dropped(this, release, cause)
    this.erase(release.key)
    this.learn(release)
    this.#world.tellClaim(this, release.key)
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

  /** Serves a user. */
  serve(release: SimulatedRelease, peer: string, network: string | undefined): void {
    this.counter.add(
      { content: release.key, origin: originOf(peer, network), share: 1 },
      this.#world.timeline.nowMs
    )
  }

  #every(intervalMs: number, run: () => void): void {
    this.#after(this.#random.below(intervalMs), () => {
      run()
      this.#repeat(intervalMs, run)
    })
  }

  #repeat(intervalMs: number, run: () => void): void {
    this.#after(intervalMs, () => {
      run()
      this.#repeat(intervalMs, run)
    })
  }

  #after(delayMs: number, run: () => void): void {
    const life = this.#life
    this.#world.timeline.after(delayMs, () => {
      if (this.#life === life && this.isUp) run()
    })
  }
}
