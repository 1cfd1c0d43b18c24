import { KIB, MIB, SECOND_MS } from '../../base/index.ts'

/** How the decorator reads, writes and accepts; every number is a limit with its reason beside its default below. */
export interface QuicStreamOptions {
  /** Size of the first native read of a stream and the floor of the adaptive size. */
  readonly minReadBytes: number
  /** Ceiling of the adaptive size of native reads. */
  readonly maxReadBytes: number
  /** With this many undelivered bytes in a stream no native read is started. */
  readonly readHighWaterBytes: number
  /** With this many bytes waiting `send()` returns false. */
  readonly writeHighWaterBytes: number
  /** Once no more than this waits, `drain` is dispatched. */
  readonly writeLowWaterBytes: number
  /** Most bytes handed to one native write. */
  readonly maxWriteBytes: number
  /** A sender that ignores `send() === false` beyond this many bytes has its stream aborted. */
  readonly maxWriteBufferBytes: number
  /** How long a bulk stream waits after a small read, so that the next one is larger; 0 = never. */
  readonly coalesceMs: number
  /** Native accepts in flight for each listener: that many handshakes may be stuck before others wait. */
  readonly parallelHandshakes: number
  /**
   * Whether an outbound stream for this protocol alone sends its data before the remote has agreed to it: only for what the remote
   * is known to speak. One that does not may reset the stream before its refusal is read.
   */
  readonly optimisticSelect: (protocol: string) => boolean
}

export const DEFAULT_QUIC_STREAM_OPTIONS: QuicStreamOptions = {
  // A control message fits; the native side allocates and zeroes the whole size for each call.
  minReadBytes: 4 * KIB,
  // Measured on loopback: 4 KiB 45-61 MB/s, 256 KiB 312-344 MB/s, nothing gained above.
  maxReadBytes: 256 * KIB,
  // One large read may be waiting while the consumer works on the one before.
  readHighWaterBytes: 256 * KIB,
  // Four native writes: enough that the native side never starves between two turns of the event loop.
  writeHighWaterBytes: 512 * KIB,
  writeLowWaterBytes: 128 * KIB,
  maxWriteBytes: 128 * KIB,
  // Well above any message of ours; reached only by code that ignores the result of send().
  maxWriteBufferBytes: 16 * MIB,
  // Below the latency a person or a protocol notices; only on streams that already move bulk data.
  coalesceMs: 2,
  // A stuck handshake occupies its accept until maxIdleTimeout (upstream ignores handshakeTimeout, rust/config.rs).
  parallelHandshakes: 128,
  optimisticSelect: () => false
}

/** A stream counts as bulk above this rate (bytes per second): the wait of `coalesceMs` pays off only there. */
export const BULK_RATE_BYTES_PER_S = 4 * MIB
/** A read smaller than this on a bulk stream is worth a wait. */
export const COALESCE_BELOW_BYTES = 32 * KIB
/** Window over which the rate of a stream is measured, milliseconds. */
export const RATE_WINDOW_MS = 50
/** The base class aborts a stream whose read buffer grows beyond this; back-pressure keeps ours far below. */
export const MAX_READ_BUFFER_BYTES = 4 * MIB
/** Inbound streams kept until libp2p listens for them: as many as `maxConcurrentStreamLimit` admits by default. */
export const MAX_EARLY_STREAMS = 256
/**
 * Streams of a connection that were cut while a write of theirs is held up: quinn keeps each of those writes, and with it
 * the answer of a mebibyte that it is a part of, until the remote reads. One more ends the connection.
 */
export const MAX_HELD_RESETS = 8
/** So long such a stream may stay: a remote that took nothing before and takes nothing now loses the connection, ms. */
export const HELD_RESET_MS = 60 * SECOND_MS
