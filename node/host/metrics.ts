import type { Connection } from '@libp2p/interface'
import type { Registry } from 'prom-client'
import { partMetrics } from '../../base/index.ts'
import { isRelayed } from './addresses.ts'
import type { RefusalReason } from './gater.ts'
import type { Reachability } from './types.ts'

export interface HostMetrics {
  refused(this: void, reason: RefusalReason): void
  evicted(this: void): void
}

interface Readings {
  connections(): readonly Connection[]
  pinnedBytes(): number
  reachability(): Reachability
}

export function hostMetrics(
  registry: Registry | undefined,
  { connections, pinnedBytes, reachability }: Readings
): HostMetrics {
  const metrics = partMetrics(registry, 'host')
  metrics.gauges('open_connections', () => countedConnections(connections()))
  metrics.gauge(
    'connected_peers',
    () => new Set(connections().map(({ remotePeer }) => remotePeer.toString())).size
  )
  metrics.gauge('active_relays', () => reachability().relays.length)
  metrics.gauge('dialable_ratio', () => Number(reachability().state === 'direct'))
  metrics.gauge('open_streams', () => connections().reduce((sum, { streams }) => sum + streams.length, 0))
  metrics.gauge('pinned_bytes', pinnedBytes)
  const refused = metrics.counter('refused_connections_total')
  const evicted = metrics.counter('evicted_connections_total')
  return { refused: reason => refused.inc({ reason }), evicted: () => evicted.inc() }
}

const DIRECTIONS = ['inbound', 'outbound'] as const
const TRANSPORTS = ['quic', 'tcp', 'relay'] as const

/** Those of which there is none, too. */
function countedConnections(connections: readonly Connection[]) {
  return DIRECTIONS.flatMap(direction =>
    TRANSPORTS.map(transport => {
      const isCounted = (connection: Connection): boolean =>
        connection.direction === direction && transportOf(connection) === transport
      return [{ direction, transport }, connections.filter(isCounted).length] as const
    })
  )
}

function transportOf({ limits, remoteAddr }: Connection): (typeof TRANSPORTS)[number] {
  if (limits !== undefined || isRelayed(remoteAddr)) return 'relay'
  return remoteAddr.toString().includes('/quic-v1') ? 'quic' : 'tcp'
}
