/**
 * Demand on this node: counts what it serves, tells its peers once an hour what that is, and hears the same of them. The counts outlive a restart; what
 * peers said does not: they say it again within the hour.
 */
import { randomBytes } from 'node:crypto'
import type { PeerId } from '@libp2p/interface'
import { CID } from 'multiformats/cid'
import type { Registry as MetricsRegistry } from 'prom-client'
import {
  type CatalogError,
  type Clock,
  HOUR_MS,
  type Logger,
  MINUTE_MS,
  partMetrics,
  SECOND_MS,
  toCatalogError
} from '../../../base/index.ts'
import {
  type Database,
  type IndexEntry,
  KeyFamily,
  makeKey,
  nextSequence,
  type Registry,
  type ReleaseRecord
} from '../../../library/index.ts'
import {
  type Demand,
  DemandCounter,
  DemandReports,
  type DemandSummary,
  decodeCounts,
  decodeSummary,
  demandFor,
  encodeCounts,
  mostWanted,
  SALT_BYTES,
  summarise
} from '../../../mirror/index.ts'
import { type Control, DEMAND_RATE, PeerRates, tellDemand } from '../../../protocols/index.ts'
import type { Signer } from '../../../trust/index.ts'
import { Ongoing } from '../ongoing.ts'
import { nodeKeyOf } from '../writer-key.ts'
import type { DemandBook } from './types.ts'

/** What is sent is counted after so long, all of it together: an answer of a fetch costs no hash then. */
const COUNT_EVERY_MS = 5 * SECOND_MS
/** Pairs of a peer and a content whose bytes wait to be counted. */
const MAX_PENDING = 1024
const SAVE_EVERY_MS = 5 * MINUTE_MS
/** Of the counts, those that outlive a restart: 590 KB. Ten times as many would hold up everything else for a while, each time. */
const MAX_STORED = 10_000
/** After the start: what was counted before is known by then, and connections are there. */
const FIRST_TELL_MS = 5 * MINUTE_MS
const TELL_EVERY_MS = HOUR_MS
/** Of the counts, those that are looked through for what everybody may know of; four times as many as a summary has. */
const MAX_LOOKED_THROUGH = 1024
/** Peers that are told at once. */
const MAX_TELLING = 8
/** Of a peer's score, 0 to 1, and of who has none. */
const LEAST_STANDING = 0.2

const COUNTS_KEY = makeKey(KeyFamily.DemandCounts)

export interface CountedDemandModules {
  database: Database
  registry: Pick<Registry, 'naming'>
  control: Pick<Control, 'request' | 'handle'>
  key: Signer
  connected(): PeerId[]
  /** Who counts as one, by where it is connected from. */
  originOf(peerId: PeerId): string
  /** The public network of a peer that is connected from one. */
  networkOf(peerId: PeerId): string | undefined
  /** What the peer is worth to this node, 0 to 1. */
  scoreOf(peerId: string): number
  /** Whether everybody may know of a release, and is to. */
  isShown(entry: IndexEntry): boolean
  onViolation(peerId: PeerId, error: CatalogError): void
  clock: Clock
  logger: Logger
  metrics?: MetricsRegistry
}

interface Pending {
  readonly content: string
  readonly origin: string
  readonly contentBytes: number
  bytes: number
}

export class CountedDemand extends Ongoing implements DemandBook {
  readonly #modules: CountedDemandModules
  readonly #counter: DemandCounter
  readonly #salt: Uint8Array
  readonly #reports: DemandReports
  readonly #rates: PeerRates
  readonly #pending = new Map<string, Pending>()
  readonly #listeners = new Set<(contents: readonly string[]) => void>()
  readonly #metrics
  #summary: DemandSummary | undefined
  #isSaved = true

  /** With what earlier lives of the daemon counted; hears peers from then on. Counts that cannot be read begin anew. */
  static open(modules: CountedDemandModules, options: { halfLifeMs: number }): CountedDemand {
    return new CountedDemand(modules, options)
  }

