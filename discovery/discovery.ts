import type { Libp2p, PeerId, PrivateKey } from '@libp2p/interface'
import { trace } from '@opentelemetry/api'
import type { Registry } from 'prom-client'
import {
  type Clock,
  type Logger,
  LruCache,
  partMetrics,
  spanFailed,
  systemClock,
  withSpan
} from '../base/index.ts'
import type { Database } from '../library/index.ts'
import { type AnnounceOptions, type AnnounceResult, Announcer } from './announce/announcer.ts'
import { type AnnounceTrace, Delivery } from './announce/delivery.ts'
import { PendingKeys } from './announce/pending.ts'
import { SweepProgress } from './announce/progress.ts'
import { Refusals } from './announce/refusals.ts'
import { Regions } from './announce/regions.ts'
import { type KeySource, Sweeper, type SweepStats } from './announce/sweeper.ts'
import { Answers, serveAnswers } from './answers.ts'
import { Finder, type FindOptions, type FindTrace, type Holder } from './find/finder.ts'
import { NegativeCache } from './find/negative-cache.ts'
import { keyText } from './keys.ts'
import { Libp2pNetwork } from './libp2p-network.ts'
import type { DiscoveryNetwork } from './network.ts'
import { PeerBook } from './peers/book.ts'
import { contactOf } from './peers/contact.ts'
import { PeerRecordReader } from './peers/peer-record.ts'
import { CLEANUP_INTERVAL_MS } from './providers/limits.ts'
import { Nearness } from './providers/nearness.ts'
import { ProviderStore } from './providers/store.ts'

/** Keys whose last search and announcement are remembered for `why`. */
const MAX_TRACES = 1000
/** Claims told by `why`. */
const WHY_BOUNDS = { maxProviders: 20, maxBytes: 64 * 1024 }

export interface DiscoveryModules {
  /** With kad-dht among its services; may be started later. */
  readonly libp2p: Libp2p
  /** The node key: signs this node's addresses. */
  readonly privateKey: PrivateKey
  readonly database: Database
  readonly log: Logger
  readonly clock?: Clock
  /** Uniform in [0, 1). */
  readonly random?: () => number
  /** Where metrics are registered. */
  readonly metrics?: Registry
  /** Puts holders (peer ids) that were found together in the order in which they are given; as they were found unless given. */
  readonly order?: (peerIds: readonly string[]) => string[]
  /** All keys that are to be announced again and again; without it only `announce` tells others anything. */
  readonly keySource?: KeySource
}

export interface DiscoveryOptions {
  readonly networkId: string
  /** Name of the kad-dht service in libp2p; `dht` unless given. */
  readonly dhtService?: string
  /** Every key is announced again within this time; 22 hours unless given, well below the 25 that a claim holds. */
  readonly announceIntervalMs?: number
}

/** Why a key was or was not found, and who was told of it. */
export interface DiscoveryWhy {
  readonly key: string
  /** Claims in this node's own store. */
  readonly local: ReadonlyArray<{ peer: string; ageMs: number; expiresInMs: number }>
  /** How it was last looked for. */
  readonly find: FindTrace | undefined
  /** How it was last announced by this node. */
  readonly announce: AnnounceTrace | undefined
  /** The key counts as missing for this much longer without being asked for. */
  readonly missingForMs: number
}

export interface DiscoveryStats {
  readonly peers: number
  readonly connectedPeers: number
  readonly claims: number
  readonly providers: number
  readonly pendingKeys: number
  readonly lookups: number
  readonly sweep: SweepStats
}

export interface Discovery {
  /** Tells the peers that should know that this node holds what the keys stand for. See `AnnounceOptions.wait`. */
  announce(keys: readonly Uint8Array[], options?: AnnounceOptions): Promise<AnnounceResult>
  /**
   * Nodes that claim to hold what a key stands for, as they are found. Stop taking when one was good: that ends the search.
   * Throws NO_PROVIDERS, NO_PEERS, BUSY, or the signal's reason.
   */
  findHolders(key: Uint8Array, options?: FindOptions): AsyncIterable<Holder>
  /** A peer said goodbye: it is asked nothing until it connects again. */
  peerLeft(peerId: PeerId): void
  /** Begins to answer others and to announce. */
  start(): Promise<void>
  /** Ends both; what was acknowledged is on disk. */
  stop(): Promise<void>
  stats(): DiscoveryStats
  why(key: Uint8Array): Promise<DiscoveryWhy>
}

