import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import type { Registry as MetricsRegistry } from 'prom-client'
import {
  CatalogError,
  type Clock,
  type ErrorCode,
  type Logger,
  partMetrics,
  toCatalogError,
  withSpan
} from '../../base/index.ts'
import type { ContentStore, Receive, Registry, ReleaseRecord } from '../../library/index.ts'
import type { RecordClient } from '../records/index.ts'
import type { Priority } from '../throttle/index.ts'
import { MAP_EVERY_MS, REQUEST_WINDOW } from './limits.ts'
import { findOlder, type OlderContent } from './older.ts'
import type { PartialContents, ReadHave } from './partial-contents.ts'
import type { SourceMemory } from './source-memory.ts'
import type { SourceModules } from './source-stream.ts'
import type { DownloadBudget } from './swarm/lane.ts'
import type { WayOpener } from './swarm/more-ways.ts'
import { SourceBook } from './swarm/source-book.ts'
import { ofSource, SourceFailure } from './swarm/source-failure.ts'
import { Swarm } from './swarm/swarm.ts'
import { ReleaseWalk } from './walk.ts'

/** Least time between two progress events. */
const PROGRESS_EVERY_MS = 100
/** Failures that say something about the peer, not about the moment. */
const VIOLATIONS: ReadonlySet<ErrorCode> = new Set(['BYTES_WRONG', 'PROTOCOL_VIOLATION'])

export type FetchPhase = 'record' | 'manifest' | 'files' | 'flush' | 'done'

/** How far a fetch has come. Bytes are those of files; held ones count as done. */
export interface FetchProgress {
  phase: FetchPhase
  bytesDone: number
  /** 0 until the record is known. */
  bytesTotal: number
  filesDone: number
  filesTotal: number
  bytesFetched: number
  bytesReused: number
  /** What each peer has sent so far, as on the wire. */
  sources: FetchSource[]
}

/** A peer of a fetch, with what it sent as it came over the wire: stored form, with manifest, trees and headers. */
export interface FetchSource {
  peerId: PeerId
  bytes: number
}

export interface FetchResult {
  record: ReleaseRecord
  /** Raw bytes of files that came from peers, and that were here already or stand in several places. */
  bytesFetched: number
  bytesReused: number
  sources: FetchSource[]
  tookMs: number
}

export interface FetchModules extends SourceModules {
  readonly store: Pick<ContentStore, 'hasBlock' | 'readBlock' | 'beginReceive' | 'localState' | 'wholePages'>
  readonly registry: Pick<Registry, 'get' | 'add' | 'entries'>
  readonly records: Pick<RecordClient, 'get'>
  readonly log: Logger
  readonly clock: Clock
  /** Where this node's server finds what is here of a content that is being fetched. */
  readonly partials?: PartialContents
  /** Download limits; none unless given. */
  readonly budget?: DownloadBudget
  /** Opens more connections to a source that one holds up; none unless given. */
  readonly opener?: WayOpener
  /** Remembers sources from one fetch to the next; each fetch learns by itself unless given. */
  readonly memory?: SourceMemory
  readonly metrics?: MetricsRegistry
}

export interface FetcherOptions {
  readonly networkId: string
  /** Requests in flight to one source at most, 1 to MAX_PIPELINED, asked for when a fetch begins to draw; REQUEST_WINDOW unless given. */
  readonly requestsInFlight?: () => number
  /** A peer has brought content of a release, and it is right and kept: bytes as they came over the wire. */
  readonly onStored?: (peerId: PeerId, record: ReleaseRecord, bytes: number) => void
  /** A source lied or broke the protocol. */
  readonly onViolation?: (peerId: PeerId, error: CatalogError) => void
}

export interface FetchRequest {
  /** Id of the signed release record. */
  readonly record: CID
  /** Peers that may have it, best first. */
  readonly peers: readonly PeerId[]
  /** Id of another record with the same content by which a peer knows it: one with older words, or of another owner. */
  readonly recordAt?: (peerId: PeerId) => CID | undefined
  /** Peers that turn out to have it while the fetch runs: they join. The signal ends the search with the fetch. */
  readonly morePeers?: (signal: AbortSignal) => AsyncIterable<PeerId>
  /**
   * How urgent it is now: for the download limits here, asked before each request, and for the turns that sources give, asked
   * when a stream to one is opened. Normal unless given.
   */
  readonly trafficClass?: () => Priority
  readonly onProgress?: (progress: FetchProgress) => void
  /** A source failed: the others go on, or this one is tried again. */
  readonly onSourceFailed?: (peerId: PeerId, error: CatalogError) => void
  readonly signal?: AbortSignal
}

