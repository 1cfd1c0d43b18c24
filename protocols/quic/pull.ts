import {
  ConnectionClosedError,
  type Stream,
  type StreamCloseEvent,
  type StreamMessageEvent,
  StreamResetError
} from '@libp2p/interface'
import { MIB } from '../../base/index.ts'

/** Bytes that may wait for the consumer before the stream is paused; with the stream's own buffer about 1.5 MiB at most. */
const PULL_HIGH_WATER_BYTES = MIB

export interface PullOptions {
  readonly signal?: AbortSignal | undefined
  /** The stream is paused at this many waiting bytes and resumed at half of it. */
  readonly highWaterBytes?: number
}

/**
 * Reads a libp2p stream at the consumer's pace: the stream is paused while too much waits. (`for await` over a stream of
 * libp2p 3 has no back-pressure at all, `byteStream` and `lpStream` abort above 4 MiB.)
 *
 * Ends in order only at the remote's FIN, with every byte before it delivered. Throws when the stream was reset or aborted
 * or its connection lost, also when that happened before the first call, and with the signal's reason on abort. An end
 * still proves nothing about the sender's honesty: payloads carry length and hash. One pull for each stream; leave it early
 * only to abort the stream, because bytes taken in are gone.
 */
export async function* pull(
  stream: Stream,
  options: PullOptions = {}
): AsyncGenerator<Uint8Array, void, undefined> {
  options.signal?.throwIfAborted()
  const inbox = new Inbox(stream, options)
  try {
    for (;;) {
      const bytes = await inbox.next()
      if (bytes === undefined) return
      yield bytes
    }
  } finally {
    inbox.release()
  }
}

class Inbox {
  readonly #stream: Stream
  readonly #signal: AbortSignal | undefined
  readonly #highWaterBytes: number
  #waiting: Uint8Array[] = []
  #waitingBytes = 0
  #isEnded = false
  /**
   * The end has been announced and the stream still holds bytes, which come as a message. QUIC announces an end after its last
   * byte; yamux does when the FIN arrives, with bytes before it in the buffer of a stream that is paused or has no listener.
   */
  #hasTail = false
  #error: Error | undefined
  #wake: (() => void) | undefined

  constructor(stream: Stream, options: PullOptions) {
    this.#stream = stream
    this.#signal = options.signal
    this.#highWaterBytes = options.highWaterBytes ?? PULL_HIGH_WATER_BYTES
    this.#lookAtPast()
    stream.addEventListener('message', this.#onMessage)
    stream.addEventListener('remoteCloseWrite', this.#onEnd)
    stream.addEventListener('close', this.#onClose)
    this.#signal?.addEventListener('abort', this.#onAbort)
  }

  /** The next bytes; undefined at the end. */
  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      this.#signal?.throwIfAborted()
      if (this.#error !== undefined) throw this.#error
      const bytes = this.#waiting.shift()
      if (bytes !== undefined) {
        this.#waitingBytes -= bytes.byteLength
        if (this.#waitingBytes <= this.#highWaterBytes / 2 && this.#stream.readStatus === 'paused')
          this.#stream.resume()
        return bytes
      }
      if (this.#isEnded && !this.#hasTail) return undefined
      if (this.#isEnded && this.#stream.readStatus === 'paused') {
        this.#stream.resume()
        continue
      }
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  release(): void {
    this.#stream.removeEventListener('message', this.#onMessage)
    this.#stream.removeEventListener('remoteCloseWrite', this.#onEnd)
    this.#stream.removeEventListener('close', this.#onClose)
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#waiting = []
  }

  /** Events that came before there was a listener have left only the stream's state behind. */
  #lookAtPast(): void {
    const { status, remoteWriteStatus } = this.#stream
    if (status === 'aborted' || status === 'reset')
      this.#error = new StreamResetError(`the stream was ${status} before it was read`)
    else if (remoteWriteStatus === 'closed') this.#end()
  }

  readonly #onMessage = (event: StreamMessageEvent): void => {
    const parts = event.data instanceof Uint8Array ? [event.data] : event.data
    for (const part of parts) this.#waiting.push(part)
    this.#waitingBytes += event.data.byteLength
    this.#hasTail &&= this.#stream.readBufferLength > 0
    if (this.#waitingBytes >= this.#highWaterBytes && this.#stream.readStatus === 'readable')
      this.#stream.pause()
    this.#wakeUp()
  }

  readonly #onEnd = (): void => {
    this.#end()
    this.#wakeUp()
  }

  #end(): void {
    this.#isEnded = true
    this.#hasTail = this.#stream.readBufferLength > 0
  }

  /** After the FIN the fate of the connection is of no matter: all bytes are here, unless an abort has thrown some away. */
  readonly #onClose = (event: StreamCloseEvent): void => {
    if (!this.#isEnded || (this.#hasTail && event.error !== undefined))
      this.#error =
        event.error ?? new ConnectionClosedError('the stream was closed before the remote had finished it')
    this.#wakeUp()
  }

  readonly #onAbort = (): void => this.#wakeUp()

  #wakeUp(): void {
    this.#wake?.()
    this.#wake = undefined
  }
}
