/** Carries out what a plan says: takes copies, lets go of them, hands them over, has them proven. What fails is tried again, later and later. */
import { peerIdFromString } from '@libp2p/peer-id'
import type { CID } from 'multiformats/cid'
import {
  backoffDelayMs,
  type Clock,
  HOUR_MS,
  type Logger,
  MINUTE_MS,
  type RetryPolicy,
  SECOND_MS,
  timeoutSignal,
  toCatalogError,
  untilAborted,
  withSpan,
  withTimeout
} from '../../../base/index.ts'
import type { ContentStore, Registry, ReleaseRecord } from '../../../library/index.ts'
import type { Action, Cause, Plan } from '../../../mirror/index.ts'
import type { HoldingsTold } from '../../../protocols/index.ts'
import type { Fetching } from '../fetching.ts'
import { releaseAttributes } from '../span-attributes.ts'
import type { Copies } from './copies.ts'
import type { Holders } from './holders.ts'
import type { MirrorReleases } from './releases.ts'
import type { Offers } from './types.ts'

/** Copies that are fetched at once: each draws from several holders. */
const MAX_TAKES = 4
/** So long a copy waits for what users fetch; then it begins all the same, or a busy node would never repair anything. */
const MAX_YIELD_MS = 5 * MINUTE_MS
const LOOK_MS = SECOND_MS
/** For one copy; a larger one goes on where it was. */
const TAKE_MS = HOUR_MS
/** While a copy cannot be had. */
const UNTIL_TAKEN: RetryPolicy = {
  attempts: Number.MAX_SAFE_INTEGER,
  firstDelayMs: 5 * SECOND_MS,
  maxDelayMs: 15 * MINUTE_MS,
  factor: 2,
  jitter: 0.5
}
/** A member that takes something over has so long to have it; and so long after nobody would, all are asked again. */
const OFFER_AGAIN_MS = 2 * MINUTE_MS
const OFFER_MS = 10 * SECOND_MS
/** After so long what is left to offer is planned anew: else thousands of silent members kept this node from hearing that it stays. */
const OFFERING_MS = 10 * SECOND_MS
/** Failures that are remembered; without its failure a copy is only tried again sooner. */
const MAX_FAILURES = 10_000

export interface WorkModules {
  fetching: Pick<Fetching, 'fetch' | 'urgent'>
  registry: Pick<Registry, 'get'>
  content: Pick<ContentStore, 'localState' | 'remove'>
  copies: Copies
  releases: MirrorReleases
  holders: Pick<Holders, 'prove' | 'tell'>
  offers: Pick<Offers, 'offer'>
  /** Says in the DHT that a release is here. */
  announce(record: ReleaseRecord, signal: AbortSignal): Promise<void>
  clock: Clock
  logger: Logger
  random: () => number
  /** Something has changed that a plan may follow from. */
  changed(): void
  totals: MirrorTotals
}

/** What was done since the start. */
export interface MirrorTotals {
  taken: number
  takenBytes: number
  failed: number
  dropped: number
  droppedBytes: number
}

export class MirrorWork {
  readonly #modules: WorkModules
  readonly #takes = new Map<string, Promise<void>>()
  /** Copies that could not be had, and when each is tried again. */
  readonly #failed = new Map<string, { failures: number; untilMs: number; code: string }>()
  /** Who took each content over as he said, undefined for nobody, and until when that is waited for. */
  readonly #offered = new Map<string, { to: string | undefined; untilMs: number }>()

  constructor(modules: WorkModules) {
    this.#modules = modules
  }

  /** Copies under way. */
  get takes(): number {
    return this.#takes.size
  }

  /** Why a copy could not be had the last time, and when it is tried again. */
  failureOf(content: string): { code: string; untilMs: number } | undefined {
    return this.#failed.get(content)
  }

