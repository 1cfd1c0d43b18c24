/**
 * The ledger of this node: takes what its parts measure, keeps the accounts in the database, and looks for proof that a peer has signed
 * two stories. What is in closed libraries only leaves no trace: neither its bytes nor that there was a transfer.
 */
import type { Registry as MetricsRegistry } from 'prom-client'
import { type Clock, type ErrorCode, type Logger, MINUTE_MS, partMetrics } from '../../base/index.ts'
import {
  accountKey,
  decodeAccount,
  encodeAccount,
  Ledger,
  MAX_ACCOUNTS,
  peerOfKey,
  type Shown
} from '../../ledger/index.ts'
import { type Database, KeyFamily, makeKey, type Registry, type ReleaseRecord } from '../../library/index.ts'
import type { Contradiction, LibrarySets } from '../../sync/index.ts'
import type { OnOutcome } from './fetch-outcomes.ts'
import { Ongoing } from './ongoing.ts'
import { peerOf } from './writer-key.ts'

/** How often what changed is written, and looked for proof: a crash costs this much of what was measured. */
const KEEP_EVERY_MS = MINUTE_MS
/** Rows that are read at the start: a crash between two batches may have left some that were to go. */
const MAX_ROWS = 2 * MAX_ACCOUNTS
/** Rows of one batch: 150 KB. */
const ROWS_PER_BATCH = 1000
/** What a source that works does not do. Lies and breaches are told as violations, by whoever found them, and count once. */
const FAILURES: ReadonlySet<ErrorCode> = new Set([
  'DIAL_FAILED',
  'TIMEOUT',
  'PEER_FAILED',
  'STREAM_TRUNCATED'
])

export interface PeerLedgerModules {
  database: Database
  registry: Pick<Registry, 'isOpen'>
  sets: Pick<LibrarySets, 'evidence'>
  /** The public network that a peer is connected from now, in hex; empty for a local one, undefined while it is not connected. */
  networkOf(peerId: string): string | undefined
  clock: Clock
  logger: Logger
  metrics?: MetricsRegistry
}

export interface PeerLedgerOptions {
  halfLifeMs: number
  /** Whether peers are served by what they gave; else all weigh 1. */
  isWeighing: boolean
}

export class PeerLedger extends Ongoing {
  readonly #modules: PeerLedgerModules
  readonly #ledger: Ledger
  readonly #metrics
  readonly isWeighing: boolean
  readonly halfLifeMs: number
  #eachMinute: ((signal: AbortSignal) => Promise<void>) | undefined

  /** With what earlier lives of the daemon measured. A row that cannot be read is left out, with a warning. */
  static async open(modules: PeerLedgerModules, options: PeerLedgerOptions): Promise<PeerLedger> {
    const ledger = new PeerLedger(modules, options)
    const prefix = makeKey(KeyFamily.PeerAccount)
    for await (const [key, value] of modules.database.iterate({ prefix, limit: MAX_ROWS })) {
      const account = decodeAccount(value)
      const peerId = peerOfKey(key)
      if (account === undefined)
        modules.logger.warn(
          { peer: peerId },
          'what was measured with a peer cannot be read, and is forgotten'
        )
      else ledger.#ledger.restore(peerId, account)
    }
    await ledger.convict()
    return ledger
  }

  private constructor(modules: PeerLedgerModules, { halfLifeMs, isWeighing }: PeerLedgerOptions) {
    super('the ledger', modules.logger)
    this.#modules = modules
    this.#ledger = new Ledger(modules, { halfLifeMs })
    this.isWeighing = isWeighing
    this.halfLifeMs = halfLifeMs
    const metrics = partMetrics(modules.metrics, 'ledger')
    metrics.gauge('known_peers', () => this.#ledger.size)
    this.#metrics = {
      forfeited: metrics.counter('forfeited_stakes_total'),
      lost: metrics.counter('unkept_batches_total')
    }
  }

