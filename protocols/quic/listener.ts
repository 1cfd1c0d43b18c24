import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Listener, setMaxListeners } from '@libp2p/interface'
import { raceSignal } from 'race-signal'
import { internalsChanged, messageOf } from './errors.ts'
import { withMethods } from './native.ts'

/** The fields of stock libp2p-quic's listener that the accept loop needs (src/listener.ts of 2.1.1). */
interface ListenerInternals {
  state: {
    status: string
    listener?: { inboundConnection(): Promise<unknown> }
    controller?: AbortController
  }
  awaitInboundConnections(): Promise<void>
  onInboundConnection(connection: unknown): Promise<void>
}

/**
 * Replaces the accept loop of a stock listener. The native accept returns only when the handshake is done
 * (rust/lib.rs `inbound_connection`), and stock waits for one at a time: a peer that never finishes its handshake
 * keeps all others out until `maxIdleTimeout`. Here `parallel` accepts are in flight. Throws when the internals are gone.
 */
export function acceptInParallel(listener: Listener, parallel: number): void {
  const internals = withMethods<ListenerInternals>(
    listener,
    ['awaitInboundConnections', 'onInboundConnection'],
    'listener'
  )
  if (typeof internals.state?.status !== 'string') throw internalsChanged('the listener has no state')
  internals.awaitInboundConnections = async () => {
    const { status, listener: server, controller } = internals.state
    if (status !== 'listening') return
    if (server === undefined || controller === undefined)
      throw internalsChanged('the listener state has no server')
    setMaxListeners(Number.POSITIVE_INFINITY, controller.signal)
    await Promise.all(
      Array.from({ length: parallel }, () => acceptLoop(internals, server, controller.signal))
    )
  }
}

/** Accepts connections until the listener closes. Never rejects: the listener looks after each connection itself. */
async function acceptLoop(
  internals: ListenerInternals,
  server: { inboundConnection(): Promise<unknown> },
  signal: AbortSignal
): Promise<void> {
  while (!signal.aborted) {
    try {
      const connection = await raceSignal(server.inboundConnection(), signal)
      // Rejects only before it has taken charge of the connection, with a remote that is already gone.
      internals.onInboundConnection(connection).catch(() => {})
    } catch (error) {
      if (messageOf(error).includes('server closed')) return
      // A failed handshake. One turn of the event loop between two of them, whatever the remote does.
      await nextTurn()
    }
  }
}
