import { randomBytes } from 'node:crypto'
import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface'
import type { Registry as MetricsRegistry } from 'prom-client'
import {
  CatalogError,
  type Clock,
  type Logger,
  partMetrics,
  SingleFlight,
  timeoutSignal
} from '../../base/index.ts'
import { type Connections, connectionTo } from '../wire/connection.ts'
import { protocolId } from '../wire/ids.ts'
import type { RequestType } from '../wire/message.ts'
import { fromTransport } from '../wire/status.ts'
import { asking } from '../wire/trace.ts'
import { CONTROL_VERSION, type GoodbyeReason, type Hello } from './frames.ts'
import type { Handler, HandlerEntry } from './incoming.ts'
import { LINGER_MS, MAX_IN_FLIGHT, MAX_OPENS_PER_MINUTE, OPEN_MS, TICK_MS } from './limits.ts'
import type { RequestOptions } from './outgoing.ts'
import { PeerSessions } from './peer-sessions.ts'
import { Session, type SessionEvents } from './session.ts'

export type OnGoodbye = (peerId: PeerId, reason: GoodbyeReason | number) => void

export interface ControlModules {
  readonly libp2p: Connections & Pick<Libp2p, 'peerId' | 'getPeers' | 'handle' | 'unhandle'>
  readonly log: Logger
  readonly clock: Clock
  readonly metrics?: MetricsRegistry
}

export interface ControlOptions {
  readonly networkId: string
  /** Name and version of this program, for people who read a peer's log. */
  readonly agent: string
  readonly features?: readonly string[]
  /** Label of the region in which this node is, told to every peer; empty for none. */
  readonly region?: string
  /** A peer has said who it is, on each stream to it once. */
  readonly onHello?: (peerId: PeerId, hello: Hello) => void
  /** A peer has answered a heartbeat after so many milliseconds. */
  readonly onRoundTrip?: (peerId: PeerId, tookMs: number) => void
  /** A peer has fallen silent: when (monotonic) it was heard last. Its connection is cut after this. */
  readonly onSilent?: (peerId: PeerId, heardMs: number) => void
  /** A peer broke the protocol or fell silent; its stream is already cut. */
  readonly onViolation?: (peerId: PeerId, error: CatalogError) => void
}

/** The protocol whose stream stays open as long as its connection is of use. */
export const controlProtocol = (networkId: string): string => protocolId(networkId, 'control', 1)

/** Small messages between two peers over one long-lived stream: requests with answers, heartbeat, goodbye. */
export interface Control {
  /**
   * Asks a peer, opening (and dialling) where needed. Fails with what the peer answered (see wire/status.ts), BUSY
   * above its limit of requests in flight, TIMEOUT, DIAL_FAILED, UNSUPPORTED, STREAM_TRUNCATED when the peer was
   * lost before it answered, or the signal's reason.
   */
  request<Q, A>(
    peerId: PeerId,
    type: RequestType<Q, A>,
    message: Partial<Q>,
    options?: RequestOptions
  ): Promise<A>
  /** Answers requests of a type from now on. A thrown CatalogError crosses as its wire status. One handler for a type. */
  handle<Q, A>(type: RequestType<Q, A>, handler: Handler<Q, A>): void
  /** Tells every connected peer that we leave, and waits until they know or `signal` aborts. No request is possible after it. */
  goodbyeAll(reason: GoodbyeReason, signal: AbortSignal): Promise<void>
  /** Calls back when a peer says goodbye; returns the way to stop that. */
  onGoodbye(listener: OnGoodbye): () => void
  /** What the peer said of itself; undefined before. */
  hello(peerId: PeerId): Hello | undefined
  /** When (monotonic) a peer was heard last; undefined when there is no stream with it. */
  heardMs(peerId: PeerId): number | undefined
  /**
   * Milliseconds that a peer takes to answer a ping now. Opens nothing and dials nobody: NOT_FOUND when there is no stream with it, else the
   * error with which that ends, or the signal's reason.
   */
  ping(peerId: PeerId, signal: AbortSignal): Promise<number>
  start(): Promise<void>
  /** Cuts all streams. Say goodbye before. */
  stop(): Promise<void>
}

/** Dials for control streams that may run at once. */
const MAX_OPENING = 64
const INSTANCE_BYTES = 8

export function createControl(modules: ControlModules, options: ControlOptions): Control {
  return new ControlStreams(modules, options)
}

class ControlStreams implements Control {
  readonly #modules: ControlModules
  readonly #options: ControlOptions
  readonly #protocol: string
  readonly #hello: Partial<Hello>
  readonly #handlers = new Map<number, HandlerEntry>()
  readonly #peers = new Map<string, PeerSessions>()
  readonly #opening = new SingleFlight<string, Session>({ name: 'control streams', maxKeys: MAX_OPENING })
  readonly #goodbyeListeners = new Set<OnGoodbye>()
  readonly #metrics
  #running: AbortController | undefined

