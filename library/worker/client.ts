/**
 * The main thread's side of the worker: starts it when it is needed, ends it when it has had nothing to do
 * for a minute, and starts it anew after a crash. There is never more than one: a new one waits until the one
 * before has ended.
 */
import { isMarkedAsUntransferable, type Transferable, Worker } from 'node:worker_threads'
import {
  CatalogError,
  type Clock,
  type ErrorJson,
  type Logger,
  MINUTE_MS,
  type PartMetrics,
  SECOND_MS,
  Signpost
} from '../../base/index.ts'
import type {
  FromWorker,
  ParametersOf,
  ResultOf,
  ToWorker,
  WorkerMethod,
  WorkerSettings
} from './protocol.ts'

/** A worker costs some 30 MB; starting one costs some 100 ms. */
const IDLE_MS = MINUTE_MS
/** From a write that waits for nothing to the recovery of a store, in seconds; few, as each method has its own. */
const CALL_BUCKETS_S = [0.001, 0.01, 0.1, 1, 10]

export interface WorkerClientModules {
  log: Logger
  clock: Clock
  metrics: PartMetrics<'library'>
}

export interface WorkerClientOptions {
  /** What the thread is started with. */
  url: URL
  settings: WorkerSettings
  /** Time without work after which the worker ends. */
  idleMs?: number
}

interface PendingCall {
  resolve(result: unknown): void
  reject(reason: unknown): void
}

interface RunningWorker {
  thread: Worker
  calls: Map<number, PendingCall>
  /** Resolves when the thread has ended, however. */
  ended: Promise<void>
}

export interface RequestOptions {
  /** Byte arrays in the parameters whose memory moves to the worker. */
  transfer?: Uint8Array[]
  signal?: AbortSignal
}

/** What those need who have the worker do something. */
export type WorkerPort = Pick<WorkerClient, 'request' | 'hold' | 'committed'>

export class WorkerClient {
  /** Shown whenever the worker has committed blocks. */
  readonly committed = new Signpost()
  readonly #modules: WorkerClientModules
  readonly #options: Required<WorkerClientOptions>
  readonly #starts
  readonly #seconds
  #worker: RunningWorker | undefined
  /** The worker that was told to end, until it has. */
  #ending: Promise<void> | undefined
  #closed = false
  #nextId = 1
  /** Reasons to stay although no call is pending, such as an open ingest. */
  #holds = 0
  #idle: AbortController | undefined

