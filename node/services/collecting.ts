/**
 * Keeping the store below its quota: collects when a user asks, by itself when the store has grown over the high-water
 * mark, and before something is fetched that would not fit. A collection frees what nothing needs; when that is not
 * enough, contents go that are neither pinned nor published here, the longest unused first, until the low-water mark.
 */

import { CID } from 'multiformats/cid'
import type { Registry as MetricsRegistry } from 'prom-client'
import {
  CatalogError,
  type Clock,
  displaySize,
  type Logger,
  SECOND_MS,
  Semaphore,
  showQueue,
  toCatalogError
} from '../../base/index.ts'
import {
  type CollectOutcome,
  type ContentStore,
  MAX_COLLECTED,
  type Registry,
  usableBytes
} from '../../library/index.ts'
import type { OperationManager } from '../operations.ts'
import type { CollectResult } from '../schemas.ts'
import type { FetchJobs } from './fetch-jobs.ts'
import { type Room, Rooms, type Wanted } from './rooms.ts'
import type { CollectingService, WorkContext } from './types.ts'

/** Rounds of one collection: what contents share is known only once they are gone, so each round lets go of some more. */
const MAX_ROUNDS = 8
/** Those who may wait for a collection: fetches and clients. */
const MAX_WAITING = 1000
/** After a collection that could not free enough nobody wants as much again for so long, unless something was let go of. */
const FUTILE_MS = 30 * SECOND_MS

export interface CollectingModules {
  content: ContentStore
  registry: Pick<Registry, 'get'>
  jobs: Pick<FetchJobs, 'unfinished'>
  operations: Pick<OperationManager, 'start'>
  clock: Clock
  logger: Logger
  metrics?: MetricsRegistry | undefined
}

export interface CollectingOptions {
  /** 0 = no limit: then nothing is collected by itself. */
  quotaBytes: number
  /** Shares of the quota at which a collection begins, and down to which it goes. */
  highWater: number
  lowWater: number
}

type Outcome = Omit<CollectResult, 'tookMs'>

export class Collecting implements CollectingService {
  readonly #modules: CollectingModules
  readonly #options: CollectingOptions
  /** A content that has come may go again: what was in vain before need not be now. */
  readonly #rooms = new Rooms(() => this.changed())
  readonly #turns = new Semaphore({ name: 'collections', maxActive: 1, maxWaiting: MAX_WAITING })
  #isStarted = false
  /** Down to where no collection came just now. */
  #futile: { untilMs: number; targetBytes: number } | undefined
  /** What the last collection had to leave. */
  #kept = { pinnedBytes: 0, ownBytes: 0 }
  #last: { at: string; freedBytes: number } | undefined

