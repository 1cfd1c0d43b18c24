/**
 * Long work on behalf of a client: started, watched, cancelled, and kept for a while after its end so that a client
 * that lost its connection can still learn the result. An operation belongs to the daemon, not to the connection that
 * started it.
 */
import { randomBytes } from 'node:crypto'
import {
  CatalogError,
  type Clock,
  displayDuration,
  type ErrorJson,
  MINUTE_MS,
  toCatalogError
} from '../base/index.ts'
import { runInRequest } from './request-context.ts'

export const OPERATION_STATES = ['running', 'done', 'failed', 'cancelled'] as const
export type OperationState = (typeof OPERATION_STATES)[number]

/** How far an operation is. `phase` is a word for people; counts are there when they are known. */
export interface OperationProgress {
  phase: string
  bytesDone?: number
  bytesTotal?: number
  itemsDone?: number
  itemsTotal?: number
  /** Of a fetch: what each peer has sent so far, as on the wire. */
  sources?: Array<{ peerId: string; bytes: number }>
}

/** An operation as clients see it: plain JSON. */
export interface Operation {
  id: string
  kind: string
  state: OperationState
  progress: OperationProgress
  /** Of a fetch: which release it is, as soon as that is known. */
  release?: Record<string, unknown>
  result?: Record<string, unknown>
  error?: ErrorJson
  /** RFC 3339. */
  startedAt: string
  endedAt?: string
  requestId: string
}

export interface OperationContext {
  readonly id: string
  readonly requestId: string
  /** Aborted by a cancel and by the daemon's shutdown. */
  readonly signal: AbortSignal
  /** Says how far it is; watchers hear of it at most every 100 ms. */
  progress(progress: OperationProgress): void
  /** Says which release it is about. */
  release(release: object): void
  /**
   * From now on the work cannot be undone: a cancel still fires the signal, and what the work then returns or throws is
   * how the operation ended, never `cancelled`. Throws the signal's reason when it fired before.
   */
  commit(): void
}

/** Milliseconds. */
export type TimeLimit = number | 'unlimited'

export type OperationWork = (context: OperationContext) => Promise<object>
export type OperationListener = (operation: Operation) => void

export interface OperationOptions {
  /** Time that an operation may take unless `start` says otherwise; no limit unless given. */
  timeoutMs?: TimeLimit
  /** Operations that run at once; beyond it BUSY. */
  maxRunning: number
  /** How long a finished one can still be asked for. */
  keepMs?: number
  /** How many finished ones are kept at most, the oldest go first. */
  maxFinished?: number
}

/** Finished operations stay this long: a client that lost its connection comes back within minutes. */
const KEEP_MS = 10 * MINUTE_MS
/** A finished operation is about 1 KB, so these are about 1 MB. */
const MAX_FINISHED = 1000
/** Ten updates a second are smooth to a person and cheap to the daemon. */
const PROGRESS_INTERVAL_MS = 100
/** Longest wait of one long-poll request. */
export const MAX_WAIT_MS = 60_000
const ID_BYTES = 9

interface Entry {
  readonly operation: Operation
  readonly abort: AbortController
  readonly listeners: Set<OperationListener>
  /** Resolves when the work has settled; never rejects. */
  settled: Promise<void>
  /** Resolves when the release is known. */
  readonly released: PromiseWithResolvers<void>
  endedMs: number
  toldMs: number
}

export class OperationManager {
  readonly #clock: Clock
  readonly #options: Required<OperationOptions>
  readonly #running = new Map<string, Entry>()
  /** In the order in which they ended. */
  readonly #finished = new Map<string, Entry>()
  readonly #watchers = new Set<OperationListener>()
  #closed = false

  constructor(modules: { clock: Clock }, options: OperationOptions) {
    this.#clock = modules.clock
    this.#options = { keepMs: KEEP_MS, maxFinished: MAX_FINISHED, timeoutMs: 'unlimited', ...options }
  }

  get running(): number {
    return this.#running.size
  }

