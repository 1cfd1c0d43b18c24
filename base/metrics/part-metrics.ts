/**
 * Metrics of one part: `partMetrics(registry, 'sync').counter('sessions_total')` makes `catalog_sync_sessions_total`, as the
 * table describes it, in that registry. Names end in their unit, the Prometheus way: base units (bytes, seconds, ratio) or
 * the plural of what is counted; counters then end in `_total`. Without a registry the metrics work and nobody sees them.
 */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { METRIC_TABLE, type MetricLabels, type MetricName, type MetricPart, metricName } from './table.ts'

/** Values of a metric by label, as they are when it is read. */
export type LabelledValues<L extends string> = Iterable<
  readonly [labels: Readonly<Record<L, string>>, value: number]
>

export interface PartMetrics<P extends MetricPart> {
  /** Something that only grows. */
  counter<N extends MetricName<P, 'counter'>>(name: N): Counter<MetricLabels<P, N>>
  /** Something that only grows and is counted elsewhere: asked for when metrics are collected. */
  counted<N extends MetricName<P, 'counter'>>(name: N, read: () => LabelledValues<MetricLabels<P, N>>): void
  /** Something that goes up and down, asked for when metrics are collected. */
  gauge(name: MetricName<P, 'gauge'>, read: () => number | Promise<number>): void
  /** The same by label. */
  gauges<N extends MetricName<P, 'gauge'>>(
    name: N,
    read: () => LabelledValues<MetricLabels<P, N>> | Promise<LabelledValues<MetricLabels<P, N>>>
  ): void
  /** A distribution, by default of seconds. */
  histogram<N extends MetricName<P, 'histogram'>>(
    name: N,
    buckets?: readonly number[]
  ): Histogram<MetricLabels<P, N>>
}

/** Upper bounds in seconds, 1 ms to a minute. */
export const SECONDS_BUCKETS: readonly number[] = [
  0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60
]

export function partMetrics<P extends MetricPart>(registry: Registry | undefined, part: P): PartMetrics<P> {
  const registers = registry === undefined ? [] : [registry]
  const described = <N extends string>(name: N) => {
    const { help, labels } = METRIC_TABLE[part][name]!
    return {
      name: metricName(part, name),
      help,
      labelNames: labels as readonly MetricLabels<P, N>[],
      registers
    }
  }
  return {
    counter: name => new Counter(described(name)),
    counted(name, read) {
      new Counter({
        ...described(name),
        collect() {
          this.reset()
          for (const [labels, value] of read()) this.inc(labels, value)
        }
      })
    },
    gauge(name, read) {
      new Gauge({
        ...described(name),
        async collect() {
          this.set(await read())
        }
      })
    },
    gauges(name, read) {
      new Gauge({
        ...described(name),
        async collect() {
          const values = await read()
          this.reset()
          for (const [labels, value] of values) this.set(labels, value)
        }
      })
    },
    histogram: (name, buckets = SECONDS_BUCKETS) =>
      new Histogram({ ...described(name), buckets: [...buckets] })
  }
}
