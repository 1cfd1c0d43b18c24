import type { Stream } from '@libp2p/interface'
import { CatalogError, SECOND_MS } from '../../base/index.ts'

/** An inbound stream without a valid request within this time is reset: it would pin a whole flow-control window. */
export const REQUEST_DEADLINE_MS = 2 * SECOND_MS

/**
 * Reads the request of an inbound stream: calls `read` with a signal that ends after `deadlineMs`, and returns what it
 * returns. Whatever goes wrong, also a request that `read` refuses, the stream is reset and the error thrown; after the
 * deadline that is TIMEOUT. Every protocol handler begins with it.
 */
export async function withRequestDeadline<T>(
  stream: Stream,
  read: (signal: AbortSignal) => Promise<T>,
  deadlineMs: number = REQUEST_DEADLINE_MS
): Promise<T> {
  const late = new CatalogError('TIMEOUT', `no valid request came within ${deadlineMs} ms`)
  const controller = new AbortController()
  const missed = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    controller.abort(late)
    missed.reject(late)
  }, deadlineMs)
  try {
    return await Promise.race([read(controller.signal), missed.promise])
  } catch (error) {
    stream.abort(error instanceof Error ? error : new CatalogError('INTERNAL', String(error)))
    throw error
  } finally {
    clearTimeout(timer)
  }
}
