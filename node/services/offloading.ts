/**
 * Moves sealed segments to the bucket, one at a time, whenever the store has changed, and tries again with growing waits while
 * the bucket is away. What there is to do stands in the home, so nothing is lost when this ends in the middle.
 */
import type { Registry as MetricsRegistry } from 'prom-client'
import {
  backoffDelayMs,
  type CatalogError,
  type Clock,
  type Logger,
  MINUTE_MS,
  partMetrics,
  type RetryPolicy,
  SECOND_MS,
  toCatalogError
} from '../../base/index.ts'
import type { BucketStep, BucketWork } from '../../library/index.ts'
import { Ongoing } from './ongoing.ts'

/** Changes come by the hundred during a publish: they are looked at together. */
const SETTLE_MS = SECOND_MS
/** A bucket that was away is asked again soon, and not for ever at the same pace. */
const RETRY: RetryPolicy = {
  attempts: Number.MAX_SAFE_INTEGER,
  firstDelayMs: SECOND_MS,
  maxDelayMs: 5 * MINUTE_MS,
  factor: 2,
  jitter: 0.5
}

export interface OffloadingModules {
  bucket: BucketWork
  clock: Clock
  logger: Logger
  metrics: MetricsRegistry
  random?: () => number
}

/** How it stands between this node and its bucket. */
export interface OffloadState {
  backlogBytes: number
  backlogSegments: number
  cachedBytes: number
  /** Why the last step failed; undefined when it did not. */
  problem: CatalogError | undefined
}

export class Offloading extends Ongoing {
  readonly #modules: OffloadingModules
  readonly #sent
  readonly #failures
  #state: OffloadState = { backlogBytes: 0, backlogSegments: 0, cachedBytes: 0, problem: undefined }
  #isDue = true
  #onDue: (() => void) | undefined

  constructor(modules: OffloadingModules) {
    super('moving segments to the bucket', modules.logger)
    this.#modules = modules
    modules.bucket.onWork(this.#wake)
    const metrics = partMetrics(modules.metrics, 'node')
    this.#sent = metrics.counter('bucket_sent_bytes_total')
    this.#failures = metrics.counter('bucket_failures_total')
    metrics.gauge('bucket_backlog_bytes', () => this.#state.backlogBytes)
    metrics.gauge('bucket_cached_bytes', () => this.#state.cachedBytes)
  }

  get state(): OffloadState {
    return this.#state
  }

  /** The store has changed: there may be something to do. */
  readonly #wake = (): void => {
    this.#isDue = true
    this.#onDue?.()
  }

  protected async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#modules
    this.#isDue = true
    for (let failed = 0; ; ) {
      await this.#due(signal)
      try {
        while ((await this.#step(signal)).isMore) failed = 0
        failed = 0
        await clock.wait(SETTLE_MS, signal)
      } catch (thrown) {
        signal.throwIfAborted()
        this.#isDue = true
        const delayMs = this.#failed(toCatalogError(thrown), ++failed)
        await clock.wait(delayMs, signal)
      }
    }
  }

  async #step(signal: AbortSignal): Promise<BucketStep> {
    this.#isDue = false
    const step = await this.#modules.bucket.step(signal)
    const { backlogBytes, backlogSegments, cachedBytes, sentBytes } = step
    if (this.#state.problem !== undefined)
      this.#modules.logger.info({ backlogBytes }, 'the bucket takes segments again')
    this.#state = { backlogBytes, backlogSegments, cachedBytes, problem: undefined }
    this.#sent.inc(sentBytes)
    return step
  }

  #failed(problem: CatalogError, failed: number): number {
    const { logger, random = Math.random } = this.#modules
    const delayMs = Math.round(backoffDelayMs(RETRY, failed, random()))
    this.#state = { ...this.#state, problem }
    this.#failures.inc({ code: problem.code })
    logger.warn(
      { err: problem, failed, delayMs },
      'a segment could not be moved to the bucket; it is tried again'
    )
    return delayMs
  }

  async #due(signal: AbortSignal): Promise<void> {
    if (this.#isDue) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const onAbort = (): void => reject(signal.reason)
    this.#onDue = resolve
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      await promise
    } finally {
      this.#onDue = undefined
      signal.removeEventListener('abort', onAbort)
    }
  }
}