  private constructor(modules: CountedDemandModules, { halfLifeMs }: { halfLifeMs: number }) {
    super('demand', modules.logger)
    this.#modules = modules
    const { counter, salt } = storedCounts(modules, halfLifeMs)
    this.#counter = counter
    this.#salt = salt
    this.#reports = new DemandReports({ halfLifeMs })
    this.#rates = new PeerRates(DEMAND_RATE, modules.clock)
    const metrics = partMetrics(modules.metrics, 'demand')
    metrics.gauge('counted_contents', () => counter.size)
    metrics.gauge('reporting_peers', () => this.#reports.size)
    this.#metrics = {
      told: metrics.counter('told_summaries_total'),
      heard: metrics.counter('heard_summaries_total')
    }
    modules.control.handle(tellDemand, ({ summary }, { peerId }) => {
      this.#rates.take(peerId.toString(), 1)
      this.#hearFrom(peerId, summary)
      return {}
    })
  }

  /** Content of a release was sent to a peer: bytes as on the wire. */
  sent(peerId: PeerId, { release: { content, sizeBytes } }: ReleaseRecord, bytes: number): void {
    const name = `${peerId} ${content}`
    const pending = this.#pending.get(name)
    if (pending !== undefined) pending.bytes += bytes
    else {
      if (this.#pending.size >= MAX_PENDING) this.#count()
      const origin = this.#modules.originOf(peerId)
      this.#pending.set(name, { content: content.toString(), origin, contentBytes: sizeBytes, bytes })
    }
  }

  demandOf(content: string): Demand {
    this.#count()
    return demandFor(content, this.#sources, this.#modules.clock.now())
  }

  wanted(limit: number): readonly string[] {
    this.#count()
    return mostWanted(this.#sources, limit, this.#modules.clock.now())
  }

  summary(): Uint8Array | undefined {
    return this.#summary?.bytes
  }

  hearSummary(peerId: PeerId, bytes: Uint8Array): void {
    const summary = decodeSummary(bytes)
    const reporter = {
      node: nodeKeyOf(peerId),
      network: this.#modules.networkOf(peerId),
      standing: LEAST_STANDING + (1 - LEAST_STANDING) * this.#modules.scoreOf(peerId.toString())
    }
    const verdict = this.#reports.take(summary, reporter, this.#modules.clock.now())
    this.#metrics.heard.inc({ outcome: verdict })
    if (verdict === 'taken') this.#changed(summary.counts.map(({ content }) => content.toString()))
  }

  onChange(listener: (contents: readonly string[]) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  protected async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#countAgain(signal), this.#tellAgain(signal)])
  }

  async #countAgain(signal: AbortSignal): Promise<void> {
    const { clock } = this.#modules
    let saveMs = clock.monotonicMs() + SAVE_EVERY_MS
    for (;;) {
      await clock.wait(COUNT_EVERY_MS, signal)
      this.#count()
      if (clock.monotonicMs() < saveMs) continue
      await this.#save()
      saveMs = clock.monotonicMs() + SAVE_EVERY_MS
    }
  }

  async #tellAgain(signal: AbortSignal): Promise<void> {
    const { clock } = this.#modules
    for (let waitMs = FIRST_TELL_MS; ; waitMs = TELL_EVERY_MS) {
      await clock.wait(waitMs, signal)
      await this.#tell(signal)
    }
  }

  override async stop(): Promise<void> {
    await super.stop()
    this.#count()
    await this.#save()
  }

  get #sources(): { counter: DemandCounter; reports: DemandReports } {
    return { counter: this.#counter, reports: this.#reports }
  }

  /** Counts what was sent since the last time. */
  #count(): void {
    if (this.#pending.size === 0) return
    const nowMs = this.#modules.clock.now()
    const grown = new Set<string>()
    for (const { content, origin, bytes, contentBytes } of this.#pending.values()) {
      // Of an empty content nothing but its manifest is sent.
      const share = contentBytes === 0 ? 1 : bytes / contentBytes
      if (this.#counter.add({ content, origin, share }, nowMs) > 0) grown.add(content)
    }
    this.#pending.clear()
    if (grown.size === 0) return
    this.#isSaved = false
    this.#changed([...grown])
  }

  #changed(contents: readonly string[]): void {
    for (const listener of this.#listeners) listener(contents)
  }

  /** A lie is reported as one. */
  #hearFrom(peerId: PeerId, summary: Uint8Array): void {
    try {
      this.hearSummary(peerId, summary)
    } catch (thrown) {
      const error = toCatalogError(thrown)
      this.#metrics.heard.inc({ outcome: error.code })
      // A summary of a later format is no fault of the peer.
      if (error.code !== 'UNSUPPORTED') this.#modules.onViolation(peerId, error)
      throw error
    }
  }

  /** Signs what was served most, and tells all connected peers. What goes wrong is tried again an hour later. */
  async #tell(signal: AbortSignal): Promise<void> {
    try {
      await this.#summarise(signal)
    } catch (err) {
      if (signal.aborted) throw err
      this.#modules.logger.warn({ err }, 'what is wanted here could not be summed up')
    }
    const { bytes } = this.#summary ?? {}
    if (bytes === undefined) return
    const peers = this.#modules.connected()
    const tellAll = async (): Promise<void> => {
      for (let peerId = peers.pop(); peerId !== undefined; peerId = peers.pop())
        await this.#tellOne(peerId, bytes, signal)
    }
    await Promise.all(Array.from({ length: MAX_TELLING }, tellAll))
  }

