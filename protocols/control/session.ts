import { randomInt } from 'node:crypto'
import type { PeerId, Stream } from '@libp2p/interface'
import { CatalogError, type Clock, type Logger } from '../../base/index.ts'
import { pull } from '../quic/index.ts'
import { FrameReader } from '../wire/frame-reader.ts'
import { drained, encodeFrame } from '../wire/frame-writer.ts'
import { checkSize, type RequestType } from '../wire/message.ts'
import { fromTransport, MAX_MESSAGE_LENGTH, printable } from '../wire/status.ts'
import {
  FrameKind,
  type GoodbyeReason,
  goodbyeMessage,
  type Hello,
  helloMessage,
  KIND_BITS,
  KIND_MASK,
  maxBodyBytes,
  pingMessage
} from './frames.ts'
import { Heartbeat } from './heartbeat.ts'
import { type HandlerEntry, Incoming, type OnServed } from './incoming.ts'
import { INBOUND_HELLO_MS, LINGER_MS, MAX_NOISE_PER_S, OUTBOUND_HELLO_MS } from './limits.ts'
import { Outgoing, type RequestOptions } from './outgoing.ts'

/** What a session reports to its owner. */
export interface SessionEvents {
  onHello(session: Session, hello: Hello): void
  /** The peer has answered a ping after so many milliseconds. */
  onRoundTrip(session: Session, tookMs: number): void
  onGoodbye(session: Session, reason: number, message: string): void
  /** Nothing came any more, since then; `onEnd` follows. */
  onSilent(session: Session, heardMs: number): void
  /** Once, when the stream is over for whatever reason; `error` is undefined after an end in order. */
  onEnd(session: Session, error: CatalogError | undefined): void
  onServed: OnServed
}

export interface SessionModules {
  readonly stream: Stream
  readonly peerId: PeerId
  readonly openedHere: boolean
  readonly clock: Clock
  readonly log: Logger
  readonly handlers: ReadonlyMap<number, HandlerEntry>
  readonly hello: Partial<Hello>
  readonly events: SessionEvents
}

/**
 * One control stream from its first byte to its last: sends our Hello at once, reads frames one by one with the size
 * limit of each known before it is buffered, and hands them to the parts. Requests may follow our Hello without waiting
 * for the peer's. Reading never waits for writing (two peers that both did would wait for ever); what is written in
 * answer to reading is bounded instead.
 */
export class Session {
  readonly peerId: PeerId
  readonly openedHere: boolean
  readonly openedMs: number
  readonly outgoing: Outgoing
  readonly #modules: SessionModules
  readonly #reader: FrameReader
  readonly #incoming: Incoming
  readonly #heartbeat: Heartbeat
  readonly #peer: string
  #hello: Hello | undefined
  readonly #over = Promise.withResolvers<void>()
  #isEnded = false
  /** Since when no new requests are made here. */
  #leavingMs: number | undefined
  #hasSaidGoodbye = false
  /** Those who wait for the pong of the ping that is under way. */
  readonly #pongs = new Set<PromiseWithResolvers<number>>()
  #noise = 0
  #noiseSinceMs: number