/** Fetches releases from peers into the store. */
export interface Fetcher {
  /**
   * Fetches a release: its record first, verified before any byte is asked for, then whatever of its content is not
   * here. Ends when all is on disk and marked complete. Draws from all sources at once; when one fails the others go on. Calling it
   * again after any failure, or a kill, asks only for what is still missing. Fails with the last source's error, with
   * NO_PROVIDERS when there is none, CONTENT_INVALID or PATH_REFUSED when the publisher's content is wrong in
   * itself, the disk's error, or the signal's reason. Not to be called twice at once for the same content.
   */
  fetch(request: FetchRequest): Promise<FetchResult>
}

export function createFetcher(modules: FetchModules, options: FetcherOptions): Fetcher {
  const metrics = partMetrics(modules.metrics, 'fetch')
  const counters: Counters = {
    received: bytes => received.inc(bytes),
    ended: outcome => ended.inc({ outcome }),
    way: (kind, outcome) => ways.inc({ kind, outcome })
  }
  const received = metrics.counter('received_bytes_total')
  const ways = metrics.counter('extra_connections_total')
  const ended = metrics.counter('ended_fetches_total')
  return {
    fetch: request =>
      withSpan('fetch.content', {}, () => new Fetch(modules, options, request, counters).run())
  }
}

interface Counters {
  received(bytes: number): void
  ended(outcome: string): void
  way(kind: string, outcome: string): void
}

class Fetch {
  readonly #modules: FetchModules
  readonly #options: FetcherOptions
  readonly #request: FetchRequest
  readonly #counters: Counters
  readonly #signal: AbortSignal
  readonly #startMs: number
  readonly #received = new Map<string, FetchSource>()
  #record: ReleaseRecord | undefined
  #walk: Pick<ReleaseWalk, 'phase' | 'progress'> | undefined
  #toldPhase: FetchPhase | undefined
  #toldMs = Number.NEGATIVE_INFINITY

  constructor(modules: FetchModules, options: FetcherOptions, request: FetchRequest, counters: Counters) {
    this.#modules = modules
    this.#options = options
    this.#request = request
    this.#counters = counters
    this.#signal = request.signal ?? new AbortController().signal
    this.#startMs = modules.clock.monotonicMs()
  }

  async run(): Promise<FetchResult> {
    try {
      this.#signal.throwIfAborted()
      this.#tell('record')
      const record = await this.#findRecord()
      this.#record = record
      await this.#fetchUpdate(record)
      this.#tell('done')
      this.#counters.ended('ok')
      return this.#result(record)
    } catch (thrown) {
      const error = thrown instanceof SourceFailure ? thrown.reason : thrown
      this.#counters.ended(error instanceof CatalogError ? error.code : 'ABORTED')
      throw error
    }
  }

