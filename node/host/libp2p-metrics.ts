/**
 * libp2p's own metrics, in the registry of the node: bytes by protocol, dials and why they failed, the routing table of the DHT. Their labels
 * are protocols that this node speaks, operations, listeners and names of errors: few, whatever peers do. Bytes are added up in
 * memory as they pass; everything else is read or set seldom.
 */
import type { Metrics } from '@libp2p/interface'
import { type PrometheusMetricsComponents, prometheusMetrics } from '@libp2p/prometheus-metrics'
import type { Registry } from 'prom-client'

/** Of the process and of the file system of its working directory: what is worth knowing of them the node tells itself. */
const NOT_OF_LIBP2P = ['nodejs_memory_usage_bytes', 'nodejs_memory_total_bytes', 'nodejs_fs_usage_bytes']

/**
 * The library keeps its metrics by name for the whole process, and begins anew with each libp2p that is built: of several nodes in one
 * process, as in tests, each has those that are made while it is built.
 */
export function libp2pMetrics(registry: Registry): (components: PrometheusMetricsComponents) => Metrics {
  const make = prometheusMetrics({ registry, collectDefaultMetrics: false })
  return components => {
    const metrics = make(components)
    for (const name of NOT_OF_LIBP2P) registry.removeSingleMetric(name)
    return metrics
  }
}
