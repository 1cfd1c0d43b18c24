/**
 * What a node does by itself after it is ready, and not while it is paused: it announces what was published and may never have been
 * announced, and goes on with fetches that an earlier life did not finish. (Joining through bootstrap peers is the
 * host's, announcing again and again is discovery's.)
 */
import type { Registry as MetricsRegistry } from 'prom-client'
import {
  backoffDelayMs,
  CatalogError,
  type Clock,
  DAY_MS,
  type Logger,
  MINUTE_MS,
  type RetryPolicy,
  retry,
  SECOND_MS,
  Semaphore,
  showQueue,
  toCatalogError
} from '../base/index.ts'
import type { OperationManager } from './operations.ts'
import type { AnnouncementSchedule } from './schedule.ts'
import { announceDue } from './services/announcing.ts'
import type { FetchJob, FetchJobs } from './services/fetch-jobs.ts'
import type { Fetching } from './services/fetching.ts'
import { hurried } from './services/hurried.ts'
import type { Network } from './services/network.ts'
import type { Pausable } from './services/pause.ts'

export interface BackgroundModules {
  network: Network
  schedule: AnnouncementSchedule
  jobs: FetchJobs
  fetching: Pick<Fetching, 'resume'>
  operations: OperationManager
  clock: Clock
  logger: Logger
  /** Uniform in [0, 1). */
  random?: () => number
  metrics?: MetricsRegistry | undefined
}

/** Resumed fetches at once: a part of the operations that a node runs at most. */
const MAX_RESUMED = 16
/** While nobody gives what is missing: soon after the start, and then as often as a peer of discovery that is away is asked. */
const UNTIL_SOURCES: RetryPolicy = {
  attempts: Number.MAX_SAFE_INTEGER,
  firstDelayMs: 10 * SECOND_MS,
  maxDelayMs: 15 * MINUTE_MS,
  factor: 2,
  jitter: 0.5
}
/** A wish that was not fulfilled for so long is forgotten: what has come of it goes with a collection. */
const MAX_WISH_AGE_MS = 7 * DAY_MS
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
    showQueue(modules.metrics, this.#turns)
  }

  start(): void {
    this.#stopping = new AbortController()
    const { signal } = this.#stopping
    this.#tasks = [
      this.#guard('announce', announceDue(this.#modules, signal)),
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

  /** Again and again until none is left: where the sources are away now, they may be there later. */
  async #resumeFetches(signal: AbortSignal): Promise<void> {
    const { jobs, clock, network, random = Math.random } = this.#modules
    // Who was alone when they failed tries them again with the first peer that comes.
    const untilSomebodyComes = hurried(clock, network, () => network.connected().length === 1)
    for (let round = 1; ; round++) {
      const unfinished = await jobs.unfinished(signal)
      if (unfinished.length === 0) return
      await this.#resumeAll(unfinished, signal)
      await untilSomebodyComes.wait(backoffDelayMs(UNTIL_SOURCES, round, random()), signal)
    }
  }

  /** Each as an operation, so that it can be watched and cancelled; some at a time, to leave room for those of clients. */
  async #resumeAll(unfinished: readonly FetchJob[], signal: AbortSignal): Promise<void> {
    const { jobs, clock, logger } = this.#modules
    for (const job of unfinished) {
      const { id, name, version, startedAt } = job
      const release = await this.#turns.acquire(signal)
      // A pause lets fetches go on, so after it some are still under way.
      if (this.#resumed.has(id) || jobs.isUnderWay(id)) {
        release()
        continue
      }
      // A row without a time is damage: it is as old as can be.
      if (!(clock.now() - startedAt <= MAX_WISH_AGE_MS)) {
        release()
        logger.warn({ name, version, id }, 'a fetch that nobody could serve for a week is given up')
        await jobs.end(id)
        continue
      }
      logger.info({ name, version, id }, 'going on with an unfinished fetch')
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
        context => fetching.resume(job, context).finally(ended),
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
