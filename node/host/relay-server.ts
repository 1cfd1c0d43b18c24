import { type CircuitRelayServerComponents, circuitRelayServer } from '@libp2p/circuit-relay-v2'
import type { Connection, Stream } from '@libp2p/interface'
import { CatalogError } from '../../base/index.ts'

export interface RelayServerOptions {
  /** Peers that may be reached through this node at once. */
  readonly maxReservations: number
  /** Of one relayed connection, both directions together. */
  readonly dataLimitBytes: number
  readonly durationLimitMs: number
}

type Hop = (stream: Stream, connection: Connection) => Promise<void>
/** Fields of the stock server (src/server/index.ts of 4.2.13) that are private in TypeScript only. */
interface ServerInternals {
  onHop: Hop
  components: CircuitRelayServerComponents
}

/**
 * Relays connections of others. The stock server joins two streams without any back-pressure: what the slower side does not take
 * waits in memory, up to the data limit. So each pair is made to wait here: the server that handles one request
 * sees connections whose new stream is tied to the stream of that request.
 */
export function relayServer(
  options: RelayServerOptions
): (components: CircuitRelayServerComponents) => unknown {
  const create = circuitRelayServer({
    reservations: {
      maxReservations: options.maxReservations,
      defaultDataLimit: BigInt(options.dataLimitBytes),
      defaultDurationLimit: options.durationLimitMs
    },
    maxInboundHopStreams: options.maxReservations
  })
  return components => {
    const server = create(components) as unknown as ServerInternals
    const stock = (Object.getPrototypeOf(server) as ServerInternals).onHop
    if (typeof stock !== 'function' || server.components === undefined)
      throw new CatalogError(
        'INTERNAL',
        '@libp2p/circuit-relay-v2 has changed: no onHop or components to tie'
      )
    server.onHop = (stream, connection) =>
      stock.call(
        Object.create(server, { components: { value: withTiedStreams(server.components, stream) } }),
        stream,
        connection
      )
    return server
  }
}

/** Components whose connections open streams that are tied to `asked`. */
function withTiedStreams(
  components: CircuitRelayServerComponents,
  asked: Stream
): CircuitRelayServerComponents {
  const connectionManager = {
    getConnections: (...args: Parameters<typeof components.connectionManager.getConnections>) =>
      components.connectionManager.getConnections(...args).map(connection => tiedTo(connection, asked))
  }
  return new Proxy(components, {
    get: (all, name) => (name === 'connectionManager' ? connectionManager : Reflect.get(all, name))
  })
}

function tiedTo(connection: Connection, asked: Stream): Connection {
  return new Proxy(connection, {
    get(target, name) {
      if (name !== 'newStream') return Reflect.get(target, name)
      return async (...args: Parameters<Connection['newStream']>) => {
        const opened = await target.newStream(...args)
        holdBack(asked, opened)
        holdBack(opened, asked)
        return opened
      }
    }
  })
}

/** Pauses `from` while `to` does not take more. Exported for tests. */
export function holdBack(from: Stream, to: Stream): void {
  from.addEventListener('message', () => {
    if (to.writableNeedsDrain && to.status === 'open' && from.readStatus === 'readable') from.pause()
  })
  const goOn = (): void => {
    if (from.readStatus === 'paused') from.resume()
  }
  to.addEventListener('drain', goOn)
  to.addEventListener('close', goOn)
}