  async #summarise(signal: AbortSignal): Promise<void> {
    const { registry, clock, key, isShown } = this.#modules
    const nowMs = clock.now()
    const most = this.#counter.top(MAX_LOOKED_THROUGH, nowMs).map(({ content }) => CID.parse(content))
    const shown = new Set<string>()
    for await (const entry of registry.naming(most, signal))
      if (isShown(entry)) shown.add(entry.content.toString())
    const sequence = nextSequence(nowMs, this.#summary?.sequence)
    const isPublic = (content: string): boolean => shown.has(content)
    this.#summary =
      shown.size === 0 ? undefined : summarise(this.#counter, isPublic, { sequence, signer: key })
  }

  /** Never rejects: who could not be told is told with a proof, or an hour later. */
  async #tellOne(peerId: PeerId, summary: Uint8Array, signal: AbortSignal): Promise<void> {
    try {
      await this.#modules.control.request(peerId, tellDemand, { summary }, { signal })
      this.#metrics.told.inc({ outcome: 'ok' })
    } catch (thrown) {
      this.#metrics.told.inc({ outcome: toCatalogError(thrown).code })
    }
  }

  /** Never rejects: what could not be written is written with the next. */
  async #save(): Promise<void> {
    if (this.#isSaved) return
    const value = encodeCounts(this.#counter, this.#salt, this.#modules.clock.now(), MAX_STORED)
    try {
      this.#isSaved = true
      await this.#modules.database.write([{ type: 'put', key: COUNTS_KEY, value }], { sync: false })
    } catch (err) {
      this.#isSaved = false
      this.#modules.logger.warn({ err }, 'the counts of demand could not be written')
    }
  }
}

function storedCounts(
  { database, logger }: Pick<CountedDemandModules, 'database' | 'logger'>,
  halfLifeMs: number
): { counter: DemandCounter; salt: Uint8Array } {
  const stored = database.get(COUNTS_KEY)
  try {
    if (stored !== undefined) return decodeCounts(stored, { halfLifeMs })
  } catch (err) {
    logger.warn({ err }, 'the counts of demand cannot be read, and begin anew')
  }
  const salt = Uint8Array.from(randomBytes(SALT_BYTES))
  return { counter: new DemandCounter({ halfLifeMs, salt }), salt }
}
