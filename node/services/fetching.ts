/**
 * Fetching a release: which one is meant, who holds it, then its content from them, one after the other until it is whole.
 * Nothing fetched is lost when a source fails or the daemon stops: the store keeps what was verified, and a row in
 * the database keeps the wish, so the next try or the next start goes on from there.
 */
import { trace } from '@opentelemetry/api'
import {
  CatalogError,
  type Clock,
  type ErrorCode,
  type RetryPolicy,
  retry,
  SECOND_MS,
  SingleFlight,
  toCatalogError
} from '../../base/index.ts'
import type { ReleaseRecord } from '../../library/index.ts'
import { formatPublicKey } from '../../trust/index.ts'
import type { EventHub } from '../events.ts'
import type { OperationProgress } from '../operations.ts'
import type { FetchResult } from '../schemas.ts'
import type { FetchJobs } from './fetch-jobs.ts'
import { lookUp } from './lookup.ts'
import type { ContentFetched } from './network.ts'
import { releaseName } from './release-shapes.ts'
import { type Resolved, type ResolvingModules, resolveRelease } from './resolving.ts'
import type { FetchingService, FetchRequest, WorkContext } from './types.ts'

/** Contents under way at once; each has its buffers and its place in the worker's queue. */
const MAX_CONTENTS = 64
/** Sources tried in one round. */
const MAX_SOURCES = 10
/** Rounds over the sources; between them holders are looked up anew. */
const ROUNDS: RetryPolicy = {
  attempts: 3,
  firstDelayMs: 500,
  maxDelayMs: 5 * SECOND_MS,
  factor: 3,
  jitter: 1
}
/** Another source or another time may do better; everything else is a fact about the request. */
const WORTH_ANOTHER: readonly ErrorCode[] = [
  'NO_PROVIDERS',
  'DIAL_FAILED',
  'PEER_REFUSED',
  'STREAM_TRUNCATED',
  'PROTOCOL_VIOLATION',
  'BYTES_WRONG',
  'TIMEOUT',
  'BUSY',
  'NOT_FOUND',
  'CONTENT_MISSING',
  'SHUTTING_DOWN',
  'CIRCUIT_OPEN'
]

export interface FetchingModules extends ResolvingModules {
  jobs: FetchJobs
  events: EventHub
  clock: Clock
}

type OnProgress = (progress: OperationProgress) => void

export class Fetching implements FetchingService {
  readonly #modules: FetchingModules
  readonly #flights = new SingleFlight<string, ContentFetched>({ name: 'fetch', maxKeys: MAX_CONTENTS })
  /** Everyone who waits for a content hears how far it is. */
  readonly #listeners = new Map<string, Set<OnProgress>>()

  constructor(modules: FetchingModules) {
    this.#modules = modules
  }

  /** Contents under way. */
  get active(): number {
    return this.#flights.size
  }

  async fetch(request: FetchRequest, context: WorkContext): Promise<FetchResult> {
    return await trace.getTracer('catalog').startActiveSpan('fetch', async span => {
      try {
        return await this.#fetch(request, context)
      } finally {
        span.end()
      }
    })
  }

