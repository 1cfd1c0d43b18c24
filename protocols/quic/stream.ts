import { setTimeout as sleep } from 'node:timers/promises'
import {
  type AbortOptions,
  ConnectionClosedError,
  type Logger,
  type MessageStreamDirection,
  StreamResetError,
  UnsupportedProtocolError
} from '@libp2p/interface'
import { AbstractStream, type SendResult } from '@libp2p/utils'
import { raceSignal } from 'race-signal'
import { Uint8ArrayList } from 'uint8arraylist'
import { classifyNativeError, closeFailure, connectionLost } from './errors.ts'
import { type NativeStream, resetNativeStream } from './native.ts'
import { OptimisticSelect } from './optimistic-select.ts'
import { MAX_READ_BUFFER_BYTES, type QuicStreamOptions } from './options.ts'
import { ReadPacer } from './read-pacer.ts'
import { WriteQueue } from './write-queue.ts'

export interface QuicStreamInit {
  native: NativeStream
  id: string
  direction: MessageStreamDirection
  log: Logger
  options: QuicStreamOptions
  /** Told when a read or a write finds that the connection is gone, before the stream's own end is announced. */
  onConnectionLost(error: ConnectionClosedError): void
  /** Told when the stream is cut while a native write waits for the remote to read; `isOver` resolves once it has ended. */
  onHeldReset(isOver: Promise<void>): void
  /** Set to send data for this protocol before the remote has agreed to it. */
  optimisticProtocol?: string | undefined
}

/**
 * One QUIC stream as libp2p's `Stream`.
 *
 * Reading is a loop (`#pump`) that holds at most one native read and starts none while the stream is paused or
 * `readHighWaterBytes` wait for a listener: quinn's window then fills and the sender stops. Writing is a queue with at most
 * one native write in flight, because napi may run two of them in either order.
 *
 * How a stream ends: the remote's FIN is announced (`remoteCloseWrite`) only after all bytes before it were delivered;
 * a reset and a lost connection are errors on the `close` event. Bytes that had arrived before a connection was lost
 * are delivered first, if the reader is reading.
 */
export class QuicStream extends AbstractStream {
  readonly #native: NativeStream
  readonly #options: QuicStreamOptions
  readonly #onConnectionLost: (error: ConnectionClosedError) => void
  readonly #onHeldReset: (isOver: Promise<void>) => void
  readonly #writes = new WriteQueue()
  readonly #pacer: ReadPacer
  /** Set until the remote has confirmed an optimistic protocol. */
  #select: OptimisticSelect | undefined
  #isFlushing = false
  #flushed: Promise<void> = Promise.resolve()
  #isPumping = false
  /** The remote's FIN has been read; it is announced once the read buffer is empty. */
  #finRead = false
  /** The connection is gone; the stream fails when the reads in flight are done. */
  #lost: Error | undefined
  #stalledSinceMs: number | undefined