/** Makes discovery over libp2p; call `start` before libp2p starts or soon after, `stop` before it stops. */
export async function createDiscovery(
  modules: DiscoveryModules,
  options: DiscoveryOptions
): Promise<Discovery> {
  const clock = modules.clock ?? systemClock
  const { networkId, dhtService = 'dht', announceIntervalMs } = options
  const network = new Libp2pNetwork({ ...modules, clock }, { networkId, dhtService })
  return await DiscoveryCore.create({
    ...modules,
    clock,
    random: modules.random ?? Math.random,
    network,
    ...(announceIntervalMs === undefined ? {} : { announceIntervalMs }),
    serve: answers => serveAnswers({ ...modules, clock }, answers, networkId)
  })
}

export interface DiscoveryCoreModules {
  readonly network: DiscoveryNetwork
  readonly database: Database
  readonly log: Logger
  readonly clock: Clock
  readonly random: () => number
  readonly metrics?: Registry
  readonly keySource?: KeySource
  readonly order?: DiscoveryModules['order']
  /** See `DiscoveryOptions`. */
  readonly announceIntervalMs?: number
  /** Begins to let others ask; returns how to stop. */
  serve(answers: Answers): Promise<() => Promise<void>>
}

/** The source of a node that announces nothing of its own. */
async function* noKeys(): AsyncGenerator<Uint8Array> {}

const tracer = trace.getTracer('catalog')

/** Discovery over any network: wires its parts together and holds their lives. */
export class DiscoveryCore implements Discovery {
  readonly #modules: DiscoveryCoreModules
  readonly #book: PeerBook
  readonly #store: ProviderStore
  readonly #negative: NegativeCache
  readonly #records = new PeerRecordReader()
  readonly #regions: Regions
  readonly #pending: PendingKeys
  readonly #announcer: Announcer
  readonly #sweeper: Sweeper
  readonly #finder: Finder
  readonly #finds = new LruCache<string, FindTrace>({ maxEntries: MAX_TRACES })
  readonly #announces = new LruCache<string, AnnounceTrace>({ maxEntries: MAX_TRACES })
  readonly #stopping = new AbortController()
  #stops: Array<() => Promise<void> | void> = []

  static async create(modules: DiscoveryCoreModules): Promise<DiscoveryCore> {
    return new DiscoveryCore(modules, await PendingKeys.load(modules.database))
  }

