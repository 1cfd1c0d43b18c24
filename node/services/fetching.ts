/**
 * Fetching a release: which one is meant, who holds it, then its content from them, all at once, until it is whole.
 * Nothing fetched is lost when a source fails or the daemon stops: the store keeps what was verified, and a row in
 * the database keeps the wish, so the next try or the next start goes on from there.
 */
import type { Registry as MetricsRegistry } from 'prom-client'
import {
  type Clock,
  partMetrics,
  retry,
  Semaphore,
  SingleFlight,
  showQueue,
  toCatalogError,
  withSpan
} from '../../base/index.ts'
import { parseId, parseSpec, type ReleaseRecord } from '../../library/index.ts'
import { greaterPriority, type Priority } from '../../protocols/index.ts'
import type { EventHub } from '../events.ts'
import type { OperationProgress } from '../operations.ts'
import type { FetchResult } from '../schemas.ts'
import type { BlockDropping } from './block-dropping.ts'
import type { Blocking } from './blocking.ts'
import { expectHere } from './closed-names.ts'
import type { ClosedSources } from './closed-sources.ts'
import type { Collecting } from './collecting.ts'
import type { FetchFailures, Subject } from './fetch-failures.ts'
import { type FetchJob, type FetchJobs, MAX_JOBS } from './fetch-jobs.ts'
import { FetchPatience, ROUNDS } from './fetch-patience.ts'
import { withRoom } from './fetch-room.ts'
import { isForLater } from './for-later.ts'
import { expectFresh, type FreshnessModules } from './freshness.ts'
import { hurried } from './hurried.ts'
import { keepSaid } from './knowledge.ts'
import { lateSources } from './late-sources.ts'
import { holdersOf, lookUp, type ReleaseHolder } from './lookup.ts'
import { notAt, onlyPeer } from './named-source.ts'
import type { ContentFetched, ContentWatch, Network } from './network.ts'
import { fetchedRelease } from './release-shapes.ts'
import { type Resolved, type ResolvingModules, resolveRelease } from './resolving.ts'
import { releaseAttributes } from './span-attributes.ts'
import type { FetchingService, FetchRequest, WorkContext } from './types.ts'

/** Sources of one round. */
const MAX_SOURCES = 10

export interface FetchingModules extends ResolvingModules, FreshnessModules {
  /** The network with every peer in it, for a source that the user names; `network` spares those that keep failing. */
  direct: Network
  closedSources: Pick<ClosedSources, 'find' | 'late' | 'expectAdmitted'>
  failures: FetchFailures
  jobs: FetchJobs
  blocking: Pick<Blocking, 'expectAllowed' | 'expectSomeAllowed' | 'isBlocked'>
  dropping: Pick<BlockDropping, 'drop'>
  collecting: Pick<Collecting, 'makeRoom' | 'expect'>
  events: EventHub
  clock: Clock
  metrics?: MetricsRegistry | undefined
}

/** How a content is fetched. */
interface Manner {
  /** From the sources that are given, and no others. */
  readonly onlyThese: boolean
  /** Its job stays when nobody gives it. */
  readonly staysWished: boolean
}

interface Waiter {
  readonly progress: (progress: OperationProgress) => void
  readonly priority: Priority
}

export class Fetching implements FetchingService {
  readonly #modules: FetchingModules
  readonly #flights = new SingleFlight<string, ContentFetched>({ name: 'fetch', maxKeys: MAX_JOBS })
  /** Contents that are drawn from a source alone that somebody has named. */
  readonly #onlyThese = new Set<string>()
  /** Contents that are transferred; each has its buffers and its place in the worker's queue. The others wait. */
  readonly turns: Semaphore
  /** Everyone who waits for a content: each hears how far it is, and the most urgent one says how urgent it is. */
  readonly #waiting = new Map<string, Set<Waiter>>()
  readonly #lookups
  #stopping = false

  constructor(modules: FetchingModules, { atOnce }: { atOnce: number }) {
    this.#modules = modules
    this.turns = new Semaphore({ name: 'transfers', maxActive: atOnce, maxWaiting: MAX_JOBS })
    showQueue(modules.metrics, this.turns)
    this.#lookups = partMetrics(modules.metrics, 'fetch').counter('content_lookups_total')
  }

