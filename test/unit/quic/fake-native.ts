import { defaultLogger } from '@libp2p/logger'
import { AbstractMultiaddrConnection } from '@libp2p/utils'
import { multiaddr } from '@multiformats/multiaddr'
import { QuicMuxer } from '../../../protocols/quic/muxer.ts'
import type { NativeConnection, NativeStream } from '../../../protocols/quic/native.ts'
import { DEFAULT_QUIC_STREAM_OPTIONS, type QuicStreamOptions } from '../../../protocols/quic/options.ts'
import { QuicStream } from '../../../protocols/quic/stream.ts'

type ReadResult = Uint8Array | null | Error

/** A native stream whose remote is the test: `arrive` and `release` say what reads and writes come back with. */
export class FakeNativeStream implements NativeStream {
  readonly written: Uint8Array[] = []
  readsStarted = 0
  writesInFlight = 0
  maxWritesInFlight = 0
  isFinished = false
  isReset = false
  isStopped = false
  /** When true, writes wait for `release`. */
  holdsWrites = false
  #arrived: ReadResult[] = []
  #reader: PromiseWithResolvers<Uint8Array | null> | undefined
  #writers: PromiseWithResolvers<void>[] = []

  id(): string {
    return '0'
  }

  /** Makes results available to reads, in order; the last of them, when null or an error, stays. */
  arrive(...results: ReadResult[]): void {
    this.#arrived.push(...results)
    this.#serve()
  }

  async read(maxBytes: number): Promise<Uint8Array | null> {
    if (this.#reader !== undefined) throw new Error('two reads at once')
    this.readsStarted++
    this.#reader = Promise.withResolvers()
    const { promise } = this.#reader
    this.#maxBytes = maxBytes
    this.#serve()
    return await promise
  }

  async write(data: Uint8Array): Promise<void> {
    this.writesInFlight++
    this.maxWritesInFlight = Math.max(this.maxWritesInFlight, this.writesInFlight)
    try {
      if (this.holdsWrites) {
        const held = Promise.withResolvers<void>()
        this.#writers.push(held)
        await held.promise
      } else await Promise.resolve()
      this.written.push(data.slice())
    } finally {
      this.writesInFlight--
    }
  }

  /** Lets the oldest held write end, with an error if one is given. */
  release(error?: Error): void {
    const held = this.#writers.shift()
    if (error === undefined) held?.resolve()
    else held?.reject(error)
  }

  async finishWrite(): Promise<void> {
    this.isFinished = true
  }

  /** Like the real one, after the writes in flight. */
  async resetWrite(): Promise<void> {
    await Promise.allSettled(this.#writers.map(({ promise }) => promise))
    this.isReset = true
  }

  async stopRead(): Promise<void> {
    this.isStopped = true
  }

  #maxBytes = 0

  #serve(): void {
    const next = this.#arrived[0]
    if (next === undefined || this.#reader === undefined) return
    const reader = this.#reader
    this.#reader = undefined
    if (next instanceof Error) reader.reject(next)
    else if (next === null) reader.resolve(null)
    else if (next.byteLength <= this.#maxBytes) {
      this.#arrived.shift()
      reader.resolve(next)
    } else {
      this.#arrived[0] = next.subarray(this.#maxBytes)
      reader.resolve(next.subarray(0, this.#maxBytes))
    }
  }
}

export const RESET = new Error('stream reset by peer: error 0')
export const STOPPED = new Error('sending stopped by peer: error 0')
export const LOST = new Error('connection lost')

export function fakeStream(
  options: Partial<QuicStreamOptions> = {},
  optimisticProtocol?: string
): { native: FakeNativeStream; stream: QuicStream } {
  const native = new FakeNativeStream()
  const stream = new QuicStream({
    native,
    id: '0',
    direction: 'outbound',
    log: defaultLogger().forComponent('test'),
    options: { ...DEFAULT_QUIC_STREAM_OPTIONS, coalesceMs: 0, ...options },
    onConnectionLost: () => {},
    onHeldReset: () => {},
    optimisticProtocol
  })
  return { native, stream }
}

/** A native connection whose remote is the test, and which never tells that it was closed. */
export class FakeNativeConnection implements NativeConnection {
  /** Settled by the test: the remote's first stream, or the end. */
  readonly inbound = Promise.withResolvers<NativeStream>()
  /** The stream that every opening gives, unless the test says otherwise. */
  readonly outbound = new FakeNativeStream()
  open = (): FakeNativeStream => this.outbound
  /** When set, openings fail with it. */
  refusal: Error | undefined
  #hasAccepted = false

  async inboundStream(): Promise<NativeStream> {
    if (this.#hasAccepted) return await new Promise<never>(() => {})
    this.#hasAccepted = true
    return await this.inbound.promise
  }

  async outboundStream(): Promise<NativeStream> {
    if (this.refusal !== undefined) throw this.refusal
    return this.open()
  }

  rtt(): number {
    return 0
  }

  abort(): void {}
}

/** What the stock transport makes of a native connection: only its status is of interest. */
class FakeMultiaddrConnection extends AbstractMultiaddrConnection {
  sendData(): never {
    throw new Error('the streams carry all data')
  }
  sendReset(): void {}
  sendPause(): void {}
  sendResume(): void {}
  async sendClose(): Promise<void> {}
}

export function fakeMuxer(): {
  native: FakeNativeConnection
  maConn: AbstractMultiaddrConnection
  muxer: QuicMuxer
} {
  const native = new FakeNativeConnection()
  const maConn = new FakeMultiaddrConnection({
    remoteAddr: multiaddr('/ip4/127.0.0.1/udp/1/quic-v1'),
    direction: 'outbound',
    log: defaultLogger().forComponent('test')
  })
  const muxer = new QuicMuxer(maConn, native, { ...DEFAULT_QUIC_STREAM_OPTIONS, coalesceMs: 0 })
  return { native, maConn, muxer }
}

/** What a stream told its listeners, in order: received bytes, `fin`, and `close` with the name of its error. */
export function record(stream: QuicStream): string[] {
  const events: string[] = []
  stream.addEventListener('message', event => events.push(Buffer.from(event.data.subarray()).toString()))
  stream.addEventListener('remoteCloseWrite', () => events.push('fin'))
  stream.addEventListener('close', event => events.push(`close ${event.error?.name ?? 'in order'}`))
  return events
}

/** Lets every promise that is ready go on. */
export const settle = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

export const bytes = (text: string): Uint8Array => Buffer.from(text)
