/**
 * What a node does by itself after it is ready, and not while it is paused: it announces what was published and may never have been
 * announced, and goes on with fetches that an earlier life did not finish. (Joining through bootstrap peers is the
 * host's, announcing again and again is discovery's.)
 */
import { CatalogError, type Clock, type Logger, MINUTE_MS } from '../base/index.ts'
import type { OperationManager } from './operations.ts'
import type { AnnouncementSchedule } from './schedule.ts'
import type { FetchJobs } from './services/fetch-jobs.ts'
import type { Network } from './services/network.ts'
import type { Pausable } from './services/pause.ts'
import type { FetchingService } from './services/types.ts'

export interface BackgroundModules {
  network: Network
  schedule: AnnouncementSchedule
  jobs: FetchJobs
  fetching: FetchingService
  operations: OperationManager
  clock: Clock
  logger: Logger
}

/** Names of one announcement: their keys share look-ups when they are close. */
const NAMES_PER_BATCH = 1000
/** Records of these names that are announced with them; the sweep announces the others within a day. */
const IDS_PER_BATCH = 1000
/** Of writing an announcement down; it goes on in discovery. */
const ANNOUNCE_TIMEOUT_MS = MINUTE_MS

export class Background implements Pausable {
  readonly #modules: BackgroundModules
  #stopping = new AbortController()
  #tasks: Promise<void>[] = []

  constructor(modules: BackgroundModules) {
    this.#modules = modules
  }

  start(): void {
    this.#stopping = new AbortController()
    const { signal } = this.#stopping
    this.#tasks = [
      this.#guard('announce', this.#announceDue(signal)),
      this.#guard('resume fetches', this.#resumeFetches(signal))
    ]
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new CatalogError('SHUTTING_DOWN', 'background work was stopped'))
    await Promise.all(this.#tasks)
  }

  pause(): Promise<void> {
    return this.stop()
  }

  resume(): void {
    this.start()
  }

  /** A task of the background ends with the background; an error before is a bug, told as one. */
  async #guard(task: string, work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (err) {
      if (!this.#stopping.signal.aborted) this.#modules.logger.error({ task, err }, 'background work ended')
    }
  }

  /** Names whose publish was cut off before its announcement, and all of them when the node was away for long. */
  async #announceDue(signal: AbortSignal): Promise<void> {
    const { clock, network, schedule, logger } = this.#modules
    for (;;) {
      const names = await schedule.due(clock.now(), NAMES_PER_BATCH, signal)
      if (names.length === 0) return
      const ids = await schedule.idsOf(names, IDS_PER_BATCH, signal)
      await network.announce({ names, ids }, { wait: 0, timeoutMs: ANNOUNCE_TIMEOUT_MS }, signal)
      await schedule.announced(names, signal)
      logger.debug({ names: names.length }, 'announced what was due')
    }
  }

  /** Each as an operation, so that it can be watched and cancelled. */
  async #resumeFetches(signal: AbortSignal): Promise<void> {
    const { jobs, fetching, operations, logger } = this.#modules
    for (const job of await jobs.unfinished(signal)) {
      logger.info({ name: job.name, version: job.version, id: job.id }, 'going on with an unfinished fetch')
      // Nobody waits for it, so nothing is gained by giving up: it may take as long as it takes.
      operations.start(
        'fetch',
        `resume-${job.id.slice(-8)}`,
        context => fetching.fetch({ spec: job.id }, context),
        'unlimited'
      )
    }
  }
}
