/**
 * Looks at everything the store holds again and again, slowly: bytes that nobody reads rot unnoticed otherwise, until the
 * last good copy of them is gone too. A pass takes `store.scrubInterval`, or as long as `store.scrubRate` makes it; where
 * it stands is kept in the database, so a restart goes on with it. What is found wrong is fetched again from other nodes.
 */
import { Counter, type Registry as MetricsRegistry } from 'prom-client'
import { type Clock, HOUR_MS, type Logger, MIB, SECOND_MS, toCatalogError } from '../../base/index.ts'
import { type ContentStore, type Database, KeyFamily, makeKey, type Registry } from '../../library/index.ts'
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

  constructor(modules: ScrubbingModules, options: ScrubbingOptions) {
    super('the scrub', modules.logger)
    this.#modules = modules
    this.#options = options
    const registers = [modules.metrics]
    const checked = 'catalog_node_scrub_checked_bytes_total'
    this.#checked = new Counter({
      name: checked,
      help: 'Bytes at rest that the scrub has hashed.',
      registers
    })
    const corrupt = 'catalog_node_scrub_corrupt_blocks_total'
    this.#corrupt = new Counter({ name: corrupt, help: 'Blocks that the scrub found damaged.', registers })
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
      if (!this.#isDue()) continue
      try {
        await this.#step(signal)
      } catch (thrown) {
        const err = toCatalogError(thrown)
        if (signal.aborted || err.code !== 'BUCKET_UNREACHABLE') throw thrown
        // What is only there is checked when it is back: the step begins again where it stood.
        this.#modules.logger.warn({ err }, 'the scrub waits for the bucket')
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

  /** Fetches again what was complete and is no longer; what nobody has now is tried with the next damage, or by hand. */
  async #repair(signal: AbortSignal): Promise<void> {
    const { content, registry, fetching, operations, logger } = this.#modules
    for await (const record of allReleases(registry, signal)) {
      const { content: cid } = record.release
      if (!content.isKept(cid) || content.localState(cid) === 'complete') continue
      const release = releaseName(record)
      try {
        operations.start('repair', `scrub-${record.id.toString().slice(-8)}`, context =>
          fetching.fetch({ spec: record.id.toString() }, context)
        )
      } catch (thrown) {
        logger.warn(
          { release, code: toCatalogError(thrown).code },
          'a damaged release could not be fetched again'
        )
      }
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
