import type { Context } from '@opentelemetry/api'
import type { ReadableSpan, Span, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace'
import type { Registry as MetricsRegistry } from 'prom-client'
import { type Clock, type Logger, MINUTE_MS, partMetrics } from '../../base/index.ts'

/** Spans that have ended and are not with the collector yet, about 1 KB each. More are dropped. */
export const MAX_WAITING_SPANS = 2048
/** A collector that is away is told of so often, however many requests fail. */
export const TELL_EVERY_MS = 10 * MINUTE_MS

export interface BoundedSpansModules {
  exporter: SpanExporter
  clock: Clock
  logger: Logger
  metrics: MetricsRegistry
}

type Export = SpanExporter['export']

/**
 * Stands before the queue of a span processor and behind it: before, so that no more spans wait than there is room for,
 * those being sent included; behind, to count what became of them. What is lost is lost quietly: a counter, and a line of the log now and then.
 */
export class BoundedSpans implements SpanProcessor {
  readonly #modules: BoundedSpansModules
  readonly #queue: SpanProcessor
  readonly #spans
  #waiting = 0
  #lost = 0
  #toldMs = Number.NEGATIVE_INFINITY

  /** `queueTo` makes the processor that queues spans for an exporter. */
  constructor(modules: BoundedSpansModules, queueTo: (exporter: SpanExporter) => SpanProcessor) {
    this.#modules = modules
    const { exporter } = modules
    const metrics = partMetrics(modules.metrics, 'tracing')
    this.#spans = metrics.counter('ended_spans_total')
    metrics.gauge('waiting_spans', () => this.#waiting)
    this.#queue = queueTo({
      export: (spans, done) => this.#export(spans, done),
      forceFlush: async () => exporter.forceFlush?.(),
      shutdown: () => exporter.shutdown()
    })
  }

  onStart(span: Span, parent: Context): void {
    this.#queue.onStart(span, parent)
  }

  onEnd(span: ReadableSpan): void {
    if (this.#waiting >= MAX_WAITING_SPANS) {
      this.#lose('dropped', 1, new Error('too many spans wait for the collector'))
      return
    }
    this.#waiting++
    this.#queue.onEnd(span)
  }

  forceFlush(): Promise<void> {
    return this.#queue.forceFlush()
  }

  shutdown(): Promise<void> {
    return this.#queue.shutdown()
  }

  #export(spans: ReadableSpan[], done: Parameters<Export>[1]): void {
    this.#modules.exporter.export(spans, result => {
      this.#waiting -= spans.length
      if (result.error === undefined && result.code === 0) this.#spans.inc({ outcome: 'sent' }, spans.length)
      else this.#lose('failed', spans.length, result.error)
      done(result)
    })
  }

  #lose(outcome: 'dropped' | 'failed', count: number, err: Error | undefined): void {
    this.#spans.inc({ outcome }, count)
    this.#lost += count
    const nowMs = this.#modules.clock.monotonicMs()
    if (nowMs - this.#toldMs < TELL_EVERY_MS) return
    this.#toldMs = nowMs
    this.#modules.logger.warn({ err, lost: this.#lost }, 'the collector of traces takes no spans')
    this.#lost = 0
  }
}