  constructor(modules: CollectingModules, options: CollectingOptions) {
    this.#modules = modules
    showQueue(modules.metrics, this.#turns)
    this.#options = options
  }

  get last(): { at: string; freedBytes: number } | undefined {
    return this.#last
  }

  async collect(dryRun: boolean, context: WorkContext): Promise<CollectResult> {
    const { clock } = this.#modules
    const startedMs = clock.monotonicMs()
    const outcome = await this.#turns.run(() => this.#rounds(this.#lowBytes, dryRun, context), context.signal)
    return { ...outcome, tookMs: Math.round(clock.monotonicMs() - startedMs) }
  }

  /** Something was unpinned or removed: another collection may free it. */
  changed(): void {
    this.#futile = undefined
  }

  /** The store has grown: begins a collection when it is over the high-water mark and none was in vain just now. */
  readonly grown = (): void => {
    const { content, operations, logger } = this.#modules
    if (this.#isStarted || content.stats().bytes <= this.#highBytes) return
    if (this.#isFutile(this.#lowBytes)) return
    this.#isStarted = true
    try {
      operations.start('gc', 'store-quota', async context => {
        try {
          return await this.collect(false, context)
        } finally {
          this.#isStarted = false
        }
      })
    } catch (thrown) {
      this.#isStarted = false
      logger.warn({ code: toCatalogError(thrown).code }, 'a collection could not begin')
    }
  }

  /**
   * Sees to it that a content fits under the quota beside what other fetches may still bring; while it does only without
   * those, waits for one of them to end. QUOTA_EXCEEDED when not enough can be freed.
   */
  async makeRoom(wanted: Wanted, context: WorkContext): Promise<Room> {
    const { quotaBytes } = this.#options
    const { signal, progress } = context
    for (;;) {
      const room = this.#room(wanted) ?? (await this.#turns.run(() => this.#clear(wanted, signal), signal))
      if (room !== undefined) return room
      if (this.#rooms.isEmpty || wanted.sizeBytes > usableBytes(quotaBytes)) throw this.#noRoom(wanted)
      progress({ phase: 'waiting for room in the store' })
      await this.#rooms.ended(signal)
    }
  }

  /** What a fetch that is gone on with may still bring: how much of it is here its progress says. */
  expect(wanted: Wanted): Room {
    return this.#rooms.give(wanted)
  }

  /** Room that is there now. */
  #room(wanted: Wanted): Room | undefined {
    const { key, sizeBytes } = wanted
    const isThere = this.#options.quotaBytes === 0 || this.#rooms.has(key) || this.#fits(sizeBytes)
    return isThere ? this.#rooms.give(wanted) : undefined
  }

  /** Room after a collection. Whoever had the turn before may have made it; and what can never fit empties no store. */
  async #clear(wanted: Wanted, signal: AbortSignal): Promise<Room | undefined> {
    const targetBytes = this.#targetFor(wanted.sizeBytes)
    if (!this.#fits(wanted.sizeBytes) && targetBytes >= 0 && !this.#isFutile(targetBytes))
      await this.#rounds(targetBytes, false, { signal, progress: () => {} }, true)
    return this.#room(wanted)
  }

  /** Down to what the store must come, so that so much fits. */
  #targetFor(sizeBytes: number): number {
    return usableBytes(this.#options.quotaBytes) - this.#rooms.leftBytes - sizeBytes
  }

  #fits(sizeBytes: number): boolean {
    return this.#modules.content.stats().bytes <= this.#targetFor(sizeBytes)
  }

  #noRoom({ what, sizeBytes }: Wanted): CatalogError {
    const { quotaBytes } = this.#options
    const { bytes } = this.#modules.content.stats()
    const mostBytes = usableBytes(quotaBytes)
    const neverFits = sizeBytes > mostBytes
    const kept = neverFits ? { pinnedBytes: 0, ownBytes: 0 } : this.#kept
    const why = neverFits
      ? ''
      : `; nothing more can be freed (${displaySize(kept.pinnedBytes)} pinned or held for others, ${displaySize(kept.ownBytes)} published here)`
    return new CatalogError(
      'QUOTA_EXCEEDED',
      `${what} may need ${displaySize(sizeBytes)}; the store holds ${displaySize(bytes)} and may fill ${displaySize(mostBytes)} of its quota of ${displaySize(quotaBytes)}${why}`,
      { details: { bytes, sizeBytes, usableBytes: mostBytes, quotaBytes, ...kept } }
    )
  }

  get #lowBytes(): number {
    const { quotaBytes, lowWater } = this.#options
    return quotaBytes === 0 ? Number.POSITIVE_INFINITY : Math.min(quotaBytes * lowWater, this.#highBytes)
  }

  get #highBytes(): number {
    const { quotaBytes, highWater } = this.#options
    return quotaBytes === 0
      ? Number.POSITIVE_INFINITY
      : Math.min(quotaBytes * highWater, usableBytes(quotaBytes))
  }

