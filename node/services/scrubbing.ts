/**
 * Looks at everything the store holds again and again, slowly: bytes that nobody reads rot unnoticed otherwise, until the
 * last good copy of them is gone too. A pass takes `store.scrubInterval`, or as long as `store.scrubRate` makes it; where
 * it stands is kept in the database, so a restart goes on with it. What is found wrong is fetched again from other nodes.
 */
import type { Counter, Registry as MetricsRegistry } from 'prom-client'
import {
  type Clock,
  HOUR_MS,
  type Logger,
  MIB,
  MINUTE_MS,
  partMetrics,
  SECOND_MS,
  Semaphore,
  showQueue,
  toCatalogError
} from '../../base/index.ts'
import {
  type ContentStore,
  type Database,
  KeyFamily,
  makeKey,
  type Registry,
  type ReleaseRecord
} from '../../library/index.ts'
import type { OperationManager } from '../operations.ts'
import { Ongoing } from './ongoing.ts'
import { releaseName } from './release-shapes.ts'
import type { FetchingService } from './types.ts'
import { allReleases } from './verification.ts'

/** One step: enough that the worker is not woken for every block, little enough to be over in some tens of milliseconds. */
const STEP_BYTES = 8 * MIB
/** Between two steps at least, and at most: a small store has its pass in one step. */
const MIN_WAIT_MS = SECOND_MS
const MAX_WAIT_MS = HOUR_MS
/** So long after an attempt to fetch what is damaged comes the next: nobody may have had it, or nobody been there. */
const REPAIR_EVERY_MS = HOUR_MS
/** Releases that are fetched again at once: a disk that went bad must leave operations for others. */
const MAX_REPAIRS = 4
/** So long the scrub rests when a step failed. */
const FAILED_WAIT_MS = 10 * MINUTE_MS
/** A row is about 150 bytes; a longer one is damage. */
const MAX_ROW_BYTES = 4096

export interface ScrubbingModules {
  content: ContentStore
  registry: Registry
  database: Database
  fetching: FetchingService
  operations: Pick<OperationManager, 'start'>
  clock: Clock
  logger: Logger
  metrics: MetricsRegistry
}

export interface ScrubbingOptions {
  /** Of one pass; 0 = never. */
  intervalMs: number
  /** Bytes per second at most; 0 = no limit. */
  rate: number
}

/** Where a pass stands, and how the last one ended. Instants in ms since the epoch. */
interface Progress {
  startedAt: number
  /** Id of the last block that was checked, in hex. */
  after?: string
  corrupt: number
  lastPass?: { endedAt: number; corrupt: number }
}

const ROW_KEY = makeKey(KeyFamily.Scrub)

export class Scrubbing extends Ongoing {
  readonly #modules: ScrubbingModules
  readonly #options: ScrubbingOptions
  readonly #checked: Counter
  readonly #corrupt: Counter
  readonly #repairs = new Semaphore({ name: 'repairs', maxActive: MAX_REPAIRS, maxWaiting: 1 })
  #repairedMs = Number.NEGATIVE_INFINITY

