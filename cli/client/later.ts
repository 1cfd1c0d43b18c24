import { type ErrorCode, toCatalogError } from '../../base/index.ts'
import type { Context } from '../framework/context.ts'
import { runOperation } from './operations.ts'
import { runWhenFree } from './patience.ts'
import type { QueuedShape } from './types.ts'

/** Nobody could be asked, or had a place: another time may do better, and nothing is wrong with what was asked for. */
const AWAY: readonly ErrorCode[] = [
  'NO_PEERS',
  'NO_PROVIDERS',
  'DIAL_FAILED',
  'PEER_REFUSED',
  'PEER_LEFT',
  'CIRCUIT_OPEN',
  'BUSY'
]

/**
 * Long work that is left with the daemon where nobody can be asked now, if `later` says so: the result is then undefined, and
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
    const { code } = toCatalogError(thrown)
    if (!AWAY.includes(code)) throw thrown
    const { signal } = context
    const queued = await context.client().request<QueuedShape>('POST', `/v1/queue/${queue}`, { body, signal })
    context.output.result(
      { queued },
      () => `nobody can be asked now (${code}); queued as ${queued.id}, for a week at most`
    )
    return undefined
  }
}