  constructor(modules: SessionModules) {
    const { stream, peerId, clock, handlers, events, log } = modules
    this.#modules = modules
    this.peerId = peerId
    this.#peer = peerId.toString()
    this.openedHere = modules.openedHere
    this.openedMs = clock.monotonicMs()
    this.#noiseSinceMs = this.openedMs
    this.#reader = new FrameReader(pull(stream))
    this.#heartbeat = new Heartbeat(this.openedMs, randomSequence)
    this.outgoing = new Outgoing(this.#send, clock, this.#peer)
    this.#incoming = new Incoming({
      peerId,
      clock,
      handlers,
      send: this.#send,
      drained: signal => drained(stream, signal),
      needsDrain: () => stream.writableNeedsDrain,
      onServed: events.onServed,
      onError: error => log.error({ err: error, peer: this.#peer }, 'a handler of a peer request failed')
    })
  }

  /** The peer's Hello, once it has come. */
  get hello(): Hello | undefined {
    return this.#hello
  }

  get isEnded(): boolean {
    return this.#isEnded
  }

  /** When something was heard from the peer last. */
  get heardMs(): number {
    return this.#heartbeat.heardMs
  }

  /** Whether new requests may go here. */
  get isOpen(): boolean {
    return !this.#isEnded && this.#leavingMs === undefined
  }

  /** Sends Hello and reads until the stream ends. Never rejects. */
  async run(): Promise<void> {
    try {
      this.#send(FrameKind.Hello, 0, helloMessage.encode(this.#modules.hello))
      while (await this.#readFrame()) {
        // each frame is handled as it comes
      }
      this.#finish(undefined)
    } catch (error) {
      this.fail(fromTransport(error, this.#peer))
    }
  }

  request<Q, A>(type: RequestType<Q, A>, message: Partial<Q>, options: RequestOptions): Promise<A> {
    return this.outgoing.request(type, message, options)
  }

  /** Milliseconds until the peer answers a ping: the one that is under way, or a new one. Ends with the stream, or the signal. */
  async ping(signal: AbortSignal): Promise<number> {
    signal.throwIfAborted()
    const answered = Promise.withResolvers<number>()
    const onAbort = (): void => answered.reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    this.#pongs.add(answered)
    try {
      if (!this.#heartbeat.isAsking) this.#sendPing(this.#modules.clock.monotonicMs())
      return await answered.promise
    } finally {
      this.#pongs.delete(answered)
      signal.removeEventListener('abort', onAbort)
    }
  }

  /** Time-outs, heartbeat, end of retirement. Called by the owner's timer. */
  tick(nowMs: number): void {
    if (this.#isEnded) return
    try {
      this.#checkHello(nowMs)
      this.outgoing.tick(nowMs)
      this.#incoming.tick(nowMs)
      const verdict = this.#heartbeat.tick(nowMs, this.#reader.receivedBytes)
      if (verdict === 'dead') {
        this.#modules.events.onSilent(this, this.heardMs)
        throw new CatalogError('TIMEOUT', `${this.#peer} has fallen silent`)
      }
      if (verdict === 'ask') this.#sendPing(nowMs)
      this.#checkLeaving(nowMs)
    } catch (error) {
      this.fail(fromTransport(error, this.#peer))
    }
  }

  /** Takes no new requests; after a while, when nothing is in flight, the side that opened the stream closes it. */
  retire(): void {
    this.#leave()
  }

  /** Says why, closes our side, and waits until the peer has closed its own: then it has read the goodbye. */
  async goodbye(reason: GoodbyeReason, message: string, signal: AbortSignal): Promise<void> {
    if (this.#isEnded) return
    this.#leave()
    const onAbort = (): void =>
      this.fail(new CatalogError('TIMEOUT', `${this.#peer} did not take the goodbye in time`))
    signal.addEventListener('abort', onAbort)
    try {
      signal.throwIfAborted()
      this.#send(FrameKind.Goodbye, 0, goodbyeMessage.encode({ reason, message }))
      this.#hasSaidGoodbye = true
      await this.#modules.stream.close({ signal })
      await this.#over.promise
    } catch (error) {
      this.#modules.log.debug({ err: error, peer: this.#peer }, 'a goodbye could not be sent')
      this.fail(fromTransport(error, this.#peer))
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  /** Ends the stream at once; all requests fail with `error`. */
  fail(error: CatalogError): void {
    if (this.#isEnded) return
    this.#modules.stream.abort(error)
    this.#finish(error)
  }

  get #isIdle(): boolean {
    return this.outgoing.size === 0 && this.#incoming.size === 0
  }

  /** Reads and handles one frame; false at the end of the stream. */
  async #readFrame(): Promise<boolean> {
    const tag = await this.#reader.varint()
    if (tag === undefined) return false
    const kind = tag & KIND_MASK
    const method = tag >>> KIND_BITS
    const length = await this.#reader.varint()
    if (length === undefined) throw new CatalogError('STREAM_TRUNCATED', 'the stream ended inside a frame')
    const type =
      kind === FrameKind.Request
        ? this.#modules.handlers.get(method)?.type
        : kind === FrameKind.Response
          ? this.outgoing.typeOf(method)
          : undefined
    const maxBytes = maxBodyBytes(kind, method, type)
    if (maxBytes === undefined)
      throw new CatalogError(
        'PROTOCOL_VIOLATION',
        `no frame of kind ${kind} and method ${method} is expected`
      )
    checkSize(`frame of kind ${kind}`, length, 0, maxBytes)
    const body = await this.#reader.bytes(length)
    if (this.#isEnded) return false
    this.#heartbeat.heard(this.#modules.clock.monotonicMs())
    this.#dispatch(kind as FrameKind, method, body)
    return true
  }

  #dispatch(kind: FrameKind, method: number, body: Uint8Array): void {
    if (this.#hello === undefined) {
      if (kind !== FrameKind.Hello)
        throw new CatalogError('PROTOCOL_VIOLATION', `the first frame is of kind ${kind}, not a hello`)
      this.#onHello(helloMessage.decode(body))
      return
    }
    switch (kind) {
      case FrameKind.Hello:
        throw new CatalogError('PROTOCOL_VIOLATION', 'a second hello')
      case FrameKind.Request:
        if (!this.#incoming.onRequest(method, body)) this.#countNoise()
        return
      case FrameKind.Response:
        this.outgoing.onResponse(method, body)
        return
      case FrameKind.Cancel:
        if (!this.#incoming.onCancel(body)) this.#countNoise()
        return
      case FrameKind.Ping:
        this.#onPing(body)
        return
      case FrameKind.Pong:
        this.#onPong(body)
        return
      case FrameKind.Goodbye: {
        const { reason, message } = goodbyeMessage.decode(body)
        this.#leave()
        this.#hasSaidGoodbye = true
        const left = new CatalogError('PEER_REFUSED', `${this.#peer} said goodbye`, { details: { reason } })
        this.outgoing.failAll(left)
        this.#incoming.failAll(left)
        this.#closeWrite()
        this.#modules.events.onGoodbye(this, reason, printable(message, MAX_MESSAGE_LENGTH))
        return
      }
    }
  }

  #onHello(hello: Hello): void {
    this.#hello = hello
    this.outgoing.limitTo(hello.maxInFlight)
    this.#modules.events.onHello(this, hello)
  }

  #onPing(body: Uint8Array): void {
    this.#countNoise()
    const { sequence } = pingMessage.decode(body)
    // A peer that does not read gets no further pongs: they would only queue.
    if (!this.#modules.stream.writableNeedsDrain)
      this.#send(FrameKind.Pong, 0, pingMessage.encode({ sequence }))
  }

  #onPong(body: Uint8Array): void {
    const { sequence } = pingMessage.decode(body)
    const tookMs = this.#heartbeat.pong(sequence, this.#modules.clock.monotonicMs())
    if (tookMs === undefined) this.#countNoise()
    else {
      for (const { resolve } of this.#pongs) resolve(tookMs)
      this.#modules.events.onRoundTrip(this, tookMs)
    }
  }

  #sendPing(nowMs: number): void {
    this.#send(FrameKind.Ping, 0, pingMessage.encode({ sequence: this.#heartbeat.nextPing(nowMs) }))
  }

  #checkHello(nowMs: number): void {
    if (this.#hello !== undefined) return
    const limitMs = this.openedHere ? OUTBOUND_HELLO_MS : INBOUND_HELLO_MS
    if (nowMs - this.openedMs >= limitMs)
      throw new CatalogError('TIMEOUT', `${this.#peer} sent no hello within ${limitMs} ms`)
  }

  #leave(): void {
    this.#leavingMs ??= this.#modules.clock.monotonicMs()
  }

  /** After a goodbye the other side has LINGER_MS to end the stream; a retired stream ends LINGER_MS later, when idle. */
  #checkLeaving(nowMs: number): void {
    if (this.#leavingMs === undefined || nowMs - this.#leavingMs < LINGER_MS) return
    if (this.#hasSaidGoodbye)
      throw new CatalogError('STREAM_TRUNCATED', `${this.#peer} did not close after a goodbye`)
    if (this.openedHere && this.#isIdle) this.#closeWrite()
  }

  #countNoise(): void {
    const nowMs = this.#modules.clock.monotonicMs()
    if (nowMs - this.#noiseSinceMs >= 1000) {
      this.#noiseSinceMs = nowMs
      this.#noise = 0
    }
    if (++this.#noise > MAX_NOISE_PER_S)
      throw new CatalogError('PROTOCOL_VIOLATION', 'a flood of frames that ask for nothing')
  }

  /** Our side is done; the peer sees the end, closes its side, and our reading ends with that. */
  #closeWrite(): void {
    this.#modules.stream.close().catch(error => this.fail(fromTransport(error, this.#peer)))
  }

  readonly #send = (kind: FrameKind, method: number, body: Uint8Array): void => {
    this.#modules.stream.send(encodeFrame([(method << KIND_BITS) | kind], body))
  }

  #finish(error: CatalogError | undefined): void {
    if (this.#isEnded) return
    this.#isEnded = true
    const left = error ?? new CatalogError('STREAM_TRUNCATED', `${this.#peer} closed the control stream`)
    this.outgoing.failAll(left)
    this.#incoming.failAll(left)
    for (const { reject } of this.#pongs) reject(left)
    if (error === undefined) this.#closeWrite()
    this.#over.resolve()
    this.#modules.events.onEnd(this, error)
  }
}

const MAX_SEQUENCE = 2 ** 32
const randomSequence = (): number => randomInt(1, MAX_SEQUENCE)
