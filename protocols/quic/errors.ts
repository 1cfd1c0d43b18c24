import { ConnectionClosedError, StreamResetError } from '@libp2p/interface'
import { CatalogError } from '../../base/index.ts'

/**
 * What a failed native read or write means:
 * - `reset`: the remote reset the stream, or told us to stop sending (libp2p's reset does both);
 * - `lost`: the connection is gone, and every stream of it;
 * - `broken`: everything else, as a native stream that was used after its end: says nothing about the connection.
 * There is no `end`: quinn reports an orderly end as a null read, never as an error. Stock libp2p-quic 2.1.1 swallows
 * every one of these errors and announces an end of stream (src/stream.ts, `err.code === 'Unknown'`), so that a
 * reset or a lost connection looks like complete data.
 */
export type NativeFailure = 'reset' | 'lost' | 'broken'

/**
 * Native errors carry quinn's message only (rust/lib.rs `to_err`): `stream reset by peer: error 0`,
 * `sending stopped by peer: error 0`, `connection lost`, `closed stream`.
 */
export function classifyNativeError(error: unknown): NativeFailure {
  const message = messageOf(error)
  if (/\b(reset|stopped) by peer\b/.test(message)) return 'reset'
  return /\bconnection lost\b/.test(message) ? 'lost' : 'broken'
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Of a connection that ended (quinn's words): nothing came for the idle time-out. Else a side has closed it. */
export const isIdleTimeout = (error: unknown): boolean => messageOf(error) === 'timed out'

export function connectionLost(error: unknown): ConnectionClosedError {
  return new ConnectionClosedError(`the QUIC connection was lost: ${messageOf(error)}`)
}

/** `AbstractStream.close` rejects with the `close` event itself (p-event's rejectionEvents): callers deserve an Error. */
export function closeFailure(error: unknown): Error {
  if (error instanceof Error) return error
  const cause = (error as { error?: unknown } | undefined)?.error
  return cause instanceof Error ? cause : new StreamResetError('the stream ended before its data was sent')
}

/** The decorator leans on parts of `@chainsafe/libp2p-quic` that are not its public interface; without them it stops. */
export function internalsChanged(what: string): CatalogError {
  return new CatalogError(
    'INTERNAL',
    `@chainsafe/libp2p-quic has changed: ${what}; the QUIC decorator needs 2.1.1`,
    {
      hint: 'install the version of @chainsafe/libp2p-quic that package.json names',
      details: { missing: what }
    }
  )
}
