import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Registry as MetricsRegistry } from 'prom-client'
import {
  CatalogError,
  type Clock,
  type Logger,
  LruCache,
  partMetrics,
  SECOND_MS,
  toCatalogError
} from '../../base/index.ts'
import { PeerRates } from '../exchange/peer-rates.ts'
import { timeOfNotHere } from '../wire/not-here.ts'
import { fromTransport } from '../wire/status.ts'
import { beginServing, type StreamSpan } from '../wire/trace.ts'
import { syncProtocol } from './client.ts'
import {
  type DriveOptions,
  driveSession,
  isSessionOver,
  type SessionPort,
  type SessionTraffic
} from './drive.ts'
import {
  COMPARISON_INTERVAL_MS,
  HELLO_TIMEOUT_MS,
  MAX_SERVED_SESSIONS,
  MAX_SESSIONS_PER_PEER,
  OPENING_RATE,
  SKETCH_AHEAD_MS,
  SKETCHED_RECORDS_PER_SECOND
} from './limits.ts'
import { decodeSyncFrame } from './message.ts'
import { type PlacedSession, whoYields } from './places.ts'

/** Peers of which is remembered when a large library was compared with them last. */
const MAX_PEERS = 4096
/** When a place may be free again. */
const BUSY_RETRY_MS = SECOND_MS

/** A peer, and when it may ask again for what it has had much of; 0 = now. */
export interface ServedPeer {
  readonly peerId: PeerId
  /** For the tries of a large library to be compared. */
  readonly compareInMs: number
  /** For a sketch. */
  readonly sketchInMs: number
}

export interface SyncServerModules {
  readonly libp2p: Pick<Libp2p, 'handle' | 'unhandle'>
  /** Runs `work` with a new session that shows a peer what is here. */
  readonly serve: <T>(peer: ServedPeer, work: (port: SessionPort<unknown>) => Promise<T>) => Promise<T>
  /** The network that an address counts to; undefined for one near by. */
  readonly networkOf: (address: Multiaddr) => string | undefined
  readonly clock: Clock
  readonly log: Logger
  readonly metrics?: MetricsRegistry
}

export interface SyncServerOptions {
  readonly networkId: string
  /** A peer sent what the protocol does not allow, or nothing; its stream is already cut. */
  readonly onViolation?: (peerId: PeerId, error: CatalogError) => void
}

/** A session that can lose its place. */
interface ServedSession extends PlacedSession {
  readonly traffic: SessionTraffic
  readonly peerId: PeerId
  /** That the peer has asked for. */
  library?: Uint8Array
  cut(reason: CatalogError): void
}

/** Shows peers the libraries that are here, from `start` to `stop`. */
export class SyncServer {
  readonly #modules: SyncServerModules
  readonly #options: SyncServerOptions
  /** Those that have a place. */
  readonly #sessions = new Set<ServedSession>()
  /** Monotonic time of the last comparison of a large library, by peer. */
  readonly #compared = new LruCache<string, number>({ maxEntries: MAX_PEERS })
  /** Until when a peer has had its share of sketches, monotonic, by peer. */
  readonly #sketchedUntil = new LruCache<string, number>({ maxEntries: MAX_PEERS })
  readonly #openings: PeerRates
  readonly #metrics
  #running: AbortController | undefined
  readonly #streams = new Set<Promise<void>>()

  constructor(modules: SyncServerModules, options: SyncServerOptions) {
    this.#modules = modules
    this.#options = options
    this.#openings = new PeerRates(OPENING_RATE, modules.clock)
    const metrics = partMetrics(modules.metrics, 'sync')
    metrics.gauge('served_sessions', () => this.#sessions.size)
    this.#metrics = {
      served: metrics.counter('served_sessions_total'),
      bytes: metrics.counter('served_bytes_total'),
      records: metrics.counter('served_records_total')
    }
  }

