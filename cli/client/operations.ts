import { CatalogError, type ErrorJson, SECOND_MS } from '../../base/index.ts'
import type { Context } from '../framework/context.ts'
import type { ProgressReport } from '../framework/progress.ts'
import { type AdminClient, abortError } from './client.ts'

/** Long work at the daemon, as GET /v1/operations/:id shows it. */
export interface Operation<Result> {
  id: string
  kind: string
  state: 'running' | 'done' | 'failed' | 'cancelled'
  progress: ProgressReport
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

/**
 * Starts long work at the daemon and waits for its result, showing progress. The daemon is told how much of --timeout
 * is left. Aborting cancels the work there. Throws the operation's own error with its request id.
 */
export async function runOperation<Result>(
  context: Context,
  start: { path: string; body: object }
): Promise<Result> {
  const { progress, signal } = context
  const client = context.client()
  const operation = await begin<Result>(context, start)
  try {
    return resultOf(await follow(context, operation))
  } catch (error) {
    if (signal.aborted) await cancel(client, operation.id)
    throw error
  } finally {
    progress.finish()
  }
}

/**
 * Once it is sent, its answer is waited for a little longer than the command is: without the id that it brings, the work at the
 * daemon could not be cancelled.
 */
async function begin<Result>(
  context: Context,
  start: { path: string; body: object }
): Promise<Operation<Result>> {
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

async function follow<Result>(context: Context, first: Operation<Result>): Promise<Operation<Result>> {
  const { progress, signal } = context
  const client = context.client()
  let operation = first
  const waitMs = progress.wanted ? WATCHED_WAIT_MS : QUIET_WAIT_MS
  while (operation.state === 'running') {
    if (signal.aborted) throw abortError(signal)
    progress.update(operation.progress)
    const path = `/v1/operations/${encodeURIComponent(first.id)}`
    const options = { query: { wait: waitMs }, timeoutMs: waitMs + ANSWER_GRACE_MS, signal }
    operation = (await client.request<{ operation: Operation<Result> }>('GET', path, options)).operation
  }
  progress.update(operation.progress)
  return operation
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

/** Best effort on the way out: the caller reports why it stops, not what the farewell answered. */
async function cancel(client: AdminClient, id: string): Promise<void> {
  try {
    await client.request('DELETE', `/v1/operations/${encodeURIComponent(id)}`, {
      timeoutMs: CANCEL_TIMEOUT_MS
    })
  } catch {
    // The daemon is gone, or the operation ended by itself in the meantime: there is nothing left to cancel.
  }
}