  /** Begins what a plan says, as far as there are places; resolves with when to plan again for what waits. */
  async carryOut({ actions }: Plan, signal: AbortSignal): Promise<number> {
    const { clock, holders } = this.#modules
    let againMs = Number.POSITIVE_INFINITY
    const offerUntilMs = clock.monotonicMs() + OFFERING_MS
    for (const action of actions) {
      signal.throwIfAborted()
      if (action.kind === 'drop') await this.#drop(action, signal)
      else if (action.kind === 'prove') holders.prove(action.peer, action.content)
      else if (action.kind === 'offer') {
        const isLate = clock.monotonicMs() >= offerUntilMs
        againMs = Math.min(againMs, isLate ? clock.now() : await this.#offer(action, signal))
      } else againMs = Math.min(againMs, this.#take(action, signal))
    }
    return Math.max(againMs, clock.now() + LOOK_MS)
  }

  /** When everything under way has ended. */
  async settled(signal?: AbortSignal): Promise<void> {
    while (this.#takes.size > 0) await untilAborted(Promise.all(this.#takes.values()), signal)
  }

  #take({ content, cause }: Extract<Action, { kind: 'take' | 'drop' }>, signal: AbortSignal): number {
    const { clock } = this.#modules
    const key = content.toString()
    const failed = this.#failed.get(key)
    if (failed !== undefined && failed.untilMs > clock.now()) return failed.untilMs
    // A place that becomes free brings the next plan.
    if (this.#takes.has(key) || this.#takes.size >= MAX_TAKES) return Number.POSITIVE_INFINITY
    const record = this.#recordOf(key)
    if (record === undefined) return Number.POSITIVE_INFINITY
    const taking = this.#fetch(record, cause, signal).finally(() => {
      this.#takes.delete(key)
      this.#modules.changed()
    })
    this.#takes.set(key, taking)
    return Number.POSITIVE_INFINITY
  }

  /** Never rejects. */
  async #fetch(record: ReleaseRecord, cause: Cause, signal: AbortSignal): Promise<void> {
    const { content, copies, releases, logger, totals } = this.#modules
    const { name, version, sizeBytes } = record.release
    const key = record.release.content.toString()
    const wasHere = content.localState(record.release.content) === 'complete'
    try {
      if (!wasHere) releases.setComing(key, true)
      await copies.take(record, { cause, wasHere })
      if (!wasHere)
        await withSpan(
          'mirror',
          { ...releaseAttributes(record.release), 'catalog.mirror.cause': cause },
          () => this.#transfer(record, signal)
        )
      this.#failed.delete(key)
      logger.info({ name, version, cause, content: key }, 'a copy was taken')
      totals.taken++
      totals.takenBytes += wasHere ? 0 : sizeBytes
    } catch (thrown) {
      if (!signal.aborted) await this.#note(record, thrown)
    } finally {
      releases.setComing(key, false)
    }
    if (releases.holds(key)) this.#tell({ held: [record.release.content], gone: [] }, record, signal)
  }

