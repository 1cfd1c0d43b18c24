import { internalsChanged } from './errors.ts'

/**
 * The native classes of `@chainsafe/libp2p-quic` (its d.ts says `any`): quinn behind napi, seen in rust/lib.rs of that
 * project. Reads and writes of one stream each hold a lock until they end; `stopRead` and `resetWrite` wait for it.
 */
export interface NativeStream {
  id(): string
  /** At most `maxBytes`; null at the remote's FIN; rejects after a reset or the loss of the connection. */
  read(maxBytes: number): Promise<Uint8Array | null>
  /** Resolves when all of it is in quinn's send buffer, which flow control bounds. */
  write(data: Uint8Array): Promise<void>
  finishWrite(): Promise<void>
  resetWrite(): Promise<void>
  stopRead(): Promise<void>
}

export interface NativeConnection {
  /** Waits for the remote's next stream; rejects when the connection ends. */
  inboundStream(): Promise<NativeStream>
  /** Waits while the remote's limit of streams is reached. */
  outboundStream(): Promise<NativeStream>
  /** Smoothed round-trip time in whole milliseconds. */
  rtt(): number
  /** Closes at once: bytes not yet sent are dropped. */
  abort(): void
}

const CONNECTION_METHODS = ['inboundStream', 'outboundStream', 'rtt', 'abort'] as const
const STREAM_METHODS = ['id', 'read', 'write', 'finishWrite', 'resetWrite', 'stopRead'] as const

export function asNativeConnection(value: unknown): NativeConnection {
  return withMethods<NativeConnection>(value, CONNECTION_METHODS, 'native connection')
}

export function asNativeStream(value: unknown): NativeStream {
  return withMethods<NativeStream>(value, STREAM_METHODS, 'native stream')
}

/** `value` as `T` once every method is there; otherwise the error that names the first missing one. */
export function withMethods<T>(value: unknown, methods: readonly string[], what: string): T {
  for (const method of methods)
    if (typeof (value as Record<string, unknown> | null | undefined)?.[method] !== 'function')
      throw internalsChanged(`the ${what} has no ${method}()`)
  return value as T
}

const ignore = (): void => {}

/**
 * Tells the remote that neither direction will go on; resolves when the write side is over. Each call waits for the lock
 * of a read or write in flight. So the remote hears of the reset of a write that flow control holds up only when it
 * reads again, and of the stop of a read when it sends again (upstream, rust/lib.rs: one tokio Mutex for each direction).
 */
export async function resetNativeStream(stream: NativeStream): Promise<void> {
  stream.stopRead().catch(ignore)
  await stream.resetWrite().catch(ignore)
}
