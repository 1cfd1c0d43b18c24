/**
 * Mirroring as a node does it: keeps the planner told of what there is, has it plan when something has changed, and carries out what it says.
 * What should be held where is decided in mirror/; docs/mirror.md has the rules.
 */
import {
  CatalogError,
  type Clock,
  changedWithin,
  type Logger,
  MINUTE_MS,
  SECOND_MS,
  Signpost,
  untilAborted
} from '../../../base/index.ts'
import type { ReleaseRecord } from '../../../library/index.ts'
import type { MirrorPlanner, MirrorPolicy, Plan } from '../../../mirror/index.ts'
import type { HoldingsTold } from '../../../protocols/index.ts'
import type { EventHub } from '../../events.ts'
import type { Blocking } from '../blocking.ts'
import type { Network } from '../network.ts'
import { Ongoing } from '../ongoing.ts'
import type { PartitionWatch } from '../partition-types.ts'
import type { Copies, MirrorCopy } from './copies.ts'
import type { Draining } from './draining.ts'
import type { Holders } from './holders.ts'
import { type MirrorReleases, OPEN_POOL } from './releases.ts'
import type { DemandBook, MemberDirectory } from './types.ts'
import type { WantedContents } from './wanted.ts'
import type { MirrorWork } from './work.ts'

/** What comes together is planned for together. */
const PLAN_DELAY_MS = SECOND_MS
/** Contents whose holders are looked up at once. */
const MAX_LOOKED_UP = 1000
/** Going through all releases takes at most this part of the time. */
const REFRESH_SHARE = 1 / 20
/** Not sooner after the last time, whatever changes. */
const REFRESH_REST_MS = 2 * SECOND_MS
/** A plan that waits for nothing in particular is made anew all the same. */
const MOST_WAIT_MS = 5 * MINUTE_MS

export interface MirroringModules {
  planner: MirrorPlanner
  releases: MirrorReleases
  copies: Copies
  holders: Holders
  work: MirrorWork
  draining: Draining
  members: MemberDirectory
  demand: Pick<DemandBook, 'onChange'>
  /** Only where anybody's releases are held. */
  wantedContents: Pick<WantedContents, 'run'> | undefined
  blocking: Pick<Blocking, 'rules'>
  network: Pick<Network, 'onConnected'>
  /** Calls back with each peer whose last connection is gone; returns how to stop that. */
  onDisconnected(listener: (peerId: string) => void): () => void
  /** While the network is split nothing is taken or let go of. */
  partition: Pick<PartitionWatch, 'isFrozen' | 'onChange'>
  events: Pick<EventHub, 'listen'>
  clock: Clock
  logger: Logger
  onPlanned(plan: Plan, tookMs: number): void
}

export interface PlanMade {
  readonly plan: Plan
  /** By the clock of mirroring. */
  readonly at: number
  /** Of a node that leaves: what it offers is in it. */
  readonly isDraining: boolean
}

export interface MirroringOptions {
  policy: MirrorPolicy
  intervalMs: number
}

export class Mirroring extends Ongoing {
  readonly #modules: MirroringModules
  readonly #options: MirroringOptions
  readonly #changed = new Signpost()
  #policy: MirrorPolicy
  #isRefreshDue = true
  /** Now, and not when it would be due. */
  #isRefreshAsked = false
  #isReady = false
  #refreshedMs = Number.NEGATIVE_INFINITY
  #refreshTookMs = 0
  #rules: unknown
  #signal: AbortSignal | undefined
  /** Those who wait for a plan that was made after they asked. */
  #waiting: Array<PromiseWithResolvers<Plan>> = []
  #last: PlanMade | undefined

  constructor(modules: MirroringModules, options: MirroringOptions) {
    super('mirroring', modules.logger)
    this.#modules = modules
    this.#options = options
    this.#policy = options.policy
  }

  /** Something has changed that a plan may follow from. */
  changed(): void {
    this.#changed.show()
  }

  /** Releases have come to be known here, or others of their libraries are followed. */
  releasesChanged(): void {
    this.#isRefreshDue = true
    this.changed()
  }

