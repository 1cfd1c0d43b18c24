import {
  type AbortOptions,
  type Connection,
  ConnectionClosedError,
  type CreateStreamOptions,
  type MessageStream,
  type MessageStreamDirection,
  MuxerClosedError,
  type StreamMuxer,
  type StreamMuxerFactory
} from '@libp2p/interface'
import { AbstractStreamMuxer } from '@libp2p/utils'
import { raceSignal } from 'race-signal'
import { connectionLost, isIdleTimeout } from './errors.ts'
import { asNativeStream, type NativeConnection, type NativeStream, resetNativeStream } from './native.ts'
import { OptimisticSelect } from './optimistic-select.ts'
import { HELD_RESET_MS, MAX_EARLY_STREAMS, MAX_HELD_RESETS, type QuicStreamOptions } from './options.ts'
import { QuicStream } from './stream.ts'

/**
 * The streams of one QUIC connection. QUIC multiplexes by itself: this class only accepts and opens native streams, and ends
 * all of them with an error when the connection goes.
 */
export class QuicMuxer extends AbstractStreamMuxer<QuicStream> {
  readonly #maConn: MessageStream
  readonly #native: NativeConnection
  readonly #options: QuicStreamOptions
  readonly #isTimedOut = Promise.withResolvers<boolean>()
  /** Streams that were cut and cannot end before the remote reads. */
  #heldResets = 0

  constructor(maConn: MessageStream, native: NativeConnection, options: QuicStreamOptions) {
    super(maConn, { protocol: 'quic', name: 'quic', maxEarlyStreams: MAX_EARLY_STREAMS })
    this.#maConn = maConn
    this.#native = native
    this.#options = options
    void this.#accept()
  }

  /** Smoothed round-trip time as QUIC measures it, whole milliseconds. */
  get rttMs(): number {
    return this.#native.rtt()
  }

  /** Resolves a moment after the end of the connection: whether nothing came any more, and no side has closed it. */
  get isTimedOut(): Promise<boolean> {
    return this.#isTimedOut.promise
  }

  /** Accepts until the connection or the muxer ends. Never rejects. */
  async #accept(): Promise<void> {
    while (this.status === 'open') {
      let native: NativeStream
      try {
        native = asNativeStream(await this.#native.inboundStream())
      } catch (error) {
        // quinn fails an accept only when the connection ends, and says there alone why.
        this.#isTimedOut.resolve(isIdleTimeout(error))
        this.#endConnection(connectionLost(error))
        return
      }
      if (this.status === 'open') this.onRemoteStream(this.#wrap(native, 'inbound'))
      else void resetNativeStream(native)
    }
    this.#isTimedOut.resolve(false)
  }

  override async onCreateStream(options: CreateStreamOptions): Promise<QuicStream> {
    const opening = this.#native.outboundStream()
    let native: NativeStream
    try {
      native = await raceSignal(opening, options.signal)
    } catch (error) {
      // It cannot be cancelled: a stream that opens after all is given back.
      opening.then(resetNativeStream, () => {})
      if (options.signal?.aborted === true) throw error
      // quinn fails an opening only when the connection has ended.
      const lost = connectionLost(error)
      this.#endConnection(lost)
      throw lost
    }
    if (this.status !== 'open') {
      void resetNativeStream(native)
      throw new MuxerClosedError()
    }
    const { protocol } = options
    const isOptimistic =
      protocol !== undefined && OptimisticSelect.fits(protocol) && this.#options.optimisticSelect(protocol)
    return this.#wrap(native, 'outbound', isOptimistic ? protocol : undefined)
  }

  /**
   * The connection has ended: an accept, an opening, a read or a write has found it so, or it is given up. That is said at
   * once, not when the native `closed` comes: whoever hears of it and dials again must not be handed this connection.
   */
  #endConnection(lost: ConnectionClosedError): void {
    this.#maConn.abort(lost)
  }

  /**
   * The memory of a write that flow control holds up is quinn's until the remote reads, or the connection ends: a remote that
   * has streams cut one after the other and reads none of them would have ever more of it.
   */
  #watchReset(isOver: Promise<void>): void {
    const end = (): void =>
      this.#endConnection(new ConnectionClosedError('the remote reads nothing of streams that were cut'))
    this.#heldResets++
    if (this.#heldResets > MAX_HELD_RESETS) end()
    const timer = setTimeout(end, HELD_RESET_MS)
    timer.unref()
    void isOver.then(() => {
      clearTimeout(timer)
      this.#heldResets--
    })
  }

  #wrap(native: NativeStream, direction: MessageStreamDirection, optimisticProtocol?: string): QuicStream {
    const id = native.id()
    const log = this.log.newScope(`${direction}:${id}`)
    return new QuicStream({
      native,
      id,
      direction,
      log,
      options: this.#options,
      onConnectionLost: lost => this.#endConnection(lost),
      onHeldReset: isOver => this.#watchReset(isOver),
      optimisticProtocol
    })
  }

  /** Nothing comes through the multiaddr connection itself: the native streams carry all data. */
  override onData(): void {}

  /** Closes the writable side of every stream within the signal's time, then aborts what is still open. */
  override async close(options?: AbortOptions): Promise<void> {
    try {
      await super.close(options)
    } catch (error) {
      this.log('not all streams closed in order - %e', error)
    }
    this.status = 'closed'
    for (const stream of [...this.streams])
      stream.abort(new ConnectionClosedError('the connection was closed locally'))
  }

  /**
   * The connection is gone: every stream fails, where the base class would end it in order and hide the truncation. A
   * stream that is being read may fail a moment later (QuicStream.onTransportClosed), but this connection has none any more.
   */
  override onTransportClosed(error?: Error): void {
    super.onTransportClosed(
      error ?? new ConnectionClosedError('the QUIC connection was closed by the remote or lost')
    )
    this.streams.splice(0)
  }
}

export function quicMuxerFactory(native: NativeConnection, options: QuicStreamOptions): StreamMuxerFactory {
  return {
    protocol: 'quic',
    createStreamMuxer: maConn => new QuicMuxer(maConn, native, options) as StreamMuxer
  }
}

/**
 * QUIC's own round-trip time of a libp2p connection in milliseconds; undefined when the connection is not one of ours.
 * libp2p's Connection keeps its muxer in a field that is private in TypeScript only.
 */
export function connectionRttMs(connection: Connection): number | undefined {
  const { muxer } = connection as unknown as { muxer?: unknown }
  return muxer instanceof QuicMuxer ? muxer.rttMs : undefined
}

/** Whether a connection over QUIC that has ended was lost by silence; undefined when it is not one of ours. */
export async function isConnectionTimedOut(connection: Connection): Promise<boolean | undefined> {
  const { muxer } = connection as unknown as { muxer?: unknown }
  return muxer instanceof QuicMuxer ? await muxer.isTimedOut : undefined
}
