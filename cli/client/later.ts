import { isAway, toCatalogError } from '../../base/index.ts'
import type { Context } from '../framework/context.ts'
import { runOperation } from './operations.ts'
import { runWhenFree } from './patience.ts'
import type { QueuedShape } from './types.ts'

/**
 * Long work that is left with the daemon where nobody can be asked now or the peer was lost, if `later` says so: the result is then undefined, and
 * the user has been told. Without `later` a peer that has no place is waited for.
 */
export async function runOrQueue<Result>(
  context: Context,
  {
    path,
    queue,
    body,
    later
  }: { path: string; queue: 'fetch' | 'sync'; body: object; later?: boolean | undefined }
): Promise<Result | undefined> {
  if (later !== true) return await runWhenFree<Result>(context, { path, body })
  try {
    return await runOperation<Result>(context, { path, body })
  } catch (thrown) {
    const { signal } = context
    if (signal.aborted || !isAway(thrown)) throw thrown
    const { code } = toCatalogError(thrown)
    const queued = await context.client().request<QueuedShape>('POST', `/v1/queue/${queue}`, { body, signal })
    context.output.result(
      { queued },
      () => `nobody can be asked now (${code}); queued as ${queued.id}, for a week at most`
    )
    return undefined
  }
}
