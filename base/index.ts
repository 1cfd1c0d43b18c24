/**
 * Base: the few things every part needs and no part of Catalog is about: errors with stable codes, time as a
 * parameter, the log interface, limits and patience (semaphore, retry, single flight, circuit breaker), a bounded cache,
 * units, metrics and spans, files that are durable. But for the rows in the tables of error codes and metrics it knows no word of
 * packages or peers; it starts nothing and keeps no global state: all it works with comes in as an argument and goes out as a return value
 * or a CatalogError.
 */
export * from './assert.ts'
export * from './away.ts'
export * from './buffer-pool.ts'
export * from './byte-source.ts'
export * from './circuit-breaker.ts'
export * from './clock.ts'
export * from './decay.ts'
export * from './durable-files.ts'
export * from './errors.ts'
export * from './free-memory.ts'
export * from './log.ts'
export * from './lru-cache.ts'
export * from './make-folder.ts'
export { type PartMetrics, partMetrics, SECONDS_BUCKETS } from './metrics/part-metrics.ts'
export { showQueue } from './metrics/queues.ts'
export type { MetricRow } from './metrics/row.ts'
export { ALL_METRICS, METRIC_PARTS, METRIC_TABLE, metricName } from './metrics/table.ts'
export * from './percentile.ts'
export * from './recently.ts'
export * from './rests.ts'
export * from './retry.ts'
export * from './semaphore.ts'
export * from './signpost.ts'
export * from './single-flight.ts'
export * from './socket-path.ts'
export * from './spans.ts'
export * from './timeout-signal.ts'
export * from './units.ts'
export * from './until-aborted.ts'