  private constructor(modules: DiscoveryCoreModules, pending: PendingKeys) {
    const { network, clock, log } = modules
    this.#modules = modules
    this.#pending = pending
    const self = contactOf(network.self, [])
    this.#book = new PeerBook(self, clock)
    const nearness = new Nearness(self, this.#book, clock)
    const { searches, found, evictions } = this.#registerMetrics(modules.metrics)
    this.#store = new ProviderStore(
      { ...modules, onEvict: claims => evictions.inc(claims) },
      { self: network.self.toMultihash().bytes, isNear: key => nearness.isNear(key) }
    )
    this.#negative = new NegativeCache(clock)
    this.#regions = new Regions(network, clock)
    const shared = {
      network,
      clock,
      log,
      metrics: modules.metrics,
      book: this.#book,
      store: this.#store,
      records: this.#records
    }
    const delivery = new Delivery({
      ...shared,
      refusals: new Refusals(clock),
      regions: this.#regions,
      onTrace: (key, announce) => this.#announces.set(keyText(key), announce)
    })
    this.#announcer = new Announcer({ delivery, pending, clock, log, random: modules.random })
    this.#sweeper = new Sweeper(
      {
        announcer: this.#announcer,
        delivery,
        progress: new SweepProgress(modules.database),
        source: modules.keySource ?? noKeys,
        hasPeers: () => this.#book.connectedCount() > 0,
        clock,
        log,
        random: modules.random
      },
      self.kademliaId,
      modules.announceIntervalMs
    )
    this.#finder = new Finder({
      ...shared,
      negative: this.#negative,
      ...(modules.order && { order: modules.order }),
      onTrace: (key, find) => {
        found.inc({ answer: this.#answerOf(key, find) })
        searches.observe({ outcome: find.holders.length > 0 ? 'found' : 'missing' }, find.tookMs / 1000)
        this.#finds.set(keyText(key), find)
      }
    })
  }

  async start(): Promise<void> {
    const { network, clock, log, serve } = this.#modules
    const answers = new Answers({
      network,
      clock,
      log,
      store: this.#store,
      records: this.#records,
      book: this.#book,
      negative: this.#negative
    })
    this.#stops.push(await serve(answers))
    this.#stops.push(
      network.watch({
        connect: contact => {
          this.#book.connected(contact)
          this.#negative.clear()
          this.#announcer.peerCame()
          this.#sweeper.peerCame()
        },
        disconnect: id => this.#book.disconnected(id)
      })
    )
    for (const contact of network.connected()) this.#book.connected(contact)
    this.#announcer.start()
    await this.#sweeper.start()
    const cleaning = this.#keepClean()
    this.#stops.push(() => cleaning)
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all([this.#announcer.stop(), this.#sweeper.stop()])
    await Promise.all(this.#stops.splice(0).map(stop => stop()))
    await this.#store.idle()
  }

  announce(keys: readonly Uint8Array[], options?: AnnounceOptions): Promise<AnnounceResult> {
    return withSpan('discovery.announce', { 'catalog.keys': keys.length }, async () => {
      await this.#sweeper.keysCame()
      return await this.#announcer.announce(keys, options)
    })
  }

  async *findHolders(key: Uint8Array, options?: FindOptions): AsyncGenerator<Holder, void, undefined> {
    const span = tracer.startSpan('discovery.find')
    try {
      yield* this.#finder.find(key, options)
    } catch (thrown) {
      spanFailed(span, thrown)
      throw thrown
    } finally {
      span.end()
    }
  }

  peerLeft(peerId: PeerId): void {
    this.#book.left(peerId.toString())
  }

  stats(): DiscoveryStats {
    return {
      peers: this.#book.size,
      connectedPeers: this.#book.connectedCount(),
      ...this.#store.totals(),
      pendingKeys: this.#pending.size,
      lookups: this.#regions.lookups,
      sweep: this.#sweeper.stats()
    }
  }

  async why(key: Uint8Array): Promise<DiscoveryWhy> {
    const now = this.#modules.clock.now()
    const local = await this.#store.get(key, WHY_BOUNDS)
    const text = keyText(key)
    return {
      key: text,
      local: await Promise.all(
        local.map(async ({ peerRecord, receivedAt, expiresAt }) => ({
          peer: (await this.#records.open(peerRecord)).peerId.toString(),
          ageMs: now - receivedAt,
          expiresInMs: expiresAt - now
        }))
      ),
      find: this.#finds.get(text),
      announce: this.#announces.get(text),
      missingForMs: this.#negative.remainingMs(key)
    }
  }

  /** Where a search had its answer from. */
  #answerOf(
    key: Uint8Array,
    { local, asked, holders }: FindTrace
  ): 'local' | 'asked' | 'missing' | 'remembered' {
    if (local > 0) return 'local'
    if (holders.length > 0) return 'asked'
    return asked.length === 0 && this.#negative.remainingMs(key) > 0 ? 'remembered' : 'missing'
  }

  /** Goes round the store for as long as this lives. */
  async #keepClean(): Promise<void> {
    const { clock, log } = this.#modules
    const { signal } = this.#stopping
    while (!signal.aborted) {
      try {
        await clock.wait(CLEANUP_INTERVAL_MS, signal)
        await this.#store.cleanUp(signal)
      } catch (error) {
        if (!signal.aborted) log.error({ err: error }, 'expired provider claims could not be removed')
      }
    }
  }

  #registerMetrics(registry: Registry | undefined) {
    const metrics = partMetrics(registry, 'discovery')
    metrics.gauge('stored_claims', () => this.#store.totals().claims)
    metrics.gauge('known_providers', () => this.#store.totals().providers)
    metrics.counted('walked_lookups_total', () => [[{}, this.#regions.lookups]])
    metrics.gauge('pending_keys', () => this.#pending.size)
    metrics.gauge('sweep_late_seconds', () => this.#sweeper.stats().lateMs / 1000)
    metrics.gauge('known_peers', () => this.#book.size)
    return {
      searches: metrics.histogram('search_seconds'),
      found: metrics.counter('found_names_total'),
      evictions: metrics.counter('evicted_claims_total')
    }
  }
}
