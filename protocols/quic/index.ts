/**
 * QUIC for libp2p: a decorator around `@chainsafe/libp2p-quic` that brings its own muxer and stream over the same native
 * library (docs/transport.md says why). It reads in adaptive sizes and not at all while a stream is paused, writes in
 * order with real back-pressure, reports a reset or a lost connection as an error and never as an end, and accepts
 * handshakes in parallel. It opens no protocol and knows no message. In: options for `createLibp2p({transports})`, and
 * streams for `pull`; out: a libp2p transport, and bytes at the reader's pace.
 */
export type { QuicOptions } from '@chainsafe/libp2p-quic'
export { connectionRttMs, isConnectionTimedOut, QuicMuxer } from './muxer.ts'
export { DEFAULT_QUIC_STREAM_OPTIONS, type QuicStreamOptions } from './options.ts'
export { type PullOptions, pull } from './pull.ts'
export { QuicStream } from './stream.ts'
export { quicTransport } from './transport.ts'