  constructor(modules: ControlModules, options: ControlOptions) {
    this.#modules = modules
    this.#options = options
    this.#protocol = controlProtocol(options.networkId)
    this.#hello = {
      version: CONTROL_VERSION,
      agent: options.agent,
      features: [...(options.features ?? [])],
      maxInFlight: MAX_IN_FLIGHT,
      instance: randomBytes(INSTANCE_BYTES),
      region: options.region ?? ''
    }
    const metrics = partMetrics(modules.metrics, 'control')
    metrics.gauge('open_peers', () => this.#peers.size)
    this.#metrics = {
      asked: metrics.counter('asked_requests_total'),
      served: metrics.counter('served_requests_total'),
      violations: metrics.counter('violations_total')
    }
  }

  async start(): Promise<void> {
    if (this.#running !== undefined) throw new CatalogError('INTERNAL', 'control was started twice')
    this.#running = new AbortController()
    await this.#modules.libp2p.handle(this.#protocol, this.#onStream, {
      maxInboundStreams: MAX_STREAMS_PER_CONNECTION,
      maxOutboundStreams: MAX_STREAMS_PER_CONNECTION,
      runOnLimitedConnection: true
    })
    void this.#tickWhile(this.#running.signal)
  }

  async stop(): Promise<void> {
    if (this.#running === undefined) return
    this.#running.abort(new CatalogError('SHUTTING_DOWN', 'the control streams were stopped'))
    this.#running = undefined
    await this.#modules.libp2p.unhandle(this.#protocol)
    for (const peer of [...this.#peers.values()])
      for (const session of peer.all())
        session.fail(new CatalogError('SHUTTING_DOWN', 'the control streams were stopped'))
  }

  handle<Q, A>(type: RequestType<Q, A>, handler: Handler<Q, A>): void {
    if (this.#handlers.has(type.method))
      throw new CatalogError('INTERNAL', `method ${type.method} (${type.name}) has a handler already`)
    this.#handlers.set(type.method, { type, handler })
  }

  async request<Q, A>(
    peerId: PeerId,
    type: RequestType<Q, A>,
    message: Partial<Q>,
    options: RequestOptions = {}
  ): Promise<A> {
    const peer = peerId.toString()
    try {
      const answer = await asking(type.name, peer, async () =>
        (await this.#sessionOf(peerId, options.signal)).request(type, message, options)
      )
      this.#metrics.asked.inc({ type: type.name, outcome: 'ok' })
      return answer
    } catch (thrown) {
      const error = fromTransport(thrown, peer)
      this.#metrics.asked.inc({ type: type.name, outcome: error.code })
      throw options.signal?.aborted === true ? options.signal.reason : error
    }
  }

  async goodbyeAll(reason: GoodbyeReason, signal: AbortSignal): Promise<void> {
    const sessions = [...this.#peers.values()].flatMap(peer => peer.all())
    const others = this.#modules.libp2p.getPeers().filter(peerId => !this.#hasStream(peerId))
    await Promise.all([
      ...sessions.map(session => session.goodbye(reason, '', signal)),
      ...others.map(peerId => this.#goodbyeTo(peerId, reason, signal))
    ])
  }

  #hasStream(peerId: PeerId): boolean {
    return (this.#peers.get(peerId.toString())?.all().length ?? 0) > 0
  }

  /** Opens a stream to say goodbye to a peer with which there was nothing to talk about so far. Never rejects. */
  async #goodbyeTo(peerId: PeerId, reason: GoodbyeReason, signal: AbortSignal): Promise<void> {
    try {
      const bounded = AbortSignal.any([signal, timeoutSignal(LINGER_MS)])
      const session = await this.#open(peerId, bounded)
      await session.goodbye(reason, '', bounded)
    } catch (error) {
      this.#modules.log.debug({ err: error, peer: peerId.toString() }, 'a goodbye could not be sent')
    }
  }

  onGoodbye(listener: OnGoodbye): () => void {
    this.#goodbyeListeners.add(listener)
    return () => this.#goodbyeListeners.delete(listener)
  }

  hello(peerId: PeerId): Hello | undefined {
    return this.#peers.get(peerId.toString())?.preferred()?.hello
  }

  heardMs(peerId: PeerId): number | undefined {
    const sessions = this.#peers.get(peerId.toString())?.all() ?? []
    return sessions.length === 0 ? undefined : Math.max(...sessions.map(({ heardMs }) => heardMs))
  }

  async ping(peerId: PeerId, signal: AbortSignal): Promise<number> {
    const session = this.#peers.get(peerId.toString())?.preferred()
    if (session === undefined)
      throw new CatalogError('NOT_FOUND', `there is no control stream with ${peerId}`)
    return await session.ping(signal)
  }

  async #sessionOf(peerId: PeerId, signal?: AbortSignal): Promise<Session> {
    signal?.throwIfAborted()
    const key = peerId.toString()
    const open = this.#peers.get(key)?.preferred()
    if (open !== undefined) return open
    const running = this.#running
    if (running === undefined) throw new CatalogError('SHUTTING_DOWN', 'the control streams are not running')
    return await this.#opening.run(
      key,
      shared => this.#open(peerId, AbortSignal.any([shared, running.signal])),
      signal
    )
  }

  async #open(peerId: PeerId, signal: AbortSignal): Promise<Session> {
    const bounded = AbortSignal.any([signal, timeoutSignal(OPEN_MS)])
    const connection = await connectionTo(this.#modules.libp2p, peerId, { signal: bounded })
    const stream = await connection.newStream(this.#protocol, {
      signal: bounded,
      runOnLimitedConnection: true
    })
    return this.#adopt(stream, connection, true)
  }

  readonly #onStream = (stream: Stream, connection: Connection): void => {
    if (this.#running === undefined) {
      stream.abort(new CatalogError('SHUTTING_DOWN', 'the control streams are not running'))
      return
    }
    this.#adopt(stream, connection, false)
  }

  #adopt(stream: Stream, connection: Connection, openedHere: boolean): Session {
    const { clock, log, libp2p } = this.#modules
    const peerId = connection.remotePeer
    const key = peerId.toString()
    let peer = this.#peers.get(key)
    if (peer === undefined) {
      peer = new PeerSessions(libp2p.peerId, peerId)
      this.#peers.set(key, peer)
    }
    const session = new Session({
      stream,
      peerId,
      openedHere,
      clock,
      log,
      handlers: this.#handlers,
      hello: this.#hello,
      events: this.#eventsOf(peer, connection)
    })
    peer.add(session)
    if (!openedHere && peer.countOpen(clock.monotonicMs()) > MAX_OPENS_PER_MINUTE) {
      session.fail(new CatalogError('PROTOCOL_VIOLATION', 'control streams are opened again and again'))
      connection.abort(new CatalogError('PROTOCOL_VIOLATION', 'control streams are opened again and again'))
      return session
    }
    void session.run()
    return session
  }

  #eventsOf(peer: PeerSessions, connection: Connection): SessionEvents {
    const { log } = this.#modules
    return {
      onHello: (session, hello) => {
        peer.onHello(session, hello)
        this.#options.onHello?.(session.peerId, hello)
      },
      onRoundTrip: ({ peerId }, tookMs) => this.#options.onRoundTrip?.(peerId, tookMs),
      onSilent: ({ peerId }, heardMs) => this.#options.onSilent?.(peerId, heardMs),
      onGoodbye: (session, reason) => {
        log.debug({ peer: session.peerId.toString(), reason }, 'a peer said goodbye')
        for (const listener of this.#goodbyeListeners) listener(session.peerId, reason)
      },
      onServed: (type, status) => this.#metrics.served.inc({ type, status: String(status) }),
      onEnd: (session, error) => this.#onEnd(peer, connection, session, error)
    }
  }

  #onEnd(
    peer: PeerSessions,
    connection: Connection,
    session: Session,
    error: CatalogError | undefined
  ): void {
    peer.remove(session)
    const key = session.peerId.toString()
    if (peer.all().length === 0 && peer.isForgettable(this.#modules.clock.monotonicMs()))
      this.#peers.delete(key)
    if (error === undefined) return
    const { code } = error
    if (code !== 'PROTOCOL_VIOLATION' && code !== 'TIMEOUT') return
    this.#metrics.violations.inc({ code })
    this.#modules.log.warn({ peer: key, code, reason: error.message }, 'a control stream was cut')
    // A peer that has fallen silent holds bulk transfers too: they learn it now instead of in their own time-outs.
    if (code === 'TIMEOUT') connection.abort(error)
    this.#options.onViolation?.(session.peerId, error)
  }

  async #tickWhile(signal: AbortSignal): Promise<void> {
    const { clock } = this.#modules
    while (!signal.aborted) {
      try {
        await clock.wait(TICK_MS, signal)
      } catch {
        return // stopped
      }
      const nowMs = clock.monotonicMs()
      for (const [key, peer] of this.#peers) {
        for (const session of peer.all()) session.tick(nowMs)
        if (peer.all().length === 0 && peer.isForgettable(nowMs)) this.#peers.delete(key)
      }
    }
  }
}

/** One in each direction, and as many again while they replace older ones. */
const MAX_STREAMS_PER_CONNECTION = 4
