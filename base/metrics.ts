/**
 * Metrics of one part: `const metrics = partMetrics(registry, 'store')`, then `metrics.counter('read_bytes_total', …)`
 * makes `catalog_store_read_bytes_total` in that registry. Names end in their unit, the Prometheus way: base units
 * (bytes, seconds, ratio) or the plural of what is counted; counters then end in `_total`. Labels come from small fixed
 * sets only, never from names, keys or addresses. Without a registry the metrics work and nobody sees them.
 */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { assertInvariant } from './assert.ts'

export interface PartMetrics {
  /** Something that only grows; `name` ends in its unit and `_total`. */
  counter<L extends string = never>(name: string, help: string, labels?: readonly L[]): Counter<L>
  /** Something that goes up and down. With `read`, it is asked for when metrics are collected. */
  gauge(name: string, help: string, read?: () => number): Gauge
  /** A distribution, by default of seconds. */
  histogram<L extends string = never>(
    name: string,
    help: string,
    labels?: readonly L[],
    buckets?: readonly number[]
  ): Histogram<L>
}

/** Upper bounds in seconds, 1 ms to a minute. */
export const SECONDS_BUCKETS: readonly number[] = [
  0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60
]

export function partMetrics(registry: Registry | undefined, part: string): PartMetrics {
  const registers = registry === undefined ? [] : [registry]
  const fullName = (name: string, isCounter: boolean): string => {
    assertInvariant(/^[a-z]+(_[a-z]+)+$/.test(name), `metric ${name} is lower case and ends in its unit`)
    assertInvariant(
      name.endsWith('_total') === isCounter,
      `metric ${name}: counters and only they end in _total`
    )
    return `catalog_${part}_${name}`
  }
  return {
    counter: (name, help, labels = []) =>
      new Counter({ name: fullName(name, true), help, labelNames: labels, registers }),
    gauge: (name, help, read) =>
      new Gauge({
        name: fullName(name, false),
        help,
        registers,
        ...(read === undefined
          ? {}
          : {
              collect() {
                this.set(read())
              }
            })
      }),
    histogram: (name, help, labels = [], buckets = SECONDS_BUCKETS) =>
      new Histogram({
        name: fullName(name, false),
        help,
        labelNames: labels,
        buckets: [...buckets],
        registers
      })
  }
}
