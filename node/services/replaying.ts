/**
 * Does what waits in the queue: while somebody is connected, or where a peer is named that may be dialled, the oldest first, some at
 * a time, each as an operation that can be watched. What failed because nobody could give it is tried again, later each time, and soon after a peer comes; what
 * failed for good, was cancelled, or has waited for a week is let go of, and the log says so.
 */
import {
  backoffDelayMs,
  type CatalogError,
  type Clock,
  changedWithin,
  DAY_MS,
  type Logger,
  MINUTE_MS,
  type RetryPolicy,
  SECOND_MS,
  toCatalogError,
  untilSo
} from '../../base/index.ts'
import type { OperationContext, OperationManager } from '../operations.ts'
import { isForLater } from './for-later.ts'
import type { Network } from './network.ts'
import { Ongoing } from './ongoing.ts'
import type { OperationQueue, QueuedOperation, QueueKind, QueueRequests } from './operation-queue.ts'

/** Operations of the queue at once: a small part of those that a node runs. */
const MAX_RUNNING = 4
/** While somebody is connected and cannot give it. */
const AGAIN: RetryPolicy = {
  attempts: Number.MAX_SAFE_INTEGER,
  firstDelayMs: 5 * SECOND_MS,
  maxDelayMs: 15 * MINUTE_MS,
  factor: 2,
  jitter: 0.5
}
/** Peers that come and go have one tried no sooner than this after its last try. */
const LEAST_WAIT_MS = 5 * SECOND_MS
const MAX_AGE_MS = 7 * DAY_MS

/** How each kind of work is done. */
export type QueueHandlers = {
  readonly [K in QueueKind]: (request: QueueRequests[K], context: OperationContext) => Promise<object>
}

export interface ReplayingModules {
  queue: OperationQueue
  handlers: QueueHandlers
  network: Pick<Network, 'connected' | 'onConnected'>
  operations: Pick<OperationManager, 'start'>
  clock: Clock
  logger: Logger
  /** Uniform in [0, 1). */
  random?: () => number
}

/** A peer that has just started offers its protocols one after the other; one of an older version gets a newer one some day. */
const mayDoBetter = (error: CatalogError): boolean => isForLater(error) || error.code === 'UNSUPPORTED'

/** When something that failed may be tried again, monotonic. */
interface Wait {
  /** When the last try began, and ended. */
  readonly beganMs: number
  readonly triedMs: number
  readonly nextMs: number
}

export class Replaying extends Ongoing {
  readonly #modules: ReplayingModules
  readonly #waits = new Map<string, Wait>()
  /** They go on through a pause. */
  readonly #running = new Set<string>()
  /** When a peer came last, and when all was to be tried at once. */
  #cameMs = Number.NEGATIVE_INFINITY
  #replayedMs = Number.NEGATIVE_INFINITY
  #done = 0

  constructor(modules: ReplayingModules) {
    super('queued operations', modules.logger)
    this.#modules = modules
  }

