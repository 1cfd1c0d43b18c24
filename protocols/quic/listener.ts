import { networkInterfaces } from 'node:os'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Listener, setMaxListeners } from '@libp2p/interface'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
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

/** `/ip4/0.0.0.0/…` or `/ip6/::/…`: every address of the machine. */
const ANY_ADDRESS = /^\/(ip4\/0\.0\.0\.0|ip6\/::)\/(.*)$/

/**
 * Lets a stock listener on every address tell those that the machine has now; stock tells those it had when the package was
 * loaded (src/utils.ts of 2.1.1, `networks`), also after a change of address.
 */
export function tellPresentAddresses(listener: Listener): void {
  const internals = withMethods<{ state: { listenAddr?: Multiaddr } }>(listener, ['getAddrs'], 'listener')
  const stock = listener.getAddrs.bind(listener)
  listener.getAddrs = () => {
    const known = stock()
    const [, any, rest] = ANY_ADDRESS.exec(internals.state.listenAddr?.toString() ?? '') ?? []
    if (known.length === 0 || any === undefined || rest === undefined) return known
    const [family] = any.split('/')
    // The port that was taken, where any was asked for.
    const path = rest.replace(/^udp\/\d+/, `udp/${portOf(known[0])}`)
    return Object.values(networkInterfaces())
      .flatMap(addresses => addresses ?? [])
      .filter(address => address.family === (family === 'ip4' ? 'IPv4' : 'IPv6'))
      .map(({ address }) => multiaddr(`/${family}/${address}/${path}`))
  }
}

const portOf = (address: Multiaddr | undefined): string | undefined =>
  address?.getComponents().find(({ name }) => name === 'udp')?.value

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
