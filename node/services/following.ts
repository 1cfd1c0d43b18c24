/** Standing subscriptions: libraries of other nodes that are kept equal by themselves, at once when a peer tells a newer head. */
import { isDeepStrictEqual } from 'node:util'
import type { PeerId } from '@libp2p/interface'
import {
  backoffDelayMs,
  CatalogError,
  changedWithin,
  MINUTE_MS,
  Signpost,
  toCatalogError,
  untilSo,
  withTimeout
} from '../../base/index.ts'
import { isSessionOver, SESSION_TIMEOUT_MS } from '../../protocols/index.ts'
import {
  awaitedFromMs,
  decodeHead,
  FAILED,
  type FollowRun,
  type FollowState,
  including,
  type LibrarySets,
  libraryIdOf,
  nextTime,
  planFollows,
  staleTime,
  TOLD_AGAIN_MS,
  telling,
  tellingBeside
} from '../../sync/index.ts'
import type { Topology } from '../../topology/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import type { FollowShape } from '../sync-schemas.ts'
import { Compared } from './compared.ts'
import {
  countsFromMs,
  cutSession,
  entryOf,
  type FollowEntry,
  isNewer,
  isRefused,
  notBeforeTold,
  PEER_BUSY_MS,
  paceSession,
  putOff,
  shapeOf,
  textOf
} from './follow-entry.ts'
import { type CopyHere, type FollowUnionModules, followImported, uniteFollowed } from './follow-union.ts'
import { formatAddress, idOfAddress } from './library-address.ts'
import type { LibraryHolders } from './library-holders.ts'
import { Ongoing } from './ongoing.ts'
import type { Subscription } from './subscription.ts'
import type { SyncingService } from './types.ts'
import { watchedFor, watchedName } from './watched-libraries.ts'
import { type WatchingModules, watchLibraries } from './watching.ts'

/** What is due is looked at so often at least: who is connected changes without a word. */
const LOOK_MS = 10 * MINUTE_MS
/** Of one session that nobody waits for, and of what joins home after it. More than a session has by itself: that one tells what becomes of it. */
const RUN_TIMEOUT_MS = 2 * SESSION_TIMEOUT_MS
/** Failures of one subscription that are remembered. */
const MAX_FAILED = 8
/** Between two searches for others that have a library: the writer that is away is tried less and less often too. */
const SEARCH_PAUSE_MS = MINUTE_MS
/** A peer that is busy more often than that, one time after the other, has failed: another one may serve. */
const MAX_PUT_OFFS = 10

export interface FollowingModules extends Omit<WatchingModules, 'onTold'>, FollowUnionModules {
  syncing: Pick<SyncingService, 'sync'>
  holders: Pick<LibraryHolders, 'find'>
  sets: Pick<LibrarySets, 'take' | 'headOf' | 'access'>
  topology: Pick<Topology, 'order'>
  /** Told of each peer that has said which heads it has of what is watched here, when they are judged. */
  onAnswered(peer: string): void
  /** Told of each subscription that holds no more: nothing is done for it when this resolves. */
  onEnded(subscription: Subscription): Promise<void>
  onViolation(peerId: PeerId, error: CatalogError): void
  /** Uniform in [0, 1). */
  random?: () => number
}

export interface FollowingOptions {
  subscriptions: readonly Subscription[]
  intervalMs: number
}

export class Following extends Ongoing {
  readonly #modules: FollowingModules
  readonly #options: FollowingOptions
  /** By id of the library, in hex. */
  readonly #entries = new Map<string, FollowEntry>()
  /** Peers that have no place for a session now: those of the last second. */
  readonly #busyUntilMs = new Map<string, number>()
  readonly #changed = new Signpost()
  /** Shown when other libraries are to be watched. */
  readonly #watchedOthers = new Signpost()
  readonly #tasks = new Set<Promise<void>>()

  constructor(modules: FollowingModules, options: FollowingOptions) {
    super('following of libraries', modules.logger)
    this.#modules = modules
    this.#options = options
    for (const subscription of options.subscriptions)
      this.#entries.set(textOf(idOfAddress(subscription)), entryOf(subscription))
  }

