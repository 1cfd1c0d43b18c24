import { type Attributes, type Span, SpanStatusCode, trace } from '@opentelemetry/api'
import { toCatalogError } from './errors.ts'

/**
 * Runs `work` as a span of OpenTelemetry, a child of the one that runs, with its error recorded by code and its end told
 * however it ends. Without an SDK this costs two calls and keeps nothing.
 */
export async function withSpan<T>(
  name: string,
  attributes: Attributes,
  work: (span: Span) => Promise<T> | T
): Promise<T> {
  return await trace.getTracer('catalog').startActiveSpan(name, { attributes }, async span => {
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
  span.setStatus({ code: SpanStatusCode.ERROR, message: code })
}
