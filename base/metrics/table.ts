/**
 * The table of all metrics of Catalog's own, by part and name: the one place that says what each means. A part makes its
 * metrics by their names (part-metrics.ts), docs/metrics.md is generated from here, and dashboards and alert rules are checked against it.
 */

import { LIBP2P_ROWS } from './libp2p-rows.ts'
import { NETWORK_ROWS } from './network-rows.ts'
import { NODE_ROWS } from './node-rows.ts'
import type { MetricRow, MetricRows, MetricType } from './row.ts'
import { SHARING_ROWS } from './sharing-rows.ts'

const TABLE = { ...NODE_ROWS, ...NETWORK_ROWS, ...SHARING_ROWS } as const

type Table = typeof TABLE
/** A part of Catalog that has metrics. */
export type MetricPart = keyof Table
type RowsOf<P extends MetricPart> = Table[P]
/** Names of the metrics of one type in a part, without its prefix. */
export type MetricName<P extends MetricPart, T extends MetricType> = {
  [N in keyof RowsOf<P>]: RowsOf<P>[N] extends MetricRow<T, infer _> ? N : never
}[keyof RowsOf<P>] &
  string
/** Labels of a metric. */
export type MetricLabels<P extends MetricPart, N> = N extends keyof RowsOf<P>
  ? RowsOf<P>[N] extends MetricRow<MetricType, infer L>
    ? L
    : never
  : never

/** What each part's metrics are about. */
export const METRIC_PARTS: Readonly<Record<MetricPart, string>> = {
  node: 'The process, its operations, its admin API, and its store at work.',
  queue: 'Queues inside the node, by name.',
  anomaly: 'What is other than usual (operations.md).',
  tracing: 'Traces (operations.md).',
  library: 'The store and the worker that writes it.',
  registry: 'Records.',
  host: 'Connections, and whether others can reach this node.',
  control: 'Small questions and answers between peers.',
  peers: 'What peers do against the protocols.',
  content: 'Content that is given to peers.',
  fetch: 'Content that is taken from peers.',
  throttle: 'Limits, and who waits for whom (operations.md, "Limits and priorities").',
  discovery: 'Announcing what is here, and finding who holds what (discovery.md).',
  topology: 'What was measured of peers (topology.md).',
  partition: 'A network that is cut in two (topology.md, "Partitions").',
  sync: 'Libraries that are followed, here and by peers (sync.md).',
  heads: 'News of libraries.',
  mirror: 'Copies that are held for others (mirror.md).',
  proof: 'Proofs of what is held (mirror.md).',
  members: 'The list of nodes that hold copies for others.',
  demand: 'What is asked for how often.',
  ledger: 'What was given to each peer and taken from it.',
  receipts: 'What peers say that this node gave them.'
}

export const METRIC_TABLE: Readonly<Record<MetricPart, MetricRows>> = TABLE

export const metricName = (part: string, name: string): string => `catalog_${part}_${name}`

/** All metrics of a node by their whole names: those of Catalog, and libp2p's own. */
export const ALL_METRICS: MetricRows = Object.fromEntries([
  ...Object.entries(METRIC_TABLE).flatMap(([part, rows]) =>
    Object.entries(rows).map(([name, row]) => [metricName(part, name), row] as const)
  ),
  ...Object.entries(LIBP2P_ROWS)
])