  async #fetch(request: FetchRequest, { signal, progress }: WorkContext): Promise<FetchResult> {
    const { clock, content, registry } = this.#modules
    const startedMs = clock.monotonicMs()
    progress({ phase: 'finding' })
    const resolved = await this.#resolve(request, signal)
    const { record } = await registry.add(resolved.record.bytes, signal)
    const complete = content.localState(record.release.content) === 'complete'
    const fetched = complete
      ? { bytesFetched: 0, bytesReused: record.release.sizeBytes, sources: [] }
      : await this.#shared(
          { record, holders: resolved.holders },
          request.from !== undefined,
          progress,
          signal
        )
    return { ...fetched, ...resultOf(record), tookMs: Math.round(clock.monotonicMs() - startedMs) }
  }

  /** With a named source only that one is asked, for the record as for the content. */
  async #resolve(request: FetchRequest, signal: AbortSignal): Promise<Resolved> {
    const query = {
      spec: request.spec,
      network: true,
      ...(request.publisher && { publisher: request.publisher })
    }
    if (request.from === undefined) return await resolveRelease(this.#modules, query, signal)
    const { network } = this.#modules
    const peerId = await network.dial(request.from, signal)
    const only = { ...network, connected: () => [peerId], holders: () => oneHolder(peerId) }
    const resolved = await resolveRelease({ ...this.#modules, network: only }, query, signal)
    return { record: resolved.record, holders: [peerId] }
  }

  /** Callers who want the same content at the same time share one transfer. */
  async #shared(
    wanted: Resolved,
    onlyThese: boolean,
    progress: OnProgress,
    signal: AbortSignal
  ): Promise<ContentFetched> {
    const key = wanted.record.release.content.toString()
    const listeners = this.#listeners.get(key) ?? new Set()
    this.#listeners.set(key, listeners.add(progress))
    try {
      return await this.#flights.run(key, shared => this.#asJob(wanted, onlyThese, shared), signal)
    } finally {
      listeners.delete(progress)
      if (listeners.size === 0) this.#listeners.delete(key)
    }
  }

  /** Keeps the wish in the database until it is fulfilled, refused or withdrawn; a shutdown leaves it there. */
  async #asJob(wanted: Resolved, onlyThese: boolean, signal: AbortSignal): Promise<ContentFetched> {
    const { jobs, clock, events } = this.#modules
    const { record } = wanted
    const { name, version } = record.release
    const id = record.id.toString()
    await jobs.begin({ id, name, version, startedAt: clock.now() }, signal)
    let stopping = false
    try {
      const fetched = await this.#inRounds(wanted, onlyThese, signal)
      events.emit('release', { name, version, id, local: 'complete' })
      return fetched
    } catch (error) {
      stopping = this.#stopping
      throw error
    } finally {
      if (!stopping) await jobs.end(id)
    }
  }

  #stopping = false

  /** From now on a fetch that is cut off keeps its job. */
  stop(): void {
    this.#stopping = true
  }

  async #inRounds(wanted: Resolved, onlyThese: boolean, signal: AbortSignal): Promise<ContentFetched> {
    const { clock, logger } = this.#modules
    const { name } = wanted.record.release
    return await retry(
      async round => {
        const known = round === 1 ? wanted.holders : []
        const holders =
          known.length > 0 || onlyThese ? wanted.holders : await this.#holdersOf(wanted.record, signal)
        return await this.#fromAny(wanted.record, holders, signal)
      },
      ROUNDS,
      {
        clock,
        signal,
        retryable: error => WORTH_ANOTHER.includes(toCatalogError(error).code),
        onRetry: (error, round, delayMs) =>
          logger.warn(
            { name, round, delayMs, code: toCatalogError(error).code },
            'fetch failed, trying again'
          )
      }
    )
  }

  async #holdersOf(record: ReleaseRecord, signal: AbortSignal): Promise<string[]> {
    const found = await lookUp(this.#modules, record.release.name, signal)
    const id = record.id.toString()
    return found.holders.filter(holder => holder.ids.has(id)).map(holder => holder.peerId)
  }

  /** Tries one source after the other; what one brought stays for the next. The last error says why none did. */
  async #fromAny(
    record: ReleaseRecord,
    holders: readonly string[],
    signal: AbortSignal
  ): Promise<ContentFetched> {
    const { network, logger } = this.#modules
    const name = releaseName(record)
    const sources: ContentFetched['sources'] = []
    let last = new CatalogError('NO_PROVIDERS', `nobody who can be reached holds ${name}`)
    for (const peerId of holders.slice(0, MAX_SOURCES)) {
      try {
        const fetched = await network.fetchContent(record, peerId, at => this.#tell(record, at), signal)
        return { ...fetched, sources: [...sources, ...fetched.sources] }
      } catch (thrown) {
        signal.throwIfAborted()
        last = toCatalogError(thrown)
        if (!WORTH_ANOTHER.includes(last.code)) throw last
        logger.warn({ release: name, peerId, code: last.code, error: last.message }, 'a source failed')
      }
    }
    throw last
  }

  #tell(record: ReleaseRecord, progress: { bytesDone: number; bytesTotal: number }): void {
    const listeners = this.#listeners.get(record.release.content.toString()) ?? []
    for (const listener of listeners) listener({ phase: 'fetching', ...progress })
  }
}

async function* oneHolder(peerId: string): AsyncGenerator<{ peerId: string; source: 'peer'; ageMs: number }> {
  yield { peerId, source: 'peer', ageMs: 0 }
}

function resultOf(record: ReleaseRecord) {
  const { release } = record
  return {
    id: record.id.toString(),
    name: release.name,
    version: release.version,
    content: release.content.toString(),
    sizeBytes: release.sizeBytes,
    files: release.files,
    owner: formatPublicKey(release.owner),
    dependencies: release.dependencies ?? []
  }
}