  /** At the lowest priority, and not while users wait for something themselves. */
  async #transfer(record: ReleaseRecord, signal: AbortSignal): Promise<void> {
    const { fetching, clock } = this.#modules
    const untilMs = clock.monotonicMs() + MAX_YIELD_MS
    while (fetching.urgent > 0 && clock.monotonicMs() < untilMs) await clock.wait(LOOK_MS, signal)
    const request = { spec: record.id.toString(), priority: 'low', stale: true } as const
    await withTimeout(TAKE_MS, signal, limit =>
      fetching.fetch(request, { signal: limit, progress: () => undefined })
    )
  }

  async #note({ release }: ReleaseRecord, thrown: unknown): Promise<void> {
    const { clock, logger, random, copies, totals } = this.#modules
    const { name, version, content } = release
    const key = content.toString()
    const { code } = toCatalogError(thrown)
    const failures = (this.#failed.get(key)?.failures ?? 0) + 1
    const delayMs = backoffDelayMs(UNTIL_TAKEN, failures, random())
    if (this.#failed.size >= MAX_FAILURES) this.#failed.delete(this.#failed.keys().next().value!)
    this.#failed.set(key, { failures, untilMs: clock.now() + delayMs, code })
    logger.warn({ name, version, code, failures, delayMs }, 'a copy could not be taken, it is tried again')
    totals.failed++
    if (copies.of(key)?.isPinned === false)
      // Such as on a disk that fails: the row goes when the copy does.
      await copies.letGo(content).catch(err => logger.warn({ err, name, version }, 'a row of a copy stays'))
  }

  async #drop(
    { name, version, content, cause, bytes }: Extract<Action, { kind: 'take' | 'drop' }>,
    signal: AbortSignal
  ): Promise<void> {
    const { copies, releases, logger, totals } = this.#modules
    const key = content.toString()
    const copy = copies.of(key)
    if (copy === undefined) return
    await copies.letGo(content)
    if (copy.taken?.wasHere !== true || cause === 'blocked') await this.#remove(content, signal)
    releases.update(key)
    logger.info({ name, version, cause, content: key }, 'a copy was let go of')
    totals.dropped++
    totals.droppedBytes += bytes
    this.#tell({ held: [], gone: [content] }, undefined, signal)
  }

  /** What is being read stays for now, as anything that was fetched: a collection lets go of it. */
  async #remove(content: CID, signal: AbortSignal): Promise<void> {
    try {
      await this.#modules.content.remove(content, signal)
    } catch (thrown) {
      signal.throwIfAborted()
      const { code } = toCatalogError(thrown)
      this.#modules.logger.debug({ content: content.toString(), code }, 'what was let go of is still here')
    }
  }

  /** Asks one after the other, until one will take it; who said so the last time, and has not, is the last that is asked. */
  async #offer({ content, peers }: Extract<Action, { kind: 'offer' }>, signal: AbortSignal): Promise<number> {
    const { clock } = this.#modules
    const key = content.toString()
    const before = this.#offered.get(key)
    if (before !== undefined && before.untilMs > clock.now()) return before.untilMs
    const record = this.#recordOf(key)
    // Who comes to be there brings another plan.
    if (record === undefined || peers.length === 0) return clock.now() + OFFER_AGAIN_MS
    const at = before?.to === undefined ? 0 : peers.indexOf(before.to) + 1
    const to = await this.#offerTo([...peers.slice(at), ...peers.slice(0, at)], record, signal)
    if (this.#offered.size >= MAX_FAILURES) this.#offered.delete(this.#offered.keys().next().value!)
    const untilMs = clock.now() + OFFER_AGAIN_MS
    this.#offered.set(key, { to, untilMs })
    return untilMs
  }

  /** Who will take it. */
  async #offerTo(
    peers: readonly string[],
    record: ReleaseRecord,
    signal: AbortSignal
  ): Promise<string | undefined> {
    const { offers, logger } = this.#modules
    const { name, version } = record.release
    for (const peer of peers)
      try {
        const limit = AbortSignal.any([signal, timeoutSignal(OFFER_MS)])
        const answer = await offers.offer(peerIdFromString(peer), record, limit)
        logger.info({ peer, name, version, answer }, 'a copy was offered to another node')
        if (answer === 'accepted') return peer
      } catch (thrown) {
        signal.throwIfAborted()
        logger.debug(
          { peer, name, version, code: toCatalogError(thrown).code },
          'a copy could not be offered'
        )
      }
    return undefined
  }

  #recordOf(content: string): ReleaseRecord | undefined {
    const release = this.#modules.releases.of(content)
    return release === undefined ? undefined : this.#modules.registry.get(release.record)
  }

  /** Nobody waits for it. */
  #tell(told: HoldingsTold, record: ReleaseRecord | undefined, signal: AbortSignal): void {
    const { holders, announce, logger } = this.#modules
    void holders.tell(told, signal)
    if (record === undefined) return
    untilAborted(announce(record, signal), signal).catch(thrown =>
      logger.debug({ code: toCatalogError(thrown).code }, 'a copy was not announced yet')
    )
  }
}
