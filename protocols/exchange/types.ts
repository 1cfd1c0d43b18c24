import type { WireMessage } from '../wire/message.ts'
import type { StatusFields } from '../wire/status.ts'

/** What every request has: the W3C trace context of who asks, or ''. */
export interface TracedRequest {
  traceparent: string
}

/**
 * A protocol of short streams: the asker sends requests one after the other, each as one length-prefixed frame, the answerer
 * answers each with one frame, and the asker closes. For exchanges with peers that are asked once and perhaps never again;
 * what peers ask each other all the time goes over the control stream.
 */
export interface ExchangeType<Q extends TracedRequest, A extends StatusFields> {
  /** Name and version in the protocol's id, e.g. `find` and 1. */
  readonly name: string
  readonly version: number
  readonly request: WireMessage<Q>
  readonly response: WireMessage<A>
}