  constructor(init: QuicStreamInit) {
    super({
      id: init.id,
      direction: init.direction,
      log: init.log,
      maxReadBufferLength: Math.max(MAX_READ_BUFFER_BYTES, 4 * init.options.maxReadBytes),
      maxWriteBufferLength: init.options.maxWriteBufferBytes
    })
    this.#native = init.native
    this.#options = init.options
    this.#onConnectionLost = init.onConnectionLost
    this.#onHeldReset = init.onHeldReset
    this.#pacer = new ReadPacer(init.options)
    if (init.optimisticProtocol !== undefined) {
      this.#select = new OptimisticSelect(init.optimisticProtocol)
      this.protocol = init.optimisticProtocol
      this.send(this.#select.lines)
    }
    // In a microtask: whoever made the stream can add its listeners first.
    queueMicrotask(() => void this.#pump())
  }

  /**
   * Since when (performance.now(), ms) the consumer has left bytes unread; undefined while it reads. Such a stream pins
   * up to a whole flow-control window in native memory.
   */
  get stalledSinceMs(): number | undefined {
    return this.status === 'open' ? this.#stalledSinceMs : undefined
  }

  // --- writing

  /** Bytes sent that the native side has not copied yet: memory they lie in must stay as it is. */
  get unwrittenBytes(): number {
    return this.writeBuffer.byteLength + this.#writes.pendingBytes
  }

  /** Resolves when all that was sent so far, and what is sent until then, is handed over, or the stream has failed. */
  get flushed(): Promise<void> {
    return this.#flushed
  }

  override sendData(data: Uint8ArrayList): SendResult {
    const sentBytes = data.byteLength
    this.#writes.push(data)
    if (!this.#isFlushing) this.#flushed = this.#flush()
    return { sentBytes, canSendMore: this.#writes.pendingBytes < this.#options.writeHighWaterBytes }
  }

  /** Writes until the queue is empty. Never rejects: a failure ends the stream. */
  async #flush(): Promise<void> {
    this.#isFlushing = true
    try {
      for (;;) {
        const bytes = this.#writes.take(this.#options.maxWriteBytes)
        if (bytes === undefined) return
        await this.#native.write(bytes)
        this.#writes.written()
        const isLow = this.#writes.pendingBytes <= this.#options.writeLowWaterBytes
        if (this.writableNeedsDrain && isLow) this.safeDispatchEvent('drain')
      }
    } catch (error) {
      this.#writes.clear()
      this.#writes.written()
      // The native write is over: a reset that follows is held up by nothing.
      this.#isFlushing = false
      const lost = this.#fail(error)
      if (lost !== undefined) this.onTransportClosed(lost)
    } finally {
      this.#isFlushing = false
    }
  }

  /**
   * Resolves at the next `drain`. @libp2p/utils 7.4.1 never renews the promise behind its `onDrain`: from the second call
   * on it does not wait (src/abstract-message-stream.ts, `onDrainPromise`); and called on a dead stream it waits for ever.
   */
  override async onDrain(options?: AbortOptions): Promise<void> {
    if (!this.writableNeedsDrain) return
    if (this.status !== 'open')
      throw new StreamResetError(`cannot wait for drain: the stream is ${this.status}`)
    const drained = Promise.withResolvers<void>()
    const onClose = (event: { error?: Error }): void =>
      drained.reject(event.error ?? new ConnectionClosedError('the stream was closed before it drained'))
    const onDrain = (): void => drained.resolve()
    this.addEventListener('drain', onDrain, { once: true })
    this.addEventListener('close', onClose, { once: true })
    try {
      await raceSignal(drained.promise, options?.signal)
    } finally {
      this.removeEventListener('drain', onDrain)
      this.removeEventListener('close', onClose)
    }
  }

  /**
   * Ends the writable side once all bytes are handed over; rejects with an Error if they cannot be. The base class of
   * @libp2p/utils 7.4.1 waits for ever when the stream is aborted with bytes queued: it is woken by `idle`, then waits
   * for a `drain` that cannot come, after the `close` event it also waits for has passed (src/abstract-stream.ts).
   */
  override async close(options?: AbortOptions): Promise<void> {
    const failed = Promise.withResolvers<never>()
    const onClose = (event: { error?: Error }): void => {
      if (event.error !== undefined) failed.reject(event.error)
    }
    this.addEventListener('close', onClose)
    try {
      await Promise.race([super.close(options), failed.promise])
    } catch (error) {
      throw closeFailure(error)
    } finally {
      this.removeEventListener('close', onClose)
    }
  }

  override async sendCloseWrite(options?: AbortOptions): Promise<void> {
    while (this.#isFlushing) await raceSignal(this.#flushed, options?.signal)
    if (this.status !== 'open' || this.#lost !== undefined)
      throw new StreamResetError('the stream failed before its data was sent')
    await raceSignal(this.#native.finishWrite(), options?.signal)
  }

  override sendReset(): void {
    this.#writes.clear()
    const isOver = resetNativeStream(this.#native)
    if (this.#isFlushing) this.#onHeldReset(isOver)
  }

  // --- reading

  /** Goes on reading and throws the bytes away, so that the remote's FIN is still seen. */
  override async sendCloseRead(): Promise<void> {
    void this.#pump()
  }

  /** Nothing to send: not reading is what slows a QUIC sender. */
  override sendPause(): void {}

  override sendResume(): void {
    void this.#pump()
  }

  /** The base class calls this on data, on resume() and when a `message` listener is added. */
  protected override dispatchReadBuffer(): void {
    super.dispatchReadBuffer()
    void this.#pump()
  }

  #mayRead(): boolean {
    if (this.#finRead || this.status !== 'open' || this.readStatus === 'paused') return false
    return this.readBuffer.byteLength < this.#options.readHighWaterBytes
  }

  /** Reads while it may. Never rejects: a failure ends the stream. */
  async #pump(): Promise<void> {
    if (this.#isPumping) return
    this.#isPumping = true
    try {
      while (this.#mayRead()) {
        this.#stalledSinceMs = undefined
        const chunk = await this.#native.read(this.#pacer.sizeBytes)
        if (chunk === null) {
          this.#finRead = true
          break
        }
        this.#deliver(chunk)
        const waitMs = this.#pacer.waitMs(chunk.byteLength, performance.now())
        if (waitMs > 0) await sleep(waitMs)
      }
    } catch (error) {
      const lost = this.#fail(error)
      this.#lost ??= lost
    } finally {
      this.#isPumping = false
    }
    this.#settle()
  }

  #deliver(chunk: Uint8Array): void {
    let bytes: Uint8Array | undefined = this.#pacer.record(chunk)
    if (this.#select !== undefined) {
      bytes = this.#select.strip(bytes)
      if (bytes === undefined) {
        this.abort(new UnsupportedProtocolError(`the remote refused protocol ${this.#select.protocol}`))
        return
      }
      if (this.#select.isConfirmed) this.#select = undefined
    }
    this.onData(new Uint8ArrayList(bytes))
  }

  /** After the loop: the end of the stream if it was reached, else the stream waits for its reader. */
  #settle(): void {
    if (this.#finRead) {
      this.#announceFin()
    } else if (this.status === 'open') {
      this.#stalledSinceMs ??= performance.now()
      if (this.#lost !== undefined) this.abort(this.#lost)
    }
  }

  #announceFin(): void {
    if (this.remoteWriteStatus === 'closed') return
    const isDiscarding = this.readStatus === 'closing' || this.readStatus === 'closed'
    if (this.readBuffer.byteLength > 0 && !isDiscarding) return
    if (this.#select !== undefined)
      this.abort(
        new UnsupportedProtocolError(`the remote closed the stream instead of agreeing to ${this.protocol}`)
      )
    else this.onRemoteCloseWrite()
  }

  // --- failing

  /** After a failed native read or write; returns the error that the stream is to end with, if it is not a reset. */
  #fail(error: unknown): ConnectionClosedError | undefined {
    const failure = classifyNativeError(error)
    if (failure === 'reset') {
      this.#failReset()
      return undefined
    }
    const lost = connectionLost(error)
    if (failure === 'lost') this.#onConnectionLost(lost)
    return lost
  }

  /** The remote reset the stream, or told us to stop: libp2p's reset is both, so both directions end. */
  #failReset(): void {
    if (this.status !== 'open') return
    this.onRemoteReset()
    this.sendReset()
  }

  /**
   * The connection is gone. Bytes that came before can still be read from quinn, and often do arrive together with the
   * close (a last answer, a goodbye), so a loop that is reading goes on until quinn has no more; it then fails with
   * `error`. A stream that was already complete in both directions only waits for its reader and ends in order.
   */
  override onTransportClosed(error?: Error): void {
    if (error !== undefined && this.status === 'open') {
      this.#lost ??= error
      if (this.#isPumping) return
      if (this.#finRead && this.writeStatus === 'closed') return
    }
    super.onTransportClosed(error)
  }
}
