import type { Connection } from '@libp2p/interface'
import type { Registry } from 'prom-client'
import { partMetrics } from '../../base/index.ts'
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
  const count = (direction: string) => () =>
    connections().filter(connection => connection.direction === direction).length
  metrics.gauge('inbound_connections', 'Open connections that peers have dialled', count('inbound'))
  metrics.gauge('outbound_connections', 'Open connections that this node has dialled', count('outbound'))
  metrics.gauge(
    'relayed_connections',
    'Open connections that a relay passes on',
    () => connections().filter(({ limits }) => limits !== undefined).length
  )
  metrics.gauge(
    'relays_active',
    'Relays through which this node can be reached',
    () => reachability().relays.length
  )
  metrics.gauge('dialable_ratio', '1 when other nodes can dial this one', () =>
    Number(reachability().state === 'direct')
  )
  metrics.gauge('open_streams', 'Open streams of all connections', () =>
    connections().reduce((sum, { streams }) => sum + streams.length, 0)
  )
  metrics.gauge('pinned_bytes', 'Native memory that unread streams may pin', pinnedBytes)
  const refused = metrics.counter('refused_connections_total', 'Connections refused, by reason', ['reason'])
  const evicted = metrics.counter(
    'evicted_connections_total',
    'Connections closed because unread streams pinned too much'
  )
  return { refused: reason => refused.inc({ reason }), evicted: () => evicted.inc() }
}
