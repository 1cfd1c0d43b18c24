/** One row of the table of metrics: what a metric is, for the registry, for docs/metrics.md and for whoever checks either. */

export type MetricType = 'counter' | 'gauge' | 'histogram'

export interface MetricRow<T extends MetricType = MetricType, L extends string = string> {
  readonly type: T
  /** What it means, in which unit where the name leaves that open; the text that Prometheus shows. */
  readonly help: string
  /** Their values come from small fixed sets: never names, keys, peers or addresses. */
  readonly labels: readonly L[]
  /** When an operator should look closer; absent where the value alone says nothing. */
  readonly lookWhen?: string
  /** It is there only when the configuration says so; absent when always. */
  readonly only?: string
}

interface RowExtras {
  readonly lookWhen?: string
  readonly only?: string
}

const rowOf =
  <T extends MetricType>(type: T) =>
  <const L extends string = never>(
    help: string,
    labels: readonly L[] = [],
    extras: RowExtras = {}
  ): MetricRow<T, L> => ({ type, help, labels, ...extras })

/** Something that only grows. */
export const counter = rowOf('counter')
/** Something that goes up and down. */
export const gauge = rowOf('gauge')
/** A distribution. */
export const histogram = rowOf('histogram')

export type MetricRows = Readonly<Record<string, MetricRow>>