  /** Contents under way, those that wait for their turn included. */
  get active(): number {
    return this.#flights.size
  }

  /** Of them, those that somebody waits for: not of the lowest priority. */
  get urgent(): number {
    return [...this.#waiting.values()].filter(waiters =>
      [...waiters].some(({ priority }) => priority !== 'low')
    ).length
  }

  fetch(request: FetchRequest, context: WorkContext): Promise<FetchResult> {
    return this.#fetch(request, context, { onlyThese: request.from !== undefined, staysWished: false })
  }

  /**
   * Goes on with a fetch of an earlier life of the daemon. Nobody waits for it who could ask again: when there is nobody to give what
   * is missing, it has failed this time, and its job stays.
   */
  async resume(job: FetchJob, context: WorkContext): Promise<FetchResult> {
    const { id, name, version, priority } = job
    // A record that is gone has most likely got new words: the version is still the same.
    const isGone = this.#modules.registry.get(parseId(id)) === undefined
    if (isGone && job.isClosed === true) await expectHere(this.#modules.registry, job, context.signal)
    const spec = isGone ? `${name}@${version}` : id
    return await this.#fetch({ spec, priority }, context, { onlyThese: false, staysWished: true })
  }

  async #fetch(request: FetchRequest, context: WorkContext, manner: Manner): Promise<FetchResult> {
    return await withSpan('fetch', { 'catalog.spec': request.spec }, async span => {
      const result = await this.#fetchNoted(request, context, manner)
      span.setAttributes({ ...releaseAttributes(result), 'catalog.bytes': result.bytesFetched })
      return result
    })
  }