  /**
   * Puts other subscriptions in force. New ones are compared at once, as are those that hold in another way; for those that are gone
   * nothing is done any more when this resolves.
   */
  async change(subscriptions: readonly Subscription[]): Promise<void> {
    const ended = new Map(this.#entries)
    const over: Promise<void>[] = []
    let isMore = false
    this.#entries.clear()
    for (const subscription of subscriptions) {
      const id = textOf(idOfAddress(subscription))
      const entry = ended.get(id)
      ended.delete(id)
      this.#entries.set(id, entry ?? entryOf(subscription))
      if (entry === undefined) isMore = true
      else if (!isDeepStrictEqual(entry.subscription, subscription)) {
        over.push(this.#modules.onEnded(entry.subscription))
        entry.subscription = subscription
        entry.joining?.abort(new CatalogError('ABORTED', 'the library is followed in another way'))
        // Other releases may be to join; and what was in vain for the old one may not be for this.
        delete entry.joinedRoot
        entry.lastError = undefined
        this.#note(entry, { dueMs: 0, notBeforeMs: 0, failedWith: [] })
      }
    }
    for (const entry of ended.values()) over.push(this.#end(entry))
    if (isMore || ended.size > 0) this.#watchedOthers.show()
    this.#changed.show()
    await Promise.all(over)
  }

  /**
   * A peer tells a head: it is verified, judged and kept as evidence where it is one; a newer one is followed at once, and one that is dated
   * ahead as soon as it counts: of that nothing is kept but the time.
   */
  async heard(peerId: PeerId, bytes: Uint8Array): Promise<void> {
    const { sets, onViolation, logger } = this.#modules
    const peer = peerId.toString()
    try {
      const head = decodeHead(bytes)
      const entry = this.#entries.get(textOf(head.library))
      const followed = { library: head.library, subscription: entry?.subscription }
      const name = await watchedName(sets.access, followed, peer)
      if (name === undefined) throw new CatalogError('INVALID_ARGUMENT', 'this library is not followed here')
      // A key costs nothing: of anybody else's heads one peer could tell more than there is room for.
      if (!bytesEqual(libraryIdOf(head.writer, name), head.library))
        throw new CatalogError('HEAD_INVALID', 'the head is not of the writer of its library')
      const here = await sets.headOf(head.library)
      // As most are that peers tell again and again: nothing is to be judged, and the worker may rest.
      const isHere = here !== undefined && bytesEqual(here, bytes)
      const verdict = isHere ? 'known' : await sets.take(bytes)
      if (verdict === 'contradiction')
        logger.warn(
          { peer, library: textOf(head.library) },
          'a writer has signed two heads that contradict each other'
        )
      if (verdict === 'forgotten')
        logger.warn({ peer }, 'a head of this node came back that it does not remember')
      if (entry === undefined) return
      this.#note(entry, { heldBy: including(entry.state.heldBy, peer) })
      if (verdict === 'contradiction' || !(await isNewer(sets, head))) return
      this.#note(entry, { notBeforeMs: notBeforeTold(entry, peer) })
      this.#await(entry, peer, awaitedFromMs(head.time, this.#modules.clock.now()))
    } catch (thrown) {
      const error = toCatalogError(thrown)
      if (error.code === 'HEAD_INVALID' || error.code === 'SIGNATURE_INVALID') onViolation(peerId, error)
      throw error
    }
  }

  /** A file has brought the copy of a library: what its subscription says is done with it, and when it is compared stays as it was. */
  imported(library: Uint8Array, copy: CopyHere): void {
    const entry = this.#entries.get(textOf(library))
    if (entry === undefined) return
    entry.imported = copy
    this.#changed.show()
  }

  /** Compares everything at once, whatever was tried in vain before; how many libraries are equal to what a peer has when each was compared, or the signal ends it. */
  async compareAll(signal: AbortSignal): Promise<number> {
    const entries = [...this.#entries.values()]
    const compared = new Compared(entries)
    for (const entry of entries) this.#note(entry, { dueMs: 0, notBeforeMs: 0, failedWith: [] })
    await untilSo(this.#changed, () => compared.isDone, signal)
    return compared.equal
  }

  /** What is followed, and how that goes. */
  status(): FollowShape[] {
    return [...this.#entries.values()].map(shapeOf)
  }

  protected async run(signal: AbortSignal): Promise<void> {
    try {
      await Promise.all([this.#watch(signal), this.#followDue(signal)])
    } finally {
      await Promise.all(this.#tasks)
    }
  }

  async #followDue(signal: AbortSignal): Promise<void> {
    const { network, topology, clock } = this.#modules
    while (!signal.aborted) {
      // Before the look: what changes after it is not missed.
      const changed = this.#changed.shown()
      const nowMs = clock.now()
      const connected = new Set(network.connected())
      for (const [peer, untilMs] of this.#busyUntilMs) if (untilMs <= nowMs) this.#busyUntilMs.delete(peer)
      const plan = planFollows(
        [...this.#entries.values()].map(({ state }) => state),
        { nowMs, connected, busyUntilMs: this.#busyUntilMs, order: peers => topology.order(peers) }
      )
      for (const run of plan.runs) this.#begin(run, signal)
      for (const entry of this.#entries.values()) this.#takeImported(entry, signal)
      for (const library of plan.cuts) cutSession(this.#entries.get(library)!)
      const waitMs = Math.min(plan.nextMs - clock.now(), LOOK_MS)
      await changedWithin(changed, waitMs, { clock, signal })
    }
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { onAnswered } = this.#modules
    const onTold = (peer: string, isAnswered: boolean): void => {
      if (isAnswered) onAnswered(peer)
      // A writer that came is asked at once where it failed before for being away.
      this.#changed.show()
    }
    const modules = { ...this.#modules, onTold }
    const options = {
      librariesFor: (peer: string) => watchedFor(this.#modules.sets.access, this.#entries.values(), peer),
      isWriter: (peer: string) => [...this.#entries.values()].some(({ state }) => state.writer === peer),
      changed: this.#watchedOthers
    }
    await watchLibraries(modules, options, signal)
  }

  #begin({ library, peer }: FollowRun, signal: AbortSignal): void {
    const entry = this.#entries.get(library)!
    entry.begun++
    this.#note(entry, { runningWith: peer })
    this.#track(entry, this.#follow(entry, peer, AbortSignal.any([signal, entry.ending.signal])))
  }

  #takeImported(entry: FollowEntry, signal: AbortSignal): void {
    const { imported: copy, ending } = entry
    if (copy === undefined) return
    delete entry.imported
    const until = AbortSignal.any([signal, ending.signal])
    this.#track(entry, followImported(this.#modules, { entry, all: this.#entries.values(), copy }, until))
  }

  #track({ tasks }: FollowEntry, work: Promise<void>): void {
    const task = work.finally(() => {
      tasks.delete(task)
      this.#tasks.delete(task)
      this.#changed.show()
    })
    tasks.add(task)
    this.#tasks.add(task)
  }

  /** Nothing is done for it any more when this resolves. */
  async #end({ subscription, ending, tasks }: FollowEntry): Promise<void> {
    ending.abort(new CatalogError('ABORTED', 'the library is followed no more'))
    await Promise.all(tasks)
    await this.#modules.onEnded(subscription)
  }

  async #follow(entry: FollowEntry, peer: string, signal: AbortSignal): Promise<void> {
    const { syncing, clock, logger, random = Math.random, onFollowed } = this.#modules
    const { subscription } = entry
    const library = formatAddress(subscription)
    const { newerAt } = entry.state
    // Heads that are told from now on may be of what this session does not see.
    this.#note(entry, { newerAt: tellingBeside(newerAt, peer, clock.now()) })
    const isTold = newerAt.has(peer) && !entry.state.newerAt.has(peer)
    try {
      const pace = paceSession(entry, clock)
      const result = await withTimeout(RUN_TIMEOUT_MS, signal, async limit => {
        const wanted = { peer, library, isToJoin: subscription.mode === 'union' }
        const manner = { signal: AbortSignal.any([limit, pace.signal]), progress: pace.progress }
        const synced = await syncing.sync(wanted, manner)
        // What joins home costs no peer anything.
        this.#note(entry, { yieldsFromMs: Number.POSITIVE_INFINITY })
        await uniteFollowed(this.#modules, { entry, all: this.#entries.values(), root: synced.root }, limit)
        return synced
      })
      // What is asked for since is due by now, and finds the content that is wanted as well.
      if (entry.subscription !== subscription) return
      entry.putOffs = 0
      entry.lastError = undefined
      if (result.state === 'behind') {
        logger.info({ peer, library }, 'a peer has an earlier state of a library than this node')
        return this.#failed(entry, peer)
      }
      entry.equal++
      const dueMs = nextTime(clock.now(), this.#options.intervalMs, random())
      const staleFromMs = staleTime(Date.parse(result.head.expires))
      this.#note(entry, { runningWith: undefined, dueMs, notBeforeMs: 0, staleFromMs, failedWith: [] })
      onFollowed(subscription, result)
    } catch (thrown) {
      if (signal.aborted || entry.subscription !== subscription) return
      const error = toCatalogError(thrown)
      const { code, message } = error
      const isOver = isSessionOver(error)
      if (isOver) logger.info({ peer, library, reason: message }, 'the next session goes on with a library')
      if ((isOver || code === 'BUSY') && entry.putOffs < MAX_PUT_OFFS)
        return this.#putOff(entry, peer, { error, isTold })
      entry.lastError = code
      if (isRefused(subscription, code)) return this.#refused(entry, error)
      const fromMs = countsFromMs(error, clock.now())
      this.#await(entry, peer, fromMs)
      this.#failed(entry, peer, fromMs)
      logger.info({ peer, library, code, reason: message }, 'a library could not be followed')
      if (peer === entry.state.writer) this.#track(entry, this.#search(entry, signal))
    } finally {
      if (entry.state.runningWith !== undefined) this.#note(entry, { runningWith: undefined })
    }
  }

  /** Who is busy, or had not the time for all of it, has not failed: it is tried again when it says, for what a peer may have told as well. */
  #putOff(entry: FollowEntry, peer: string, busy: { error: CatalogError; isTold: boolean }): void {
    const nowMs = this.#modules.clock.now()
    // A library that an import or a command has here is no peer's doing.
    if (busy.error.details?.isHere !== true) {
      entry.putOffs++
      this.#busyUntilMs.set(peer, nowMs + PEER_BUSY_MS)
    }
    this.#note(entry, putOff(entry.state, { ...busy, peer }, nowMs))
  }

  /** It is tried again later, and with another peer if there is one; when what it failed for counts, at the latest. */
  #failed(entry: FollowEntry, peer: string, countsMs = Number.POSITIVE_INFINITY): void {
    const { clock, random = Math.random } = this.#modules
    entry.putOffs = 0
    const failedWith = [...entry.state.failedWith, peer].slice(-MAX_FAILED)
    const policy = { ...FAILED, maxDelayMs: this.#options.intervalMs }
    const nowMs = clock.now()
    entry.failedAtMs = nowMs
    entry.lastFailed = entry.begun
    const delayMs = backoffDelayMs(policy, failedWith.length, random())
    // A writer could date head after head a moment ahead.
    const againMs = Math.min(nowMs + delayMs, Math.max(countsMs, nowMs + TOLD_AGAIN_MS))
    this.#note(entry, { runningWith: undefined, dueMs: againMs, notBeforeMs: againMs, failedWith })
  }

  /** Nobody can change that, so nobody is asked before its next time, whatever is told; the operator may. */
  #refused(entry: FollowEntry, { code, message, hint }: CatalogError): void {
    const { clock, random = Math.random, logger } = this.#modules
    const againMs = nextTime(clock.now(), this.#options.intervalMs, random())
    const { writer } = entry.subscription
    entry.putOffs = 0
    entry.lastFailed = entry.begun
    this.#note(entry, { runningWith: undefined, dueMs: againMs, notBeforeMs: againMs, failedWith: [writer] })
    const library = formatAddress(entry.subscription)
    logger.warn({ library, code, reason: message, hint }, 'a library cannot be followed in that way')
  }

  /** Others may have a library whose writer is away: whoever is found and has not failed is asked at once. */
  async #search(entry: FollowEntry, signal: AbortSignal): Promise<void> {
    const { holders, network, clock, logger } = this.#modules
    const { library, subscription } = entry
    if (clock.now() < entry.searchFromMs || network.connected().includes(subscription.writer)) return
    entry.searchFromMs = Number.POSITIVE_INFINITY
    try {
      const found = await holders.find(library, subscription, signal)
      const { heldBy, failedWith } = entry.state
      this.#note(entry, { heldBy: found.reduce(including, heldBy) })
      const isNew = found.some(peer => !failedWith.includes(peer))
      if (isNew) this.#note(entry, { dueMs: clock.now(), notBeforeMs: 0 })
      logger.debug(
        { library: formatAddress(subscription), found },
        'others were looked for that have a library'
      )
    } catch (err) {
      if (!signal.aborted) logger.error({ err }, 'others that have a library could not be looked for')
    } finally {
      entry.searchFromMs = clock.now() + SEARCH_PAUSE_MS
    }
  }

  /** What a peer has is asked for when it counts; undefined = nobody waits for it. */
  #await(entry: FollowEntry, peer: string, fromMs: number | undefined): void {
    if (fromMs !== undefined) this.#note(entry, { newerAt: telling(entry.state.newerAt, peer, fromMs) })
  }

  #note(entry: FollowEntry, change: Partial<FollowState>): void {
    entry.state = { ...entry.state, ...change }
    this.#changed.show()
  }
}
