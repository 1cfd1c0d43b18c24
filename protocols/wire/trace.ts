import { type Context, context, isSpanContextValid, trace } from '@opentelemetry/api'

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/

/** The W3C traceparent of the active span, or '' when nothing is being traced: then the field is not sent. */
export function activeTraceparent(): string {
  const span = trace.getActiveSpan()?.spanContext()
  if (span === undefined || !isSpanContextValid(span)) return ''
  return `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, '0')}`
}

/** The context in which to work on a request that came with this traceparent. Anything malformed is ignored. */
export function contextOf(traceparent: string): Context {
  const match = TRACEPARENT.exec(traceparent)
  if (match === null) return context.active()
  const [, traceId, spanId, flags] = match
  const remote = {
    traceId: traceId!,
    spanId: spanId!,
    traceFlags: Number.parseInt(flags!, 16),
    isRemote: true
  }
  return isSpanContextValid(remote) ? trace.setSpanContext(context.active(), remote) : context.active()
}