  /** Notes how it ended, for `why`. */
  async #fetchNoted(request: FetchRequest, context: WorkContext, manner: Manner): Promise<FetchResult> {
    const { failures } = this.#modules
    let subject = subjectOf(request.spec)
    try {
      const result = await this.#fetchRelease(request, context, manner, ({ release: { name, version } }) => {
        subject = { name, version }
      })
      failures.succeeded(subject)
      return result
    } catch (thrown) {
      const error = toCatalogError(context.signal.aborted ? context.signal.reason : thrown)
      if (error.code !== 'ABORTED' && error.code !== 'SHUTTING_DOWN') failures.failed(subject, error)
      throw thrown
    }
  }

  async #fetchRelease(
    request: FetchRequest,
    { signal, progress, release }: WorkContext,
    manner: Manner,
    onResolved: (record: ReleaseRecord) => void
  ): Promise<FetchResult> {
    const { clock, content, registry, blocking, dropping } = this.#modules
    const startedMs = clock.monotonicMs()
    progress({ phase: 'finding' })
    const resolved = await this.#resolve(request, signal)
    onResolved(resolved.record)
    blocking.expectAllowed(resolved.record)
    await expectFresh(this.#modules, request, resolved)
    // What is closed is here already; added by itself it would be for everybody.
    const { record } = resolved.isClosed ? resolved : await registry.add(resolved.record.bytes, signal)
    await keepSaid(this.#modules, record.release, resolved.known.statements, signal)
    const shape = fetchedRelease(record, resolved.known.statements.statusOf(record.release))
    const state = content.localState(record.release.content)
    this.#lookups.inc({ answer: state === 'complete' ? 'held' : 'away' })
    release?.(shape)
    const fetched =
      state === 'complete'
        ? { bytesFetched: 0, bytesReused: record.release.sizeBytes, sources: [] }
        : await this.#transfer({ ...resolved, record }, request, manner, progress, signal)
    // It may have been blocked meanwhile.
    if (blocking.isBlocked(record)) await dropping.drop(signal)
    blocking.expectAllowed(record)
    return { ...fetched, ...shape, tookMs: Math.round(clock.monotonicMs() - startedMs) }
  }

  /** With a named source only that one is asked, for the record as for the content. */
  async #resolve(request: FetchRequest, signal: AbortSignal): Promise<Resolved> {
    const query = {
      spec: request.spec,
      network: true,
      ...(request.publisher !== undefined && { publisher: request.publisher }),
      ...(request.content !== undefined && { content: request.content })
    }
    if (request.from === undefined) return await resolveRelease(this.#modules, query, signal)
    const { direct, closedSources } = this.#modules
    const peerId = await direct.dial(request.from, signal)
    const modules = { ...this.#modules, network: onlyPeer(direct, peerId) }
    const resolved = await resolveRelease(modules, query, signal).catch(thrown => {
      throw notAt(peerId, request.spec, thrown)
    })
    const { holders, record, isClosed } = resolved
    if (isClosed) await closedSources.expectAdmitted(record, peerId)
    return { ...resolved, holders: holders.length > 0 ? holders : [{ peerId, record: record.id }] }
  }

  async #transfer(
    wanted: Resolved,
    { spec, from, priority = 'normal' }: FetchRequest,
    manner: Manner,
    progress: Waiter['progress'],
    signal: AbortSignal
  ): Promise<ContentFetched> {
    try {
      return await this.#shared(wanted, manner, { progress, priority }, signal)
    } catch (thrown) {
      throw from === undefined ? thrown : notAt(wanted.holders[0]!.peerId, spec, thrown)
    }
  }

  /** Callers who want the same content at the same time share one transfer. */
  async #shared(
    wanted: Resolved,
    manner: Manner,
    waiter: Waiter,
    signal: AbortSignal
  ): Promise<ContentFetched> {
    const key = wanted.record.release.content.toString()
    const waiters = this.#waiting.get(key) ?? new Set()
    this.#waiting.set(key, waiters.add(waiter))
    try {
      for (;;) {
        const isOfOthers = this.#onlyThese.has(key)
        try {
          return await this.#flights.run(key, shared => this.#noted(wanted, manner, shared), signal)
        } catch (error) {
          // What a source that another caller named could not give, others may.
          if (!isOfOthers || manner.onlyThese || signal.aborted || !isForLater(error)) throw error
        }
      }
    } finally {
      waiters.delete(waiter)
      if (waiters.size === 0) this.#waiting.delete(key)
    }
  }

  /** The one transfer of a content, with a note when it is from a named source alone. */
  async #noted(wanted: Resolved, manner: Manner, signal: AbortSignal): Promise<ContentFetched> {
    const key = wanted.record.release.content.toString()
    if (manner.onlyThese) this.#onlyThese.add(key)
    try {
      return await this.#asJob(wanted, manner, signal)
    } finally {
      this.#onlyThese.delete(key)
    }
  }

  /** Keeps the wish in the database until it is fulfilled, refused or withdrawn; a shutdown leaves it there. */
  async #asJob(
    wanted: Resolved,
    { onlyThese, staysWished }: Manner,
    signal: AbortSignal
  ): Promise<ContentFetched> {
    const { jobs, clock, events } = this.#modules
    const { record, isClosed } = wanted
    const { name, version } = record.release
    const id = record.id.toString()
    const priority = this.#priorityOf(record)
    await jobs.begin({ id, name, version, startedAt: clock.now(), priority, isClosed }, signal)
    let stays = false
    try {
      const context = { signal, progress: (made: OperationProgress) => this.#tell(record, made) }
      const fetched = await withRoom(this.#modules, record, context, async filled => {
        if (this.turns.active >= this.turns.maxActive)
          this.#tell(record, { phase: 'waiting for other fetches' })
        return await this.turns.run(() => this.#inRounds(wanted, onlyThese, filled, signal), signal)
      })
      events.emit('release', { name, version, id, local: 'complete' })
      return fetched
    } catch (error) {
      const isFull = toCatalogError(error).code === 'QUOTA_EXCEEDED'
      stays = this.#stopping || (staysWished && (isFull || isForLater(error)))
      throw error
    } finally {
      if (stays) jobs.leave(id)
      else await jobs.end(id)
    }
  }

  /** From now on a fetch that is cut off keeps its job: the daemon stops. */
  stop(): void {
    this.#stopping = true
  }

  /** Rounds over the sources, with waits between them; before each but the first, holders are looked up anew. */
  async #inRounds(
    wanted: Resolved,
    onlyThese: boolean,
    filled: (bytes: number) => void,
    signal: AbortSignal
  ): Promise<ContentFetched> {
    const { clock, logger, failures, topology } = this.#modules
    const network = onlyThese ? this.#modules.direct : this.#modules.network
    const { name, version } = wanted.record.release
    const patience = new FetchPatience({ clock })
    let holders = wanted.holders
    return await retry(
      async round => {
        if (round > 1) await this.#findAgain(network, holders.map(peerIdOf), signal)
        if (!onlyThese && (round > 1 || holders.length === 0))
          holders = await this.#holdersOf(
            wanted,
            { round, known: patience.hasFetched ? holders : [] },
            signal
          )
        const watch: ContentWatch = {
          priority: () => this.#priorityOf(wanted.record),
          onProgress: ({ bytesFetched, ...progress }) => {
            patience.fetched(bytesFetched)
            filled(progress.bytesDone)
            this.#tell(wanted.record, progress)
          },
          recordAt: peerId => holders.find(holder => holder.peerId === peerId)?.record,
          onSourceFailed: (peerId, error) => failures.sourceFailed({ name, version }, peerId, error)
        }
        const sources = topology.order(holders.map(peerIdOf)).slice(0, MAX_SOURCES)
        if (!onlyThese) watch.moreSources = ended => this.#lateSources(wanted, sources, ended)
        return patience.inAll(await network.fetchContent(wanted.record, sources, watch, signal))
      },
      ROUNDS,
      {
        clock: hurried(clock, network, peerId => holders.some(holder => holder.peerId === peerId)),
        signal,
        retryable: error => {
          const { code } = toCatalogError(error)
          // With nobody to ask, the next round would ask nobody either.
          return code !== 'NO_PEERS' && isForLater(error) && patience.failed(code)
        },
        onRetry: (error, round, delayMs) =>
          logger.warn(
            { name, round, delayMs, code: toCatalogError(error).code },
            'fetch failed, trying again'
          )
      }
    )
  }

  /** Sources that are gone are looked for before anybody is asked: they may have moved. */
  async #findAgain(network: Network, holders: readonly string[], signal: AbortSignal): Promise<void> {
    const connected = new Set(network.connected())
    const gone = holders.slice(0, MAX_SOURCES).filter(peerId => !connected.has(peerId))
    if (gone.length > 0) await network.reconnect(gone, signal)
  }

  /**
   * Those who say now that they hold it, or those who may know of it; when nobody can be asked, those who gave some of it before are still
   * worth a try.
   */
  async #holdersOf(
    { record, isClosed }: Resolved,
    { round, known }: { round: number; known: ReleaseHolder[] },
    signal: AbortSignal
  ): Promise<ReleaseHolder[]> {
    const { name, version, owner } = record.release
    try {
      if (isClosed) return await this.#modules.closedSources.find(record, round > 1, signal)
      const found = await lookUp(this.#modules, { name, version, owner }, signal)
      return holdersOf(found.holders, record)
    } catch (thrown) {
      const { code } = toCatalogError(thrown)
      if (known.length === 0 || (code !== 'NO_PEERS' && code !== 'NO_PROVIDERS')) throw thrown
      return known
    }
  }

  #lateSources({ record, isClosed }: Resolved, known: string[], signal: AbortSignal): AsyncIterable<string> {
    return isClosed
      ? this.#modules.closedSources.late(record, known, signal)
      : lateSources(this.#modules, record, known, signal)
  }

  #tell(record: ReleaseRecord, progress: OperationProgress): void {
    for (const waiter of this.#waitersOf(record)) waiter.progress(progress)
  }

  #priorityOf(record: ReleaseRecord): Priority {
    return [...this.#waitersOf(record)].map(({ priority }) => priority).reduce(greaterPriority, 'low')
  }

  #waitersOf({ release }: ReleaseRecord): Iterable<Waiter> {
    return this.#waiting.get(release.content.toString()) ?? []
  }
}

const peerIdOf = ({ peerId }: ReleaseHolder): string => peerId

/** What a user asked for, before it is known which release that is. */
function subjectOf(text: string): Subject {
  const spec = parseSpec(text)
  return { name: spec.kind === 'id' ? spec.id.toString() : spec.name }
}