  constructor(modules: ScrubbingModules, options: ScrubbingOptions) {
    super('the scrub', modules.logger)
    this.#modules = modules
    this.#options = options
    const metrics = partMetrics(modules.metrics, 'node')
    this.#checked = metrics.counter('scrub_checked_bytes_total')
    this.#corrupt = metrics.counter('scrub_corrupt_blocks_total')
    showQueue(modules.metrics, this.#repairs)
  }

  /** The last whole pass; undefined before there was one. */
  get lastPass(): { endedAt: string; corrupt: number } | undefined {
    const last = this.#progress().lastPass
    return last && { endedAt: new Date(last.endedAt).toISOString(), corrupt: last.corrupt }
  }

  protected async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#modules
    if (this.#options.intervalMs === 0) return
    for (;;) {
      await clock.wait(this.#waitMs(), signal)
      try {
        if (this.#isDue()) await this.#step(signal)
        await this.#repairAgain(signal)
      } catch (thrown) {
        if (signal.aborted) throw thrown
        // A full disk, a bucket that is away: what was not checked is when it is over. The step begins again where it stood.
        this.#modules.logger.warn({ err: toCatalogError(thrown) }, 'the scrub could not go on, and rests')
        await clock.wait(FAILED_WAIT_MS, signal)
      }
    }
  }

  /** A pass that ended before its time waits for it. */
  #isDue(): boolean {
    const { startedAt, after } = this.#progress()
    return after !== undefined || this.#modules.clock.now() - startedAt >= this.#options.intervalMs
  }

  /** So that a pass takes its interval, and no step comes before the rate allows it. */
  #waitMs(): number {
    const { intervalMs, rate } = this.#options
    const evenMs = (intervalMs * STEP_BYTES) / Math.max(STEP_BYTES, this.#modules.content.stats().bytes)
    const leastMs = rate === 0 ? 0 : (STEP_BYTES / rate) * SECOND_MS
    return Math.max(MIN_WAIT_MS, leastMs, Math.min(MAX_WAIT_MS, evenMs))
  }

  async #step(signal: AbortSignal): Promise<void> {
    const { clock, content, database, logger } = this.#modules
    const before = this.#progress()
    const isFirst = before.after === undefined
    const startedAt = isFirst ? clock.now() : before.startedAt
    const from = before.after === undefined ? {} : { after: Buffer.from(before.after, 'hex') }
    const step = await content.scrub({ ...from, maxBytes: STEP_BYTES }, signal)
    this.#checked.inc(step.bytes)
    this.#corrupt.inc(step.corrupt)
    const corrupt = (isFirst ? 0 : before.corrupt) + step.corrupt
    const next: Progress = { startedAt, corrupt }
    if (step.after !== undefined) next.after = Buffer.from(step.after).toString('hex')
    const lastPass = step.after === undefined ? { endedAt: clock.now(), corrupt } : before.lastPass
    if (lastPass !== undefined) next.lastPass = lastPass
    const value = Buffer.from(JSON.stringify(next))
    await database.write([{ type: 'put', key: ROW_KEY, value }], { sync: false, signal })
    if (step.after === undefined) logger.info({ corrupt }, 'everything in the store was checked')
    if (step.corrupt > 0) {
      logger.error({ blocks: step.corrupt }, 'damaged blocks were found; what needs them is fetched again')
      await this.#repair(signal)
    }
  }

  /** What nobody gave last time, and what others than the scrub found since: of that no block is left to be found here. */
  async #repairAgain(signal: AbortSignal): Promise<void> {
    const { clock, content } = this.#modules
    if (clock.monotonicMs() - this.#repairedMs < REPAIR_EVERY_MS) return
    if ((await content.holdings()).damaged > 0) await this.#repair(signal)
  }

  /** Fetches again what was complete and is no longer, some at a time. */
  async #repair(signal: AbortSignal): Promise<void> {
    const { clock, content, registry } = this.#modules
    for await (const record of allReleases(registry, signal)) {
      const { content: cid } = record.release
      if (content.isKept(cid) && content.localState(cid) !== 'complete') await this.#repairOne(record, signal)
    }
    this.#repairedMs = clock.monotonicMs()
  }

  /** Begins with it as soon as there is a place. */
  async #repairOne(record: ReleaseRecord, signal: AbortSignal): Promise<void> {
    const { fetching, operations, logger } = this.#modules
    const done = await this.#repairs.acquire(signal)
    try {
      operations.start('repair', `scrub-${record.id.toString().slice(-8)}`, async context => {
        try {
          return await fetching.fetch({ spec: record.id.toString() }, context)
        } finally {
          done()
        }
      })
    } catch (thrown) {
      done()
      const { code } = toCatalogError(thrown)
      logger.warn({ release: releaseName(record), code }, 'a damaged release could not be fetched again')
    }
  }

  #progress(): Progress {
    const fresh = { startedAt: 0, corrupt: 0 }
    const row = this.#modules.database.get(ROW_KEY)
    if (row === undefined || row.byteLength > MAX_ROW_BYTES) return fresh
    try {
      return { ...fresh, ...(JSON.parse(Buffer.from(row).toString()) as Partial<Progress>) }
    } catch {
      return fresh // damaged: the pass begins anew
    }
  }
}
