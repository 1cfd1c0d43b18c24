import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface'
import type { Registry as MetricsRegistry } from 'prom-client'
import { CatalogError, type Clock, type Logger, partMetrics } from '../../base/index.ts'
import type { ContentStore, Registry, ReleaseRecord } from '../../library/index.ts'
import type { Budget, Priority } from '../throttle/index.ts'
import { fromTransport } from '../wire/status.ts'
import { AnswerMemory } from './answer-memory.ts'
import { BUSY_RETRY_MS, MAX_STREAMS, MAX_STREAMS_PER_PEER, TICK_MS } from './limits.ts'
import { PartialContents } from './partial-contents.ts'
import { DEFAULT_PRIORITY } from './priority.ts'
import { ContentResolver } from './resolver.ts'
import { type MayRead, ServedStream } from './served-stream.ts'
import { ServingHolds } from './serving-holds.ts'
import { contentProtocol } from './source-stream.ts'
import { StreamPlaces } from './stream-places.ts'

export interface ContentServerModules {
  readonly libp2p: Pick<Libp2p, 'handle' | 'unhandle'>
  readonly store: Pick<ContentStore, 'readBlock' | 'readStoredMany' | 'localState' | 'hold'>
  readonly registry: Pick<Registry, 'get'>
  /** What is being fetched here, to serve it already; shared with the fetcher. */
  readonly partials?: PartialContents
  readonly log: Logger
  readonly clock: Clock
  /** Has what is sent wait for its turn. */
  readonly upload: Budget
  readonly metrics?: MetricsRegistry
}

export interface ContentServerOptions {
  readonly networkId: string
  /** Who may read which release; everybody everything unless given. */
  readonly mayRead?: MayRead
  /** Streams served at once, of all peers and of one. */
  readonly maxStreams?: number
  readonly maxStreamsPerPeer?: number
  /** Most urgent class that a peer may claim; normal unless given. */
  readonly maxPriority?: Priority
  /** A stream has ended on which so many bytes went to a peer in the time that they took. */
  readonly onServed?: (peerId: PeerId, bytes: number, tookMs: number) => void
  /** Content of a release was sent to a peer in a class: bytes as they went over the wire. */
  readonly onSent?: (peerId: PeerId, record: ReleaseRecord, bytes: number, priority: Priority) => void
  /** A peer sent what the protocol does not allow; its stream is already cut. */
  readonly onViolation?: (peerId: PeerId, error: CatalogError) => void
}

/** Serves the content of releases to peers, from `start` to `stop`. */
export interface ContentServer {
  start(): Promise<void>
  /** Takes no new streams and cuts those that are open. */
  stop(): Promise<void>
  /** Cuts the streams of peers that may not read what they read any more. */
  recheck(): Promise<void>
}

export function createContentServer(
  modules: ContentServerModules,
  options: ContentServerOptions
): ContentServer {
  return new BulkServer(modules, options)
}

class BulkServer implements ContentServer {
  readonly #modules: ContentServerModules
  readonly #options: ContentServerOptions
  readonly #protocol: string
  readonly #resolver: ContentResolver
  readonly #partials: PartialContents
  readonly #holds: ServingHolds
  readonly #places = new StreamPlaces()
  readonly #streams = new Set<ServedStream>()
  readonly #memory: AnswerMemory
  readonly #metrics
  #running: AbortController | undefined

  constructor(modules: ContentServerModules, options: ContentServerOptions) {
    this.#modules = modules
    this.#options = options
    this.#protocol = contentProtocol(options.networkId)
    this.#partials = modules.partials ?? new PartialContents()
    this.#resolver = new ContentResolver(modules.store)
    this.#holds = new ServingHolds(modules)
    this.#memory = new AnswerMemory(modules.metrics)
    const metrics = partMetrics(modules.metrics, 'content')
    metrics.gauge('served_streams', () => this.#places.used)
    this.#metrics = {
      served: metrics.counter('served_bytes_total'),
      answers: metrics.counter('served_answers_total'),
      busy: metrics.counter('busy_streams_total'),
      cut: metrics.counter('cut_streams_total')
    }
  }