  /**
   * Tries all that waits at once, whatever was tried in vain before; resolves with how many operations were done when each was tried, or the
   * signal ends it.
   */
  async replayAll(signal: AbortSignal): Promise<number> {
    const { queue, clock } = this.#modules
    const doneBefore = this.#done
    const sinceMs = clock.monotonicMs()
    const waiting = (await queue.list(signal)).map(({ id }) => id)
    this.#replayedMs = sinceMs
    for (const [id, wait] of this.#waits) this.#waits.set(id, { ...wait, nextMs: sinceMs })
    queue.wake()
    const isLeft = (id: string): boolean =>
      queue.get(id) !== undefined && (this.#waits.get(id)?.beganMs ?? Number.NEGATIVE_INFINITY) < sinceMs
    await untilSo({ shown: () => queue.changed() }, () => !waiting.some(isLeft), signal)
    return this.#done - doneBefore
  }

  protected async run(signal: AbortSignal): Promise<void> {
    const { queue, network, clock } = this.#modules
    const stop = network.onConnected(() => this.#hurry())
    try {
      for (;;) {
        // Before the look: what changes after it is not missed.
        const changed = queue.changed()
        const nextMs = await this.#look(signal)
        const waitMs = Math.min(nextMs - clock.monotonicMs(), AGAIN.maxDelayMs)
        await changedWithin(changed, waitMs, { clock, signal })
      }
    } finally {
      stop()
    }
  }

  /** Begins what is due; when to look again, whatever happens meanwhile. */
  async #look(signal: AbortSignal): Promise<number> {
    const { queue, clock, logger } = this.#modules
    try {
      const waiting = await this.#inTime(await queue.list(signal))
      // What somebody took out is waited for no more.
      for (const id of this.#waits.keys()) if (queue.get(id) === undefined) this.#waits.delete(id)
      const nowMs = clock.monotonicMs()
      // One that ended while the others were read is in the list and not in the queue.
      const idle = waiting.flatMap(({ id }) => (this.#running.has(id) ? [] : (queue.get(id) ?? [])))
      const possible = idle.filter(operation => this.#isPossible(operation))
      const due = possible.filter(({ id }) => this.#nextMs(id) <= nowMs)
      const begun = due.slice(0, MAX_RUNNING - this.#running.size)
      for (const operation of begun) void this.#attempt(operation, signal)
      return Math.min(...possible.map(({ id }) => this.#nextMs(id)).filter(atMs => atMs > nowMs))
    } catch (err) {
      signal.throwIfAborted()
      // Such as a full disk, which does not let go of anything.
      logger.error({ err }, 'the queue could not be gone through')
      return clock.monotonicMs() + AGAIN.maxDelayMs
    }
  }

  /** Who names a peer may have it dialled; the others need somebody to ask. */
  #isPossible({ request }: QueuedOperation): boolean {
    const peer = 'spec' in request ? request.from : request.peer
    return peer !== undefined || this.#modules.network.connected().length > 0
  }

  #nextMs(id: string): number {
    return this.#waits.get(id)?.nextMs ?? Number.NEGATIVE_INFINITY
  }

  /** Somebody came who may have what was missing. */
  #hurry(): void {
    this.#cameMs = this.#modules.clock.monotonicMs()
    for (const [id, wait] of this.#waits)
      this.#waits.set(id, { ...wait, nextMs: Math.min(wait.nextMs, wait.triedMs + LEAST_WAIT_MS) })
    this.#modules.queue.wake()
  }

  /** What has waited for too long is let go of. */
  async #inTime(waiting: readonly QueuedOperation[]): Promise<QueuedOperation[]> {
    const { clock, logger } = this.#modules
    const inTime: QueuedOperation[] = []
    for (const operation of waiting) {
      if (clock.now() - operation.queuedAt <= MAX_AGE_MS) {
        inTime.push(operation)
        continue
      }
      const { id, kind, request } = operation
      logger.warn({ id, kind, request }, 'a queued operation that could not be done for a week is given up')
      await this.#forget(id)
    }
    return inTime
  }

  /** Never rejects. */
  async #attempt<K extends QueueKind>(operation: QueuedOperation<K>, signal: AbortSignal): Promise<void> {
    const { id, kind, request } = operation
    const { logger, clock } = this.#modules
    const beganMs = clock.monotonicMs()
    this.#running.add(id)
    try {
      const error = await this.#do(operation)
      // The daemon stops: it waits for the next start.
      if (error?.code === 'SHUTTING_DOWN') return
      if (error === undefined) {
        this.#done++
        logger.info({ id, kind, request }, 'a queued operation was done')
      } else if (mayDoBetter(error)) return await this.#again(operation, error, beganMs)
      else logger.warn({ id, kind, request, code: error.code }, 'a queued operation has failed for good')
      await this.#forget(id)
    } catch (err) {
      // The database is closed, or cannot be written.
      if (!signal.aborted) logger.error({ err, id }, 'what came of a queued operation could not be noted')
    } finally {
      this.#running.delete(id)
      this.#modules.queue.wake()
    }
  }

  /** Runs it as an operation; what it failed with. */
  async #do<K extends QueueKind>({
    id,
    kind,
    request
  }: QueuedOperation<K>): Promise<CatalogError | undefined> {
    const { operations, handlers } = this.#modules
    const ended = Promise.withResolvers<CatalogError | undefined>()
    const work = async (context: OperationContext): Promise<object> => {
      try {
        const result = await handlers[kind](request, context)
        ended.resolve(undefined)
        return result
      } catch (thrown) {
        ended.resolve(toCatalogError(context.signal.aborted ? context.signal.reason : thrown))
        throw thrown
      }
    }
    try {
      // Nobody waits for it, so nothing is gained by giving up: it may take as long as it takes.
      operations.start(kind, `queued-${id.slice(-8)}`, work, 'unlimited')
    } catch (thrown) {
      return toCatalogError(thrown)
    }
    return await ended.promise
  }

  async #again(operation: QueuedOperation, error: CatalogError, beganMs: number): Promise<void> {
    const { clock, queue, random = Math.random } = this.#modules
    const triedMs = clock.monotonicMs()
    const fullMs = backoffDelayMs(AGAIN, operation.attempts + 1, random())
    // What began before may have been too early for who came, or for a network that is whole again.
    const delayMs =
      beganMs < this.#replayedMs ? 0 : beganMs < this.#cameMs ? Math.min(fullMs, LEAST_WAIT_MS) : fullMs
    this.#waits.set(operation.id, { beganMs, triedMs, nextMs: triedMs + delayMs })
    await queue.failed(operation, error.code)
  }

  async #forget(id: string): Promise<void> {
    this.#waits.delete(id)
    await this.#modules.queue.remove(id)
  }
}
