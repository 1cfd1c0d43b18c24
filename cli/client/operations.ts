import { CatalogError, type ErrorJson, SECOND_MS } from '../../base/index.ts'
import type { Context } from '../framework/context.ts'
import type { ProgressReport } from '../framework/progress.ts'
import { abortError } from './client.ts'
import type { FetchedRelease } from './types.ts'

/** Long work at the daemon, as GET /v1/operations/:id shows it. */
export interface Operation<Result> {
  id: string
  kind: string
  state: 'running' | 'done' | 'failed' | 'cancelled'
  progress: ProgressReport
  /** Of a fetch: which release it is, as soon as that is known. */
  release?: FetchedRelease
  result?: Result
  error?: ErrorJson
  requestId?: string
}

/** One long-poll while a bar is shown, so that it moves. */
const WATCHED_WAIT_MS = 250
/** One long-poll while nobody watches. */
const QUIET_WAIT_MS = 20 * SECOND_MS
/** Room for the answer to a long-poll beyond its wait. */
const ANSWER_GRACE_MS = 10 * SECOND_MS
/** How long the way out may take after Ctrl-C. */
const CANCEL_TIMEOUT_MS = 2 * SECOND_MS

export interface StartOptions {
  path: string
  body: object
}

/**
 * Starts long work at the daemon and waits for its result, showing progress. The daemon is told how much of --timeout
 * is left. Aborting cancels the work there. Throws the operation's own error with its request id.
 */
export async function runOperation<Result>(context: Context, start: StartOptions): Promise<Result> {
  const work = await startOperation<Result>(context, start)
  try {
    return await work.result()
  } catch (error) {
    if (context.signal.aborted) await work.cancel()
    throw error
  } finally {
    context.progress.finish()
  }
}

/** The same, for who does something else meanwhile: who gives up has to cancel it. */
export async function startOperation<Result>(
  context: Context,
  start: StartOptions
): Promise<StartedOperation<Result>> {
  return new StartedOperation(context, await begin<Result>(context, start))
}

/**
 * Once it is sent, its answer is waited for a little longer than the command is: without the id that it brings, the work at the
 * daemon could not be cancelled.
 */
async function begin<Result>(context: Context, start: StartOptions): Promise<Operation<Result>> {
  const { signal } = context
  if (signal.aborted) throw abortError(signal)
  const over = new AbortController()
  const onAbort = (): void => {
    setTimeout(() => over.abort(signal.reason), CANCEL_TIMEOUT_MS).unref()
  }
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    const body = { ...start.body, timeoutMs: context.remainingMs() }
    const options = { body, signal: over.signal }
    return (await context.client().request<{ operation: Operation<Result> }>('POST', start.path, options))
      .operation
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** Work that was started: as it was last seen. */
export class StartedOperation<Result> {
  readonly #context: Context
  #operation: Operation<Result>

  constructor(context: Context, operation: Operation<Result>) {
    this.#context = context
    this.#operation = operation
  }

  get id(): string {
    return this.#operation.id
  }

  get isRunning(): boolean {
    return this.#operation.state === 'running'
  }

  /** Of a fetch: which release it is, as soon as the daemon knows. */
  async release(): Promise<FetchedRelease> {
    while (this.isRunning && this.#operation.release === undefined) await this.#poll('release')
    // A fetch that has ended before it was asked has said it with its result.
    return this.#operation.release ?? (resultOf(this.#operation) as FetchedRelease)
  }

  async result(): Promise<Result> {
    while (this.isRunning) await this.#poll()
    return resultOf(this.#operation)
  }

  /** Best effort on the way out: the caller reports why it stops, not what the farewell answered. */
  async cancel(): Promise<void> {
    if (!this.isRunning) return
    try {
      await this.#context.client().request('DELETE', this.#path, { timeoutMs: CANCEL_TIMEOUT_MS })
    } catch {
      // The daemon is gone, or the operation ended by itself in the meantime: there is nothing left to cancel.
    }
  }

  get #path(): string {
    return `/v1/operations/${encodeURIComponent(this.id)}`
  }

  async #poll(until?: 'release'): Promise<void> {
    const { progress, signal } = this.#context
    if (signal.aborted) throw abortError(signal)
    progress.update(this.#operation.progress)
    const waitMs = progress.wanted ? WATCHED_WAIT_MS : QUIET_WAIT_MS
    const options = { query: { wait: waitMs, until }, timeoutMs: waitMs + ANSWER_GRACE_MS, signal }
    const answer = await this.#context
      .client()
      .request<{ operation: Operation<Result> }>('GET', this.#path, options)
    this.#operation = answer.operation
    progress.update(this.#operation.progress)
  }
}

function resultOf<Result>(operation: Operation<Result>): Result {
  if (operation.state === 'done') return operation.result as Result
  if (operation.state === 'cancelled')
    throw new CatalogError('ABORTED', `the ${operation.kind} was cancelled at the daemon`)
  if (operation.error === undefined)
    throw new CatalogError('INTERNAL', `the ${operation.kind} failed without saying why`)
  const requestId = operation.requestId === undefined ? {} : { requestId: operation.requestId }
  throw CatalogError.fromJSON({
    ...operation.error,
    details: { ...operation.error.details, ...requestId }
  })
}