  async start(): Promise<void> {
    if (this.#running !== undefined)
      throw new CatalogError('INTERNAL', 'the content server was started twice')
    this.#running = new AbortController()
    await this.#modules.libp2p.handle(this.#protocol, this.#onStream, {
      // Refused ones need a little time to read why.
      maxInboundStreams: 2 * (this.#options.maxStreamsPerPeer ?? MAX_STREAMS_PER_PEER),
      runOnLimitedConnection: true
    })
    void this.#tickWhile(this.#running.signal)
  }

  async stop(): Promise<void> {
    if (this.#running === undefined) return
    const reason = new CatalogError('SHUTTING_DOWN', 'the content server was stopped')
    this.#running.abort(reason)
    this.#running = undefined
    await this.#modules.libp2p.unhandle(this.#protocol)
    for (const stream of this.#streams) stream.cut(reason)
  }

  async recheck(): Promise<void> {
    for (const stream of this.#streams) await stream.recheck()
  }

  readonly #onStream = (stream: Stream, connection: Connection): void => {
    const { clock, store, registry, upload } = this.#modules
    const peerId = connection.remotePeer
    const served = new ServedStream({
      stream,
      peerId,
      store,
      holds: this.#holds,
      registry,
      partials: this.#partials,
      resolver: this.#resolver,
      mayRead: this.#options.mayRead ?? (() => true),
      clock,
      upload,
      memory: this.#memory,
      maxPriority: this.#options.maxPriority ?? DEFAULT_PRIORITY,
      onAnswer: (status, bytes) => {
        this.#metrics.answers.inc({ status: String(status) })
        this.#metrics.served.inc(bytes)
      },
      onPace: (bytes, tookMs) => this.#options.onServed?.(peerId, bytes, tookMs),
      onContent: (record, bytes, priority) => this.#options.onSent?.(peerId, record, bytes, priority)
    })
    this.#streams.add(served)
    void this.#serve(served, peerId).finally(() => this.#streams.delete(served))
  }

  async #serve(served: ServedStream, peerId: PeerId): Promise<void> {
    const key = peerId.toString()
    const release = this.#takePlace(key, served)
    if (release === undefined) {
      this.#metrics.busy.inc()
      await served.refuse(noPlace())
      return
    }
    try {
      await served.run()
    } catch (thrown) {
      this.#report(peerId, fromTransport(thrown, key))
    } finally {
      release()
    }
  }

  #takePlace(key: string, served: ServedStream): (() => void) | undefined {
    if (this.#running === undefined) return undefined
    const { maxStreams = MAX_STREAMS, maxStreamsPerPeer = MAX_STREAMS_PER_PEER } = this.#options
    // Where the rate is what is short, no place is taken from anybody: it may be one that no limit is about.
    const places = this.#modules.upload.places(key)
    if (this.#places.used >= places.total) return undefined
    const limits = { total: maxStreams, ofPeer: Math.min(maxStreamsPerPeer, places.ofPeer) }
    return this.#places.take(key, served, limits, noPlace)
  }

  #report(peerId: PeerId, error: CatalogError): void {
    this.#metrics.cut.inc({ code: error.code })
    const fields = { peer: peerId.toString(), code: error.code, reason: error.message }
    if (error.code === 'PROTOCOL_VIOLATION') {
      this.#modules.log.warn(fields, 'a transfer to a peer was cut')
      this.#options.onViolation?.(peerId, error)
    } else this.#modules.log.debug(fields, 'a transfer to a peer ended early')
  }

  async #tickWhile(signal: AbortSignal): Promise<void> {
    const { clock } = this.#modules
    while (!signal.aborted) {
      try {
        await clock.wait(TICK_MS, signal)
      } catch {
        return // stopped
      }
      for (const stream of this.#streams) stream.tick(clock.monotonicMs())
    }
  }
}

const noPlace = (): CatalogError =>
  new CatalogError('BUSY', 'all places for transfers are taken', { details: { retryAfterMs: BUSY_RETRY_MS } })
