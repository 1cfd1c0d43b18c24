import { context, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider
} from '@opentelemetry/sdk-trace'
import { type Clock, type Logger, SECOND_MS, untilAborted } from '../../base/index.ts'
import { VERSION } from '../version.ts'
import { BoundedSpans } from './bounded-spans.ts'
import { PeerSampler } from './peer-sampler.ts'
import type { TracingModules } from './tracing.ts'

/** Spans of one request to the collector: some 250 KB. */
const BATCH_SPANS = 512
const BATCH_EVERY_MS = 2 * SECOND_MS
/** For one request with what is tried again of it: a collector that is slower loses spans. */
const EXPORT_MS = 5 * SECOND_MS
/** For what waits at the end. */
const FLUSH_MS = 2 * SECOND_MS
/** Of one attribute, such as a list of specs or the message of an error. */
const MAX_ATTRIBUTE_CHARS = 1024

export interface ExportingOptions {
  /** Base URL of the collector. */
  endpoint: string
  sampleRatio: number
  peerId: string
  networkId: string
}

/** Makes spans and sends them to a collector by OTLP, from `start` to `stop`. One at a time in a process: the API of OpenTelemetry is global. */
export class Exporting {
  readonly #provider: TracerProvider
  readonly #clock: Clock
  readonly #logger: Logger

  static start(modules: TracingModules, options: ExportingOptions): Exporting {
    const url = `${options.endpoint.replace(/\/+$/, '')}/v1/traces`
    const exporter = new OTLPTraceExporter({ url, timeoutMillis: EXPORT_MS })
    return new Exporting(modules, options, exporter)
  }

  private constructor(modules: TracingModules, options: ExportingOptions, exporter: SpanExporter) {
    const { peerId, networkId, sampleRatio } = options
    this.#clock = modules.clock
    this.#logger = modules.logger.child({ part: 'tracing' })
    this.#provider = new TracerProvider({
      resource: resourceFromAttributes({
        'service.name': 'catalog',
        'service.version': VERSION,
        'service.instance.id': peerId,
        'catalog.network.id': networkId
      }),
      sampler: new ParentBasedSampler({
        root: new TraceIdRatioBasedSampler(sampleRatio),
        remoteParentSampled: new PeerSampler(modules)
      }),
      spanLimits: { attributeValueLengthLimit: MAX_ATTRIBUTE_CHARS },
      spanProcessors: [
        new BoundedSpans({ ...modules, logger: this.#logger, exporter }, counted => {
          return new BatchSpanProcessor({
            exporter: counted,
            maxExportBatchSize: BATCH_SPANS,
            scheduledDelayMillis: BATCH_EVERY_MS,
            exportTimeoutMillis: 2 * EXPORT_MS
          })
        })
      ]
    })
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    trace.setGlobalTracerProvider(this.#provider)
  }

  /** Sends what waits, for so long, and makes no more spans. */
  async stop(deadline: AbortSignal): Promise<void> {
    trace.disable()
    context.disable()
    const late = new AbortController()
    const done = new AbortController()
    this.#clock.wait(FLUSH_MS, done.signal).then(
      () => late.abort(new Error(`the last spans were not taken within ${FLUSH_MS} ms`)),
      () => undefined
    )
    try {
      await untilAborted(this.#provider.shutdown(), AbortSignal.any([deadline, late.signal]))
    } catch (err) {
      // A collector that is away is no reason for a stop to have failed.
      this.#logger.info({ err }, 'the last spans are lost')
    } finally {
      done.abort()
    }
  }
}