  /** The record, from here or from the first peer that has it: verified, and kept. */
  async #findRecord(): Promise<ReleaseRecord> {
    const { registry, records } = this.#modules
    const { record: id } = this.#request
    const known = registry.get(id)
    if (known !== undefined) return known
    let last = new CatalogError('NO_PROVIDERS', 'there is no source to fetch from')
    for (const peerId of this.#request.peers) {
      try {
        const { releases } = await ofSource(records.get(peerId, [id], this.#signal), this.#signal)
        const [found] = releases
        if (found !== undefined) return (await registry.add(found.bytes, this.#signal)).record
        last = new CatalogError('RELEASE_NOT_FOUND', `${peerId} does not know ${id}`)
      } catch (thrown) {
        if (!(thrown instanceof SourceFailure)) throw thrown
        last = thrown.reason
      }
      this.#report(peerId, last)
    }
    throw last
  }

  /** Fetches what an older content here has not; all that is missing when that one turns out to be damaged meanwhile. */
  async #fetchUpdate(record: ReleaseRecord): Promise<void> {
    const { content, sizeBytes, files } = record.release
    if (this.#modules.store.localState(content) === 'complete') {
      const progress = { bytesFetched: 0, bytesReused: sizeBytes, filesDone: files }
      this.#walk = { phase: 'done', progress }
      return
    }
    const older = await findOlder(this.#modules, record, this.#signal)
    try {
      await this.#fetchContent(record, older)
    } catch (thrown) {
      if (older === undefined || toCatalogError(thrown).code !== 'CONTENT_MISSING') throw thrown
      await this.#fetchContent(record, undefined)
    }
  }

  /** What has come stays for the next attempt, however this one ends. */
  async #fetchContent(record: ReleaseRecord, older: OlderContent | undefined): Promise<void> {
    const receive = this.#modules.store.beginReceive()
    try {
      await this.#fetchInto(receive, record, older)
    } finally {
      await receive
        .end()
        .catch(thrown => this.#modules.log.warn({ err: thrown }, 'blocks of a failed fetch were not kept'))
    }
  }

  async #fetchInto(receive: Receive, record: ReleaseRecord, older: OlderContent | undefined): Promise<void> {
    const { store } = this.#modules
    const { content, sizeBytes, files } = record.release
    const walk = new ReleaseWalk({ store, receive }, record.release, older?.pages)
    this.#walk = walk
    // What is here is looked at first: a content that is whole but not marked needs no source.
    const missing = await walk.next(this.#signal)
    if (missing !== undefined) walk.putBack(missing)
    const withdraw = this.#modules.partials?.add(content, this.#readHave(walk))
    try {
      if (walk.phase !== 'done') await this.#draw(receive, record, walk)
      this.#tell('flush')
      await walk.flush(this.#signal)
      const options = { older: older?.content, signal: this.#signal }
      await receive.markComplete(content, { sizeBytes, files }, options)
    } finally {
      // Only now: who asked between the last block and the mark was told that there is nothing here.
      withdraw?.()
    }
  }

  async #draw(receive: Receive, record: ReleaseRecord, walk: ReleaseWalk): Promise<void> {
    const { networkId, requestsInFlight = () => REQUEST_WINDOW, onStored } = this.#options
    const { peers, morePeers, trafficClass = () => 'normal', recordAt } = this.#request
    const book = new SourceBook(this.#modules.memory)
    const swarm = new Swarm(
      {
        ...this.#modules,
        book,
        store: receive,
        walk,
        sizeBytes: record.release.sizeBytes,
        onWay: (way, outcome) => this.#counters.way(way, outcome),
        onReceived: (peerId, bytes) => this.#count(peerId, bytes),
        onStored: (peerId, bytes) => onStored?.(peerId, record, bytes),
        onFailure: (peerId, error) => this.#report(peerId, error)
      },
      {
        networkId,
        recordAt: peerId => recordAt?.(peerId) ?? record.id,
        peers,
        ...(morePeers && { morePeers }),
        trafficClass,
        requestsInFlight: requestsInFlight(),
        signal: this.#signal
      }
    )
    try {
      await swarm.run()
    } finally {
      book.close()
    }
  }

  /** Says what can be read here. What was written and waits for its stage is committed for the next time: others need it. */
  #readHave(walk: ReleaseWalk): ReadHave {
    const { clock, log } = this.#modules
    let flushedMs = Number.NEGATIVE_INFINITY
    return () => {
      const nowMs = clock.monotonicMs()
      if (nowMs - flushedMs >= MAP_EVERY_MS) {
        flushedMs = nowMs
        walk
          .flush(this.#signal)
          .catch(error => log.debug({ err: error }, 'what was fetched so far could not be committed'))
      }
      return walk.have
    }
  }

  #report(peerId: PeerId, error: CatalogError): void {
    const fields = { peer: peerId.toString(), code: error.code, reason: error.message }
    if (error.code === 'SOURCE_SLOW') this.#modules.log.debug(fields, 'a source was let go')
    else this.#modules.log.warn(fields, 'a source failed')
    this.#request.onSourceFailed?.(peerId, error)
    if (VIOLATIONS.has(error.code)) this.#options.onViolation?.(peerId, error)
  }

  #count(peerId: PeerId, bytes: number): void {
    const key = peerId.toString()
    const source = this.#received.get(key) ?? { peerId, bytes: 0 }
    source.bytes += bytes
    this.#received.set(key, source)
    this.#counters.received(bytes)
    this.#tell(this.#walk?.phase === 'manifest' ? 'manifest' : 'files')
  }

  /** Tells of progress: each new phase, and now and then within one. */
  #tell(phase: FetchPhase): void {
    const { onProgress } = this.#request
    if (onProgress === undefined) return
    const nowMs = this.#modules.clock.monotonicMs()
    if (phase === this.#toldPhase && nowMs - this.#toldMs < PROGRESS_EVERY_MS) return
    this.#toldPhase = phase
    this.#toldMs = nowMs
    const { bytesFetched = 0, bytesReused = 0, filesDone = 0 } = this.#walk?.progress ?? {}
    const { sizeBytes = 0, files = 0 } = this.#record?.release ?? {}
    onProgress({
      phase,
      bytesDone: bytesFetched + bytesReused,
      bytesTotal: sizeBytes,
      filesDone,
      filesTotal: files,
      bytesFetched,
      bytesReused,
      sources: [...this.#received.values()].map(source => ({ ...source }))
    })
  }

  #result(record: ReleaseRecord): FetchResult {
    const { bytesFetched, bytesReused } = this.#walk!.progress
    return {
      record,
      bytesFetched,
      bytesReused,
      sources: [...this.#received.values()],
      tookMs: this.#modules.clock.monotonicMs() - this.#startMs
    }
  }
}
