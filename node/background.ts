/**
 * What a node does by itself after it is ready, and not while it is paused: it announces what was published and may never have been
 * announced, and goes on with fetches that an earlier life did not finish. (Joining through bootstrap peers is the
 * host's, announcing again and again is discovery's.)
 */
import {
  CatalogError,
  type Clock,
  type Logger,
  MINUTE_MS,
  type RetryPolicy,
  retry,
  SECOND_MS,
  Semaphore,
  toCatalogError
} from '../base/index.ts'
import type { OperationManager } from './operations.ts'
import type { AnnouncementSchedule } from './schedule.ts'
import type { FetchJob, FetchJobs } from './services/fetch-jobs.ts'
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

/** Resumed fetches at once: a part of the operations that a node runs at most. */
const MAX_RESUMED = 16
/** While clients keep the node busy. */
const UNTIL_ROOM: RetryPolicy = {
  attempts: Number.MAX_SAFE_INTEGER,
  firstDelayMs: SECOND_MS,
  maxDelayMs: MINUTE_MS,
  factor: 2,
  jitter: 1
}

export class Background implements Pausable {
  readonly #modules: BackgroundModules
  readonly #turns = new Semaphore({ name: 'resumed fetches', maxActive: MAX_RESUMED, maxWaiting: 1 })
  /** Ids of the jobs whose operations run. */
  readonly #resumed = new Set<string>()
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

  /** Each as an operation, so that it can be watched and cancelled; some at a time, to leave room for those of clients. */
  async #resumeFetches(signal: AbortSignal): Promise<void> {
    const { jobs, logger } = this.#modules
    for (const job of await jobs.unfinished(signal)) {
      const release = await this.#turns.acquire(signal)
      // A pause lets fetches go on, so after it some are still under way.
      if (this.#resumed.has(job.id) || jobs.isUnderWay(job.id)) {
        release()
        continue
      }
      logger.info({ name: job.name, version: job.version, id: job.id }, 'going on with an unfinished fetch')
      this.#resumed.add(job.id)
      const ended = (): void => {
        this.#resumed.delete(job.id)
        release()
      }
      await this.#resumeFetch(job, ended, signal).catch(error => {
        ended()
        throw error
      })
    }
  }

  /** Starts the operation as soon as there is room for one. */
  async #resumeFetch(job: FetchJob, ended: () => void, signal: AbortSignal): Promise<void> {
    const { fetching, operations, clock } = this.#modules
    const start = async (): Promise<void> => {
      // Nobody waits for it, so nothing is gained by giving up: it may take as long as it takes.
      operations.start(
        'fetch',
        `resume-${job.id.slice(-8)}`,
        context => fetching.fetch({ spec: job.id, priority: job.priority }, context).finally(ended),
        'unlimited'
      )
    }
    await retry(start, UNTIL_ROOM, {
      clock,
      signal,
      retryable: error => toCatalogError(error).code === 'BUSY'
    })
  }
}