  constructor(modules: WorkerClientModules, options: WorkerClientOptions) {
    this.#modules = modules
    this.#options = { idleMs: IDLE_MS, ...options }
    this.#starts = modules.metrics.counter('worker_starts_total')
    this.#seconds = modules.metrics.histogram('worker_call_seconds', CALL_BUCKETS_S)
    modules.metrics.gauge('worker_waiting_calls', () => this.#worker?.calls.size ?? 0)
    modules.metrics.gauge('worker_running_threads', () => (this.running ? 1 : 0))
  }

  /** True while the thread runs. */
  get running(): boolean {
    return this.#worker !== undefined || this.#ending !== undefined
  }

  /**
   * Calls a method of the worker. Rejects with its CatalogError, or INTERNAL when the worker stops meanwhile.
   */
  async request<M extends WorkerMethod>(
    method: M,
    parameters: ParametersOf<M>,
    options: RequestOptions = {}
  ): Promise<ResultOf<M>> {
    options.signal?.throwIfAborted()
    while (this.#ending !== undefined) await this.#ending
    if (this.#closed) throw new CatalogError('SHUTTING_DOWN', 'the library is closed')
    this.#worker ??= this.#start()
    return await this.#call(this.#worker, method, parameters, options)
  }

  /** Keeps the worker from ending while idle, until the returned function is called. */
  hold(): () => void {
    let held = true
    this.#holds++
    this.#stayAwake()
    return () => {
      if (!held) return
      held = false
      this.#holds--
      this.#sleepWhenIdle()
    }
  }

  /** Ends the worker after all it has begun; later requests are refused. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#end()
  }

  #start(): RunningWorker {
    const { url, settings } = this.#options
    const thread = new Worker(url, { workerData: settings, name: 'catalog-writer' })
    const ended = Promise.withResolvers<void>()
    const worker: RunningWorker = { thread, calls: new Map(), ended: ended.promise }
    thread.on('message', (message: FromWorker) => this.#receive(worker, message))
    thread.on('error', error => this.#modules.log.error({ err: error }, 'the worker crashed'))
    thread.on('exit', exitCode => {
      this.#lost(worker, exitCode)
      ended.resolve()
    })
    this.#starts.inc()
    return worker
  }

  #call<M extends WorkerMethod>(
    worker: RunningWorker,
    method: M,
    parameters: ParametersOf<M>,
    { transfer = [], signal }: RequestOptions
  ): Promise<ResultOf<M>> {
    this.#stayAwake()
    const id = this.#nextId++
    const startedMs = this.#modules.clock.monotonicMs()
    return new Promise<ResultOf<M>>((resolve, reject) => {
      const onAbort = (): void => {
        this.#post(worker, { kind: 'cancel', id })
        this.#settle(worker, id)?.reject(signal?.reason)
      }
      const done = (): void => {
        this.#seconds.observe({ method }, (this.#modules.clock.monotonicMs() - startedMs) / SECOND_MS)
        signal?.removeEventListener('abort', onAbort)
      }
      worker.calls.set(id, {
        resolve: result => {
          done()
          resolve(result as ResultOf<M>)
        },
        reject: reason => {
          done()
          reject(reason)
        }
      })
      signal?.addEventListener('abort', onAbort, { once: true })
      try {
        this.#post(worker, { kind: 'request', id, method, parameters }, transferList(transfer))
      } catch (thrown) {
        this.#settle(worker, id)?.reject(thrown)
      }
    })
  }

  #post(worker: RunningWorker, message: ToWorker, transfer: Transferable[] = []): void {
    worker.thread.postMessage(message, transfer)
  }

  #receive(worker: RunningWorker, message: FromWorker): void {
    if (message.kind === 'log') {
      this.#modules.log[message.level](withError(message.fields), message.message)
      return
    }
    if (message.kind === 'committed') {
      this.committed.show()
      return
    }
    const call = this.#settle(worker, message.id)
    if (message.kind === 'result') call?.resolve(message.result)
    else call?.reject(CatalogError.fromJSON(message.error))
  }

  #settle(worker: RunningWorker, id: number): PendingCall | undefined {
    const call = worker.calls.get(id)
    worker.calls.delete(id)
    this.#sleepWhenIdle()
    return call
  }

  /** The thread is gone. What was asked of it and not answered may or may not have happened. */
  #lost(worker: RunningWorker, exitCode: number): void {
    if (this.#worker === worker) this.#worker = undefined
    if (worker.calls.size === 0) return
    this.#modules.log.error({ exitCode, calls: worker.calls.size }, 'the worker ended with calls open')
    for (const call of worker.calls.values())
      call.reject(new CatalogError('INTERNAL', 'the worker stopped unexpectedly; it is started again'))
    worker.calls.clear()
  }

  #stayAwake(): void {
    this.#idle?.abort()
    this.#idle = undefined
  }

  #sleepWhenIdle(): void {
    if (this.#worker === undefined || this.#worker.calls.size > 0 || this.#holds > 0) return
    if (this.#idle !== undefined || this.#ending !== undefined) return
    const idle = new AbortController()
    this.#idle = idle
    this.#modules.clock.wait(this.#options.idleMs, idle.signal).then(
      () => {
        // Work may have come between the end of the wait and this.
        if (this.#idle === idle) void this.#end()
      },
      () => {} // there was work again
    )
  }

  /** Lets the worker commit and close, and waits until the thread has ended. */
  #end(): Promise<void> {
    this.#stayAwake()
    const worker = this.#worker
    if (this.#ending !== undefined || worker === undefined) return this.#ending ?? Promise.resolve()
    const ending = this.#endWorker(worker).finally(() => {
      this.#ending = undefined
    })
    this.#ending = ending
    this.#worker = undefined
    return ending
  }

  async #endWorker(worker: RunningWorker): Promise<void> {
    try {
      await this.#call(worker, 'close', undefined, {})
    } catch (thrown) {
      this.#modules.log.error({ err: thrown }, 'the worker could not close in good order')
      await worker.thread.terminate()
    }
    await worker.ended
    this.#stayAwake()
  }
}

/** The buffers that can move; small arrays out of Node's shared pool are copied instead. */
function transferList(arrays: Uint8Array[]): Transferable[] {
  const buffers = new Set<ArrayBuffer>()
  for (const { buffer } of arrays)
    if (buffer instanceof ArrayBuffer && !isMarkedAsUntransferable(buffer)) buffers.add(buffer)
  return [...buffers]
}

/** Makes an error of the worker's log line an error again, with the stack that it had there. */
export function withError(fields: object): object {
  const { err } = fields as { err?: ErrorJson & { stack?: string } }
  if (err === undefined) return fields
  const error = CatalogError.fromJSON(err)
  if (err.stack !== undefined) error.stack = err.stack
  return { ...fields, err: error }
}
