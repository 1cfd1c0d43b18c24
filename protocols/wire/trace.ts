/**
 * What a trace needs to cross nodes. Who asks makes a span `ask NAME` and sends its W3C traceparent with the request; who
 * answers makes `serve NAME` a child of it. Both only inside a trace that is kept: nothing is sent while nothing is traced, and
 * who is asked begins no trace for a question of somebody who keeps none. What another node sends is no reason for an error:
 * what is no traceparent is as none. It says no more than random numbers; neither names nor tracestate or baggage are sent.
 */
import {
  type Context,
  context,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  TraceFlags,
  trace
} from '@opentelemetry/api'
import { spanFailed, tracedSpan, untraced, withSpan } from '../../base/index.ts'

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/
/** Of the form above; nothing longer is looked into. */
const TRACEPARENT_CHARS = 55

/** The W3C traceparent of the active span, or '' when nothing is being traced: then the field is not sent. */
export function activeTraceparent(): string {
  const span = tracedSpan()
  return span === undefined ? '' : traceparentOf(span)
}

function traceparentOf(span: Span): string {
  const { traceId, spanId, traceFlags } = span.spanContext()
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`
}

/** The context in which to work on a request that came with this traceparent; undefined for one that is malformed, or not sampled. */
export function contextOf(traceparent: string): Context | undefined {
  if (traceparent.length !== TRACEPARENT_CHARS) return undefined
  const match = TRACEPARENT.exec(traceparent)
  if (match === null) return undefined
  const [, traceId, spanId, flags] = match
  const remote = {
    traceId: traceId!,
    spanId: spanId!,
    traceFlags: Number.parseInt(flags!, 16) & TraceFlags.SAMPLED,
    isRemote: true
  }
  if (!isSpanContextValid(remote) || remote.traceFlags === 0) return undefined
  return trace.setSpanContext(ROOT_CONTEXT, remote)
}

/** Names as OpenTelemetry has them for calls between services. */
const attributesOf = (method: string, peer: string) => ({
  'rpc.system.name': 'catalog',
  'rpc.method': method,
  'catalog.peer.id': peer
})

/** Runs a request to a peer, in a span of its own where something is traced. */
export async function asking<T>(method: string, peer: string, work: () => Promise<T>): Promise<T> {
  if (tracedSpan() === undefined) return await work()
  return await withSpan(`ask ${method}`, attributesOf(method, peer), work, SpanKind.CLIENT)
}

/** Runs the answer to a request of a peer: as a child of what the peer sent, and of nothing that goes on here. */
export async function serving<T>(
  method: string,
  peer: string,
  traceparent: string,
  work: () => Promise<T>
): Promise<T> {
  const remote = contextOf(traceparent)
  if (remote === undefined) return await untraced(work)
  return await context.with(remote, () =>
    withSpan(`serve ${method}`, attributesOf(method, peer), work, SpanKind.SERVER)
  )
}

/** A span of a stream, which no function outlives. */
export interface StreamSpan {
  /** To be sent; '' when nothing is traced. */
  readonly traceparent: string
  /** With the error, where there was one. The first end counts. */
  end(thrown?: unknown): void
}

const NO_SPAN: StreamSpan = { traceparent: '', end: () => undefined }

/** As `asking`, for a stream. */
export function beginAsking(method: string, peer: string): StreamSpan {
  return tracedSpan() === undefined
    ? NO_SPAN
    : begin(`ask ${method}`, { method, peer, kind: SpanKind.CLIENT }, context.active())
}

/** As `serving`, for a stream. */
export function beginServing(method: string, peer: string, traceparent: string): StreamSpan {
  const remote = contextOf(traceparent)
  return remote === undefined
    ? NO_SPAN
    : begin(`serve ${method}`, { method, peer, kind: SpanKind.SERVER }, remote)
}

function begin(
  name: string,
  { method, peer, kind }: { method: string; peer: string; kind: SpanKind },
  parent: Context
): StreamSpan {
  const attributes = attributesOf(method, peer)
  const span = trace.getTracer('catalog').startSpan(name, { kind, attributes }, parent)
  let hasEnded = false
  return {
    traceparent: traceparentOf(span),
    end(thrown) {
      if (hasEnded) return
      hasEnded = true
      if (thrown !== undefined) spanFailed(span, thrown)
      span.end()
    }
  }
}
