import {
  type Attributes,
  context,
  INVALID_SPAN_CONTEXT,
  isSpanContextValid,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace
} from '@opentelemetry/api'
import { toCatalogError } from './errors.ts'

const tracer = () => trace.getTracer('catalog')
/** What is given to work where nobody keeps spans. */
const NO_SPAN = trace.wrapSpanContext(INVALID_SPAN_CONTEXT)

/** Whether an SDK is there: else a span would be made, and a context that carries it, for nobody. */
function isTracing(): boolean {
  const provider = trace.getTracerProvider()
  return !(provider instanceof ProxyTracerProvider) || provider.getDelegateTracer('catalog') !== undefined
}

/**
 * Runs `work` as a span of OpenTelemetry, a child of the one that runs, with its error recorded by code and its end told
 * however it ends. Without an SDK this costs a call and keeps nothing.
 */
export async function withSpan<T>(
  name: string,
  attributes: Attributes,
  work: (span: Span) => Promise<T> | T,
  kind = SpanKind.INTERNAL
): Promise<T> {
  if (!isTracing()) return await work(NO_SPAN)
  return await tracer().startActiveSpan(name, { attributes, kind }, async span => {
    try {
      return await work(span)
    } catch (thrown) {
      spanFailed(span, thrown)
      throw thrown
    } finally {
      span.end()
    }
  })
}

/** Records the error that ends a span. */
export function spanFailed(span: Span, thrown: unknown): void {
  const { code, message } = toCatalogError(thrown)
  span.recordException({ name: code, message })
  span.setAttribute('error.type', code)
  span.setStatus({ code: SpanStatusCode.ERROR, message: code })
}

/** The active span, where it belongs to a trace that is kept; else undefined. */
export function tracedSpan(): Span | undefined {
  const span = trace.getActiveSpan()
  const spanContext = span?.spanContext()
  if (spanContext === undefined || !isSpanContextValid(spanContext)) return undefined
  return (spanContext.traceFlags & TraceFlags.SAMPLED) === 0 ? undefined : span
}

/** Runs `work` as no part of what is being traced: what goes on for others, or longer than what began it. */
export const untraced = <T>(work: () => T): T => context.with(ROOT_CONTEXT, work)