  /**
   * Starts `work` and returns at once. After `timeoutMs` it is told to end and has failed with TIMEOUT; without a limit it
   * runs until it ends. BUSY when too many run, SHUTTING_DOWN after `close`.
   */
  start(
    kind: string,
    requestId: string,
    work: OperationWork,
    timeoutMs: TimeLimit = this.#options.timeoutMs
  ): Operation {
    if (this.#closed) throw new CatalogError('SHUTTING_DOWN', 'no operation is started during the shutdown')
    if (this.#running.size >= this.#options.maxRunning)
      throw new CatalogError('BUSY', `${this.#options.maxRunning} operations run already`)
    const entry = this.#newEntry(kind, requestId)
    this.#running.set(entry.operation.id, entry)
    this.#tell(entry)
    entry.settled = runInRequest(requestId, () => this.#run(entry, work))
    if (timeoutMs !== 'unlimited') this.#limit(entry, timeoutMs)
    return entry.operation
  }

  /** OPERATION_NOT_FOUND for an unknown or forgotten id. */
  get(id: string): Operation {
    return this.#entry(id).operation
  }

  /** Running ones first, then finished ones, newest first. */
  list(): Operation[] {
    this.#forgetOld()
    const finished = [...this.#finished.values()].reverse()
    return [...this.#running.values(), ...finished].map(entry => entry.operation)
  }

  /** Asks a running operation to end; a finished one stays as it is. */
  cancel(id: string): Operation {
    const entry = this.#entry(id)
    entry.abort.abort(new CatalogError('ABORTED', 'the operation was cancelled'))
    return entry.operation
  }

  /**
   * Resolves with the operation when it has ended or after `waitMs`, whichever is first; with `until` also when that much
   * is known of it.
   */
  async wait(id: string, waitMs: number, signal?: AbortSignal, until?: 'release'): Promise<Operation> {
    const entry = this.#entry(id)
    if (entry.operation.state !== 'running') return entry.operation
    const timer = new AbortController()
    const stop = signal === undefined ? timer.signal : AbortSignal.any([timer.signal, signal])
    const timeout = this.#clock.wait(Math.min(waitMs, MAX_WAIT_MS), stop).catch(() => undefined)
    await Promise.race([entry.settled, timeout, ...(until === 'release' ? [entry.released.promise] : [])])
    timer.abort()
    signal?.throwIfAborted()
    return entry.operation
  }

  /** Resolves when the operation is done; rejects with its error when it fails or is cancelled. */
  async done(id: string): Promise<void> {
    const { operation, settled } = this.#entry(id)
    await settled
    if (operation.state !== 'done') throw CatalogError.fromJSON(operation.error!)
  }

  /** Hears of each change of one operation, the last one included. Returns the function that ends it. */
  watch(id: string, listener: OperationListener): () => void {
    const { listeners } = this.#entry(id)
    listeners.add(listener)
    return () => {
      listeners.delete(listener)
    }
  }

  /** Hears of each change of every operation. */
  watchAll(listener: OperationListener): () => void {
    this.#watchers.add(listener)
    return () => {
      this.#watchers.delete(listener)
    }
  }

  /** Starts nothing any more and waits for what runs; when `signal` fires, cancels the rest and waits for that. */
  async close(signal: AbortSignal): Promise<void> {
    this.#closed = true
    const cancelAll = (): void => {
      const reason = new CatalogError('SHUTTING_DOWN', 'the daemon is shutting down')
      for (const entry of this.#running.values()) entry.abort.abort(reason)
    }
    if (signal.aborted) cancelAll()
    signal.addEventListener('abort', cancelAll, { once: true })
    await Promise.all([...this.#running.values()].map(entry => entry.settled))
    signal.removeEventListener('abort', cancelAll)
  }

  #newEntry(kind: string, requestId: string): Entry {
    const operation: Operation = {
      id: randomBytes(ID_BYTES).toString('base64url'),
      kind,
      state: 'running',
      progress: { phase: 'starting' },
      startedAt: new Date(this.#clock.now()).toISOString(),
      requestId
    }
    const abort = new AbortController()
    return {
      operation,
      abort,
      listeners: new Set(),
      settled: Promise.resolve(),
      released: Promise.withResolvers(),
      endedMs: 0,
      toldMs: 0
    }
  }

  async #run(entry: Entry, work: OperationWork): Promise<void> {
    const { operation, abort } = entry
    const progress = (update: OperationProgress): void => {
      operation.progress = update
      if (this.#clock.monotonicMs() - entry.toldMs >= PROGRESS_INTERVAL_MS) this.#tell(entry)
    }
    const release = (found: object): void => {
      operation.release = { ...found }
      entry.released.resolve()
      this.#tell(entry)
    }
    let isCommitted = false
    const commit = (): void => {
      abort.signal.throwIfAborted()
      isCommitted = true
    }
    const { id, requestId } = operation
    try {
      const context = { id, requestId, signal: abort.signal, progress, release, commit }
      operation.result = { ...(await work(context)) }
      operation.state = 'done'
    } catch (thrown) {
      const wasEnded = abort.signal.aborted && !isCommitted
      const error = toCatalogError(wasEnded ? abort.signal.reason : thrown)
      operation.error = error.toJSON()
      operation.state = wasEnded && error.code !== 'TIMEOUT' ? 'cancelled' : 'failed'
    }
    this.#end(entry)
  }

  /** Ends an operation that takes longer than it may. */
  #limit({ operation, abort, settled }: Entry, timeoutMs: number): void {
    const done = new AbortController()
    void settled.then(() => done.abort())
    this.#clock.wait(timeoutMs, done.signal).then(
      () =>
        abort.abort(
          new CatalogError(
            'TIMEOUT',
            `the ${operation.kind} did not end within ${displayDuration(timeoutMs)}`,
            {
              hint: 'give more time with --timeout, or set operations.timeout; a fetch goes on where it stopped',
              details: { limitOf: 'operation' }
            }
          )
        ),
      () => undefined
    )
  }

  #end(entry: Entry): void {
    entry.operation.endedAt = new Date(this.#clock.now()).toISOString()
    entry.endedMs = this.#clock.monotonicMs()
    this.#running.delete(entry.operation.id)
    this.#finished.set(entry.operation.id, entry)
    this.#tell(entry)
    entry.listeners.clear()
    this.#forgetOld()
  }

  #tell(entry: Entry): void {
    entry.toldMs = this.#clock.monotonicMs()
    for (const listener of entry.listeners) listener(entry.operation)
    for (const listener of this.#watchers) listener(entry.operation)
  }

  #entry(id: string): Entry {
    this.#forgetOld()
    const entry = this.#running.get(id) ?? this.#finished.get(id)
    if (entry === undefined) throw new CatalogError('OPERATION_NOT_FOUND', `no operation has the id ${id}`)
    return entry
  }

  #forgetOld(): void {
    const oldestMs = this.#clock.monotonicMs() - this.#options.keepMs
    for (const [id, entry] of this.#finished) {
      if (entry.endedMs >= oldestMs && this.#finished.size <= this.#options.maxFinished) return
      this.#finished.delete(id)
    }
  }
}