  /**
   * The garbage first, then contents until the target is reached or nothing more may go; with `orNothing` no content goes
   * for a target that is out of reach.
   */
  async #rounds(
    targetBytes: number,
    dryRun: boolean,
    { signal, progress }: WorkContext,
    orNothing = false
  ): Promise<Outcome> {
    const { content, clock, logger } = this.#modules
    const bytesBefore = content.stats().bytes
    const total = emptyOutcome(dryRun, bytesBefore)
    for (let round = 0, evictBytes = 0; round < MAX_ROUNDS; round++) {
      progress({ phase: dryRun ? 'looking' : 'collecting', bytesDone: total.freedBytes })
      const fetching = await this.#fetching(signal)
      const outcome = await content.collect({ evictBytes, dryRun, fetching, signal })
      add(total, outcome, dryRun)
      total.bytes = dryRun ? bytesBefore - total.freedBytes : content.stats().bytes
      const isDone = round > 0 && outcome.released.length === 0
      evictBytes = Math.max(0, total.bytes - targetBytes)
      if (evictBytes === 0 || isDone || (dryRun && round > 0)) break
      if (orNothing && round === 0 && (await this.#isOutOfReach(targetBytes, total, signal))) break
    }
    if (dryRun) return total
    if (total.bytes > targetBytes) this.#futile = { untilMs: clock.monotonicMs() + FUTILE_MS, targetBytes }
    const { pinnedBytes, ownBytes } = total
    this.#kept = { pinnedBytes, ownBytes }
    this.#last = { at: new Date(clock.now()).toISOString(), freedBytes: total.freedBytes }
    const { releases, ...numbers } = total
    logger.info({ ...numbers, releases: releases.length }, 'garbage collected')
    for (const { name, sizeBytes } of releases) logger.info({ name, sizeBytes }, 'a content was let go of')
    return total
  }

  #isFutile(targetBytes: number): boolean {
    const futile = this.#futile
    if (futile === undefined || targetBytes > futile.targetBytes) return false
    return this.#modules.clock.monotonicMs() < futile.untilMs
  }

  /**
   * Whether the target is not reached though everything goes that may. Looked at only where what stays seems to be too much:
   * contents share blocks and are compressed, so their sizes alone do not say it.
   */
  async #isOutOfReach(targetBytes: number, found: Outcome, signal: AbortSignal): Promise<boolean> {
    if (found.pinnedBytes + found.ownBytes <= targetBytes) return false
    const evictBytes = Number.MAX_SAFE_INTEGER
    const fetching = await this.#fetching(signal)
    const all = await this.#modules.content.collect({ evictBytes, dryRun: true, fetching, signal })
    return found.bytes - all.freedBytes > targetBytes && all.released.length < MAX_COLLECTED
  }

  /** Contents whose fetch has not ended, of this life of the daemon or an earlier one. */
  async #fetching(signal: AbortSignal): Promise<CID[]> {
    const { jobs, registry } = this.#modules
    const unfinished = await jobs.unfinished(signal)
    return unfinished.flatMap(({ id }) => registry.get(CID.parse(id))?.release.content ?? [])
  }
}

const emptyOutcome = (dryRun: boolean, bytesBefore: number): Outcome => ({
  dryRun,
  bytesBefore,
  bytes: bytesBefore,
  freedBytes: 0,
  garbageBytes: 0,
  blocks: 0,
  segments: 0,
  rewritten: 0,
  gaps: 0,
  pinnedBytes: 0,
  ownBytes: 0,
  releases: []
})

/** A dry run finds the same garbage again in its second round, with what would go on top. */
function add(total: Outcome, outcome: CollectOutcome, dryRun: boolean): void {
  const before = dryRun ? emptyOutcome(true, 0) : total
  total.freedBytes = before.freedBytes + outcome.freedBytes
  total.garbageBytes = before.garbageBytes + outcome.bytes
  total.blocks = before.blocks + outcome.blocks
  total.segments = before.segments + outcome.segments
  total.rewritten = before.rewritten + outcome.rewritten
  total.gaps = outcome.gaps
  total.pinnedBytes = outcome.pinnedBytes
  total.ownBytes = outcome.ownBytes
  const released = outcome.released.map(({ releases, sizeBytes, reason, content }) => ({
    name: releases.length > 0 ? releases.join(', ') : 'a content without a release',
    content: CID.decode(content).toString(),
    sizeBytes,
    reason
  }))
  total.releases = [...before.releases, ...released]
}