  async start(): Promise<void> {
    this.#running = new AbortController()
    await this.#modules.libp2p.handle(syncProtocol(this.#options.networkId), this.#onStream, {
      // Refused ones need a little time to read why.
      maxInboundStreams: 2 * MAX_SESSIONS_PER_PEER,
      runOnLimitedConnection: true
    })
  }

  /** Takes no new sessions, and resolves when those that were open have ended. */
  async stop(): Promise<void> {
    if (this.#running === undefined) return
    this.#running.abort(new CatalogError('SHUTTING_DOWN', 'this node shows its libraries no longer'))
    this.#running = undefined
    await this.#modules.libp2p.unhandle(syncProtocol(this.#options.networkId))
    await Promise.all(this.#streams)
  }

  /** Cuts the sessions of peers that may not know of the library any more that they are shown. */
  async recheck(admits: (peerId: PeerId, library: Uint8Array) => Promise<boolean>): Promise<void> {
    const mayGoOn = async (peerId: PeerId, library: Uint8Array): Promise<boolean> => {
      try {
        return await admits(peerId, library)
      } catch (err) {
        this.#modules.log.error({ err }, 'whether a peer may know of a library cannot be found out')
        return false
      }
    }
    for (const { peerId, library, cut } of this.#sessions)
      if (library !== undefined && !(await mayGoOn(peerId, library)))
        cut(new CatalogError('NOT_FOUND', 'this node has no such library'))
  }

  readonly #onStream = (stream: Stream, connection: Connection): void => {
    const peerId = connection.remotePeer
    const serving = this.#serve(stream, connection)
      .catch(thrown => this.#report(peerId, fromTransport(thrown, peerId.toString())))
      .finally(() => this.#streams.delete(serving))
    this.#streams.add(serving)
  }

  async #serve(stream: Stream, { remotePeer: peerId, remoteAddr }: Connection): Promise<void> {
    const { clock, serve, networkOf } = this.#modules
    const peer = peerId.toString()
    const stopped = this.#running?.signal ?? AbortSignal.abort(new CatalogError('SHUTTING_DOWN', 'stopped'))
    const traffic: SessionTraffic = { bytesIn: 0, bytesOut: 0, roundTrips: 0, recordsOut: 0 }
    const yielded = new AbortController()
    let span: StreamSpan | undefined
    const signal = AbortSignal.any([stopped, yielded.signal])
    const drive = async (port: SessionPort<unknown>): Promise<unknown> => {
      try {
        return await driveSession({ stream, clock }, port, traffic, driving)
      } catch (thrown) {
        span?.end(thrown)
        throw thrown
      } finally {
        span?.end()
      }
    }
    const driving: DriveOptions = {
      isInitiator: false,
      firstFrameMs: HELLO_TIMEOUT_MS,
      signal,
      onPart: ({ isFull, sketchedRecords = 0 }) => {
        if (isFull) this.#compared.set(peer, clock.monotonicMs())
        if (sketchedRecords > 0) this.#noteSketched(peer, sketchedRecords)
      },
      onFrame: frame => {
        const message = frame.kind === 'hello' ? decodeSyncFrame(frame) : undefined
        if (message?.kind !== 'hello') return
        session.library = message.body.library
        span ??= beginServing('sync', peer, message.body.traceparent)
      }
    }
    const session: ServedSession = {
      peer,
      peerId,
      network: networkOf(remoteAddr) ?? peer,
      sinceMs: clock.monotonicMs(),
      traffic,
      cut: reason => yielded.abort(reason)
    }
    const refused = this.#refusalOf(session)
    if (refused !== undefined) {
      await drive(refusal(refused))
      return
    }
    let isDriven = false
    try {
      const served = { peerId, compareInMs: this.#compareInMs(peer), sketchInMs: this.#sketchInMs(peer) }
      await serve(served, port => {
        isDriven = true
        return drive(notHereInTime(port, clock, signal))
      })
      this.#metrics.served.inc({ end: 'well' })
    } catch (thrown) {
      // Whoever drives a session tells the peer why it ended; nobody did, of one that did not begin.
      if (!isDriven) await drive(refusal(thrown))
      throw thrown
    } finally {
      this.#sessions.delete(session)
      this.#metrics.bytes.inc(traffic.bytesOut)
      this.#metrics.records.inc(traffic.recordsOut)
    }
  }

  #compareInMs(peer: string): number {
    const lastMs = this.#compared.get(peer)
    if (lastMs === undefined) return 0
    return Math.max(0, Math.ceil(lastMs + COMPARISON_INTERVAL_MS - this.#modules.clock.monotonicMs()))
  }

  #sketchInMs(peer: string): number {
    const aheadMs = (this.#sketchedUntil.get(peer) ?? 0) - this.#modules.clock.monotonicMs()
    return Math.max(0, Math.ceil(aheadMs - SKETCH_AHEAD_MS))
  }

  #noteSketched(peer: string, records: number): void {
    const nowMs = this.#modules.clock.monotonicMs()
    const fromMs = Math.max(nowMs, this.#sketchedUntil.get(peer) ?? 0)
    this.#sketchedUntil.set(peer, fromMs + (records / SKETCHED_RECORDS_PER_SECOND) * SECOND_MS)
  }

  /** Why a session does not begin; undefined when it has a place. */
  #refusalOf(session: ServedSession): unknown {
    try {
      this.#openings.take(session.peer, 1)
    } catch (thrown) {
      return thrown
    }
    return this.#enter(session) ? undefined : busy('all places for sessions are taken')
  }

  /** Whether a session got a place: a free one, or another session's. */
  #enter(session: ServedSession): boolean {
    const sessions = [...this.#sessions]
    if (sessions.filter(({ peer }) => peer === session.peer).length >= MAX_SESSIONS_PER_PEER) return false
    if (sessions.length >= MAX_SERVED_SESSIONS) {
      const yielding = whoYields(sessions, session, session.sinceMs)
      if (yielding === undefined) return false
      this.#sessions.delete(yielding)
      yielding.cut(busy('another peer needs the place of this session'))
    }
    this.#sessions.add(session)
    return true
  }

  #report(peerId: PeerId, error: CatalogError): void {
    this.#metrics.served.inc({ end: error.code })
    const fields = { peer: peerId.toString(), code: error.code, reason: error.message }
    if (!isViolation(error)) {
      this.#modules.log.debug(fields, 'a session of a peer ended early')
      return
    }
    this.#modules.log.warn(fields, 'a session of a peer was cut')
    this.#options.onViolation?.(peerId, error)
  }
}

/** What no peer that keeps to the protocol makes another one say; TIMEOUT is told as well, and counts less. */
const VIOLATIONS: readonly string[] = [
  'PROTOCOL_VIOLATION',
  'SIGNATURE_INVALID',
  'RECORD_INVALID',
  'RECORD_TOO_LARGE',
  'HEAD_INVALID',
  'SYNC_DIVERGED',
  'TIMEOUT'
]

/** Whether an error that this side has found is the other one's doing. */
export const isViolation = (error: CatalogError): boolean =>
  VIOLATIONS.includes(error.code) && error.details?.remoteCode === undefined && !isSessionOver(error)

/** A session that ends at the first frame of the peer: it is told why in answer to its hello, like of every refusal. */
const refusal = (reason: unknown): SessionPort<unknown> => ({
  take: async () => {
    throw reason
  },
  say: async () => {
    throw new CatalogError('INTERNAL', 'a session that was refused')
  }
})

/** A library that is not here, and one that the peer may not know of, take the same time to be told. */
const notHereInTime = (
  port: SessionPort<unknown>,
  clock: Clock,
  signal: AbortSignal
): SessionPort<unknown> => ({
  say: () => port.say(),
  take: async frame => {
    const askedMs = clock.monotonicMs()
    try {
      return await port.take(frame)
    } catch (thrown) {
      if (toCatalogError(thrown).code === 'NOT_FOUND') await timeOfNotHere({ clock, askedMs }, signal)
      throw thrown
    }
  }
})

const busy = (why: string): CatalogError =>
  new CatalogError('BUSY', why, { details: { retryAfterMs: BUSY_RETRY_MS } })
