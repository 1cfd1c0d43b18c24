import { KIB, MIB, SECOND_MS } from '../../base/index.ts'

/** Requests a side works on at once for one peer; the peer learns it from Hello. More are answered BUSY. */
export const MAX_IN_FLIGHT = 128
/** BUSY answers waiting to be sent to one peer: one that earns more ignores its limit and does not read. */
export const MAX_BUSY_QUEUED = 256
/** BUSY answers in one second: a peer that knows its limit gets none, one that ignores it this often is cut. */
export const MAX_BUSY_PER_S = 1000
/** Bytes of answers that wait for one peer to read; beyond them it is answered BUSY. Eight answers of the largest kind. */
export const MAX_WAITING_BYTES = 4 * MIB
/** A peer that takes none of the answers that wait for it in this time is cut, whatever else it sends. */
export const SLOW_READER_MS = 30 * SECOND_MS
/** Pings, cancels of nothing and requests of unknown methods in one second: useless at such a rate. */
export const MAX_NOISE_PER_S = 1000
/** A peer asked to try again after BUSY waits this long. */
export const BUSY_RETRY_MS = 100
/** Requests without an answer long after their time-out: a peer that keeps so many does not answer at all. */
export const MAX_UNANSWERED = 64

/** An inbound stream without a Hello is reset after this: it would hold memory that nobody reads. */
export const INBOUND_HELLO_MS = 2 * SECOND_MS
/** Time for the Hello of a peer we opened a stream to: a round trip and a busy event loop. */
export const OUTBOUND_HELLO_MS = 5 * SECOND_MS
/** Time to open a stream, dialling included. */
export const OPEN_MS = 10 * SECOND_MS
/** Nothing heard for this long: ask. */
export const QUIET_MS = 3 * SECOND_MS
/** Nothing heard this long after asking: the peer is gone. With QUIET_MS and a tick it shows in less than 8 s. */
export const PONG_MS = 4 * SECOND_MS
/** How often the round-trip time is measured on a stream that is never quiet. */
export const RTT_EVERY_MS = 15 * SECOND_MS
/** A peer has this long to close a stream after a goodbye; requests may cross this long before a spare stream closes. */
export const LINGER_MS = 2 * SECOND_MS
/** Granularity of all time-outs of the control stream: one timer serves every peer. */
export const TICK_MS = 250
/** A tick that comes so much after the one before: this process stood still. */
export const STALL_MS = 2 * SECOND_MS
/** Bytes that count as a sign of life inside a large frame: 1 byte now and then is none. */
export const ALIVE_BYTES = 4 * KIB
/** Opening streams more often than this within a minute is an attack or a bug; either ends the connection. */
export const MAX_OPENS_PER_MINUTE = 30

/** Body sizes by kind of frame, beside the payloads whose limits stand in their declarations. */
export const MAX_HELLO_BYTES = 4 * KIB
export const MAX_GOODBYE_BYTES = KIB
/** Cancel and ping hold one number. */
export const MAX_SMALL_BYTES = 16
/** Id, traceparent and field tags around a request's payload. */
export const REQUEST_OVERHEAD_BYTES = 256
/** Id, status, code and message around a response's payload. */
export const RESPONSE_OVERHEAD_BYTES = 2 * KIB
/** A request of a method unknown here is skipped up to this size and answered UNSUPPORTED. */
export const MAX_UNKNOWN_REQUEST_BYTES = 64 * KIB