  /** Whether this node holds a content for good. BUSY at the start, before that is known. */
  holds(content: string): boolean {
    if (!this.#isReady)
      throw new CatalogError('BUSY', 'this node begins just now', {
        details: { retryAfterMs: REFRESH_REST_MS }
      })
    return this.#modules.releases.holds(content)
  }

  /** What a peer says by itself that it holds. */
  told(peer: string, told: HoldingsTold): void {
    if (this.#signal !== undefined) this.#modules.holders.told(peer, told)
  }

  /** One release has come to be known here. */
  async learn(record: ReleaseRecord): Promise<boolean> {
    const isPlanned = await this.#modules.releases.learn(record)
    this.changed()
    return isPlanned
  }

  /** The last plan; undefined before the first. */
  get last(): PlanMade | undefined {
    return this.#last
  }

  get policy(): MirrorPolicy {
    return this.#policy
  }

  /** What would be done now. */
  preview(): Plan {
    return this.#modules.planner.plan(this.#modules.clock.now())
  }

  /** Looks at everything anew and plans; the plan that was carried out. */
  async planNow(signal: AbortSignal): Promise<Plan> {
    await this.#modules.holders.refresh(AbortSignal.any([signal, this.#running]))
    this.#isRefreshAsked = true
    return await this.nextPlan(signal)
  }

  /** The next plan, once it was begun. */
  async nextPlan(signal: AbortSignal): Promise<Plan> {
    this.#running.throwIfAborted()
    const waiting = Promise.withResolvers<Plan>()
    this.#waiting.push(waiting)
    this.changed()
    return await untilAborted(waiting.promise, signal)
  }

  /** Fires when this is paused or stopped. SHUTTING_DOWN where it does not run. */
  get #running(): AbortSignal {
    if (this.#signal !== undefined) return this.#signal
    throw new CatalogError('SHUTTING_DOWN', 'mirroring does not run', { hint: 'the node is paused or stops' })
  }

  protected async run(signal: AbortSignal): Promise<void> {
    const { holders, members, demand, network, onDisconnected, partition, events } = this.#modules
    this.#signal = signal
    const ends = [
      members.onChange(() => this.#setMembers(signal)),
      demand.onChange(contents => this.#demandChanged(contents)),
      network.onConnected(peer => holders.connected(peer, signal)),
      onDisconnected(peer => holders.disconnected(peer)),
      partition.onChange(() => this.changed()),
      events.listen(({ type }) => {
        if (type === 'release' || type === 'library') this.releasesChanged()
      })
    ]
    const beside = [holders.watch(signal), this.#modules.wantedContents?.run(signal)]
    for (const work of beside)
      work?.catch(err => {
        if (!signal.aborted) this.#modules.logger.error({ err }, 'a part of mirroring has ended')
      })
    try {
      this.#setMembers(signal)
      await this.#loop(signal)
    } finally {
      this.#signal = undefined
      for (const end of ends) end()
      for (const { reject } of this.#waiting.splice(0)) reject(signal.reason)
      await Promise.allSettled([...beside, this.#modules.work.settled()])
    }
  }

  async #loop(signal: AbortSignal): Promise<void> {
    const { clock } = this.#modules
    for (;;) {
      const changed = this.#changed.shown()
      const nextMs = await this.#round(signal)
      await changedWithin(changed, Math.min(MOST_WAIT_MS, nextMs - clock.now()), { clock, signal })
      await clock.wait(PLAN_DELAY_MS, signal)
    }
  }

  /** Looks at what has changed, plans, and begins what the plan says; resolves with when to do that again. */
  async #round(signal: AbortSignal): Promise<number> {
    const { planner, holders, work, clock, draining, logger } = this.#modules
    const waiting = this.#waiting.splice(0)
    try {
      const isRefreshed = await this.#refreshIfDue(signal)
      this.#setPolicy()
      const unlooked = planner.unlooked(MAX_LOOKED_UP)
      if (unlooked.length > 0) await holders.lookUp(unlooked, signal)
      const startedMs = clock.monotonicMs()
      const plan = planner.plan(clock.now())
      this.#last = { plan, at: clock.now(), isDraining: this.#policy.isDraining }
      this.#modules.onPlanned(plan, clock.monotonicMs() - startedMs)
      if (isRefreshed) await this.#forgetAbandoned(plan)
      const againMs = await work.carryOut(plan, signal)
      await draining.planned(plan, { isIdle: work.takes === 0 }, signal)
      for (const { resolve } of waiting) resolve(plan)
      const isMore = planner.unlooked(1).length > 0
      return Math.min(
        isMore ? clock.now() : Number.POSITIVE_INFINITY,
        againMs,
        plan.nextMs ?? Number.POSITIVE_INFINITY,
        this.#refreshDueMs()
      )
    } catch (err) {
      for (const { reject } of waiting) reject(err)
      if (signal.aborted) throw err
      // Such as a full disk: the next round may do better.
      logger.error({ err }, 'mirroring could not be planned or carried out')
      return clock.now() + MINUTE_MS
    }
  }

  /** Whether all releases were gone through. */
  async #refreshIfDue(signal: AbortSignal): Promise<boolean> {
    const { releases, copies, holders, clock, blocking } = this.#modules
    const isBlockedAnew = blocking.rules !== this.#rules
    if (!this.#isRefreshAsked && !isBlockedAnew && clock.now() < this.#refreshDueMs()) return false
    this.#isRefreshAsked = false
    this.#isRefreshDue = false
    this.#rules = blocking.rules
    const startedMs = clock.monotonicMs()
    // What comes to be kept meanwhile may not have been gone through.
    const kept = [...copies.all()]
    await releases.refresh(signal)
    await this.#letGoOfUnknown(kept)
    this.#isReady = true
    void holders.tellAll(releases.held(), signal)
    this.#refreshTookMs = clock.monotonicMs() - startedMs
    this.#refreshedMs = clock.now()
    return true
  }

  /** Copies that were on their way when the node stopped, and that nobody wants here any more. */
  async #forgetAbandoned({ actions, heldBack }: Plan): Promise<void> {
    const { copies, releases } = this.#modules
    if (this.#policy.isFrozen || this.#policy.isDraining) return
    const wanted = new Set([...actions, ...heldBack].map(({ content }) => content.toString()))
    for (const { content, isPinned } of [...copies.taken()]) {
      const key = content.toString()
      if (!isPinned && !wanted.has(key) && releases.candidate(key)?.have === 'nothing')
        await copies.letGo(content)
    }
  }

  /** What was blocked or removed here is not kept from a collection any longer, pinned or not. */
  async #letGoOfUnknown(kept: readonly MirrorCopy[]): Promise<void> {
    const { copies, releases } = this.#modules
    for (const { content } of kept) {
      const release = releases.of(content.toString())
      if (release === undefined || release.isBlocked) await copies.letGo(content)
    }
  }

  #refreshDueMs(): number {
    const restMs = Math.max(REFRESH_REST_MS, this.#refreshTookMs / REFRESH_SHARE)
    return this.#refreshedMs + (this.#isRefreshDue ? restMs : Math.max(restMs, this.#options.intervalMs))
  }

  /** Quick to notice, and only told when something is different: each change of the policy has everything decided anew. */
  #setPolicy(): void {
    const { planner, clock, draining, partition } = this.#modules
    const { isFrozen } = partition
    const policy = { ...this.#options.policy, isFrozen, isDraining: draining.isDraining }
    const { isFrozen: wasFrozen, isDraining: wasDraining } = this.#policy
    if (wasFrozen === policy.isFrozen && wasDraining === policy.isDraining) return
    this.#policy = policy
    planner.setPolicy(policy, clock.now())
  }

  #setMembers(signal: AbortSignal): void {
    const { planner, members, holders, clock } = this.#modules
    planner.setSelf(members.own(), clock.now())
    planner.setMembers(OPEN_POOL, members.members())
    holders.setMembers(signal)
    this.changed()
  }

  #demandChanged(contents: readonly string[]): void {
    const { planner, releases } = this.#modules
    for (const content of contents) releases.update(content)
    if (planner.hasChanged) this.changed()
  }
}