  /** The numbers of peers, for who only wants to know. */
  get view(): Pick<Ledger, 'account' | 'scoreOf' | 'receiptsOf' | 'networkOf' | 'peersOf'> {
    return this.#ledger
  }

  /** Share of a peer that is given a turn now. */
  readonly weightOf = (peerId: string): number => (this.isWeighing ? this.#ledger.weightOf(peerId) : 1)

  /** The same for who only wants to know. */
  weighed(peerId: string): number {
    return this.isWeighing ? this.#ledger.weighed(peerId) : 1
  }

  /** Content was sent to a peer. */
  sent(peerId: string, record: ReleaseRecord, bytes: number): void {
    if (this.#modules.registry.isOpen(record)) this.#ledger.note(peerId, { sentBytes: bytes })
  }

  /** A peer brought content, and it was right. */
  received(peerId: string, record: ReleaseRecord, bytes: number): void {
    if (this.#modules.registry.isOpen(record)) this.#ledger.note(peerId, { receivedBytes: bytes })
  }

  /** How a fetch ended for one of its sources: with an error, or well. */
  readonly fetched: OnOutcome = (peerId, record, error) => {
    if (!this.#modules.registry.isOpen(record)) return
    if (error === undefined) this.#ledger.note(peerId, { transfers: 1 })
    else if (FAILURES.has(error.code)) this.#ledger.note(peerId, { failures: 1 })
  }

  violated(peerId: string): void {
    this.#ledger.note(peerId, { violations: 1 })
  }

  /** A peer has shown receipts, verified, that others signed for it. */
  show(peerId: string, receipts: readonly Shown[]): void {
    this.#ledger.show(peerId, receipts)
  }

  /** Work that goes on, and rests, with the ledger. It never rejects, and ends with its signal. */
  eachMinute(work: (signal: AbortSignal) => Promise<void>): void {
    this.#eachMinute = work
  }

  /**
   * Looks for proof that peers have signed two stories about an open library; their stake is forfeited then. Never rejects: proof that cannot
   * be read keeps nobody from working, and `catalog doctor` tells of it.
   */
  async convict(signal?: AbortSignal): Promise<void> {
    const { sets, logger } = this.#modules
    try {
      this.convictBy(await sets.evidence(signal))
    } catch (err) {
      if (signal?.aborted !== true) logger.error({ err }, 'contradictions of peers cannot be read')
    }
  }

  /** The same with what was read already. */
  convictBy(evidence: readonly Contradiction[]): void {
    const open = evidence.filter(({ incoming }) => !incoming.isClosed)
    for (const [peerId, { length }] of Map.groupBy(open, ({ incoming }) => peerOf(incoming.writer))) {
      if (!this.#ledger.convict(peerId, length)) continue
      this.#metrics.forfeited.inc()
      this.#modules.logger.warn({ peer: peerId, contradictions: length }, 'a peer has forfeited its stake')
    }
  }

  protected async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#modules.clock.wait(KEEP_EVERY_MS, signal)
      await this.convict(signal)
      await this.#keep()
      await this.#eachMinute?.(signal)
    }
  }

  /** What was measured last is on its way to the disk when this resolves. */
  override async stop(): Promise<void> {
    await super.stop()
    await this.#keep()
  }

  /** Never rejects: what could not be written is written with the next. */
  async #keep(): Promise<void> {
    const changed = this.#ledger.takeChanged()
    const operations = [...changed].map(([peerId, account]) =>
      account === undefined
        ? ({ type: 'del', key: accountKey(peerId) } as const)
        : ({ type: 'put', key: accountKey(peerId), value: encodeAccount(account) } as const)
    )
    try {
      for (let at = 0; at < operations.length; at += ROWS_PER_BATCH)
        await this.#modules.database.write(operations.slice(at, at + ROWS_PER_BATCH), { sync: false })
    } catch (err) {
      this.#ledger.putBack(changed)
      this.#metrics.lost.inc()
      this.#modules.logger.warn({ err }, 'what was measured of peers could not be written')
    }
  }
}
