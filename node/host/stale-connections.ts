import { once } from 'node:events'
import type { Connection, Libp2p } from '@libp2p/interface'
import type { Ping } from '@libp2p/ping'
import { CatalogError, type Logger, SECOND_MS, timeoutSignal } from '../../base/index.ts'
import { connectionRttMs } from '../../protocols/index.ts'
import type { Identifier } from './identifier.ts'
import type { HostServices } from './types.ts'

/** A living peer answers within a round trip; this leaves room for a long link and a busy event loop. */
const PROBE_MS = SECOND_MS
/** On a long link that loses packets a ping takes some of its round trips. */
const PROBE_ROUND_TRIPS = 10
const PROBE = Uint8Array.of(1)

/**
 * Closes connections that a peer has left behind. A peer that was killed and started again, or that changed its address, opens
 * a new connection while the old one looks open here until QUIC's idle time-out (10 s), and what is asked over it waits as
 * long. So when a new connection of a peer has shown that it works, each older one is pinged, and closed when no answer
 * comes within PROBE_MS, or ten round trips. Two connections that both work both stay. libp2p says nothing of the change, as the
 * peer was connected all the time, so `onReplaced` does: a peer that was started again has forgotten what it was told.
 */
export class StaleConnections {
  readonly #libp2p: Libp2p<HostServices>
  readonly #identifier: Identifier
  readonly #log: Logger
  readonly #onReplaced: (peerId: string) => void
  /** Probes under way: a peer that connects again and again causes one for each connection. */
  readonly #probed = new WeakSet<Connection>()

  constructor(modules: {
    libp2p: Libp2p<HostServices>
    identifier: Identifier
    log: Logger
    /** A connection of a peer has taken the place of a dead one. */
    onReplaced: (peerId: string) => void
  }) {
    this.#libp2p = modules.libp2p
    this.#identifier = modules.identifier
    this.#log = modules.log
    this.#onReplaced = modules.onReplaced
  }

  /** Begins; ends with libp2p. */
  watch(): void {
    this.#libp2p.addEventListener('connection:open', ({ detail }) => void this.#opened(detail))
  }

  /** Never rejects. */
  async #opened(connection: Connection): Promise<void> {
    const { remotePeer } = connection
    // Before it is waited for: one that ends meanwhile was dead as well.
    const older = this.#libp2p
      .getConnections(remotePeer)
      .filter(one => one !== connection && one.timeline.open <= connection.timeline.open)
    if (older.length === 0) return
    try {
      await this.#identifier.confirm(connection)
    } catch {
      return // the identifier has closed it and said so
    }
    const dead = (await Promise.all(older.map(one => this.#isDead(one)))).some(isDead => isDead)
    if (dead && connection.status === 'open') this.#onReplaced(remotePeer.toString())
  }

  /** Whether a connection was found dead, and is closed. Never rejects. */
  async #isDead(connection: Connection): Promise<boolean> {
    if (this.#probed.has(connection)) return false
    this.#probed.add(connection)
    try {
      const limitMs = Math.max(PROBE_MS, PROBE_ROUND_TRIPS * (connectionRttMs(connection) ?? 0))
      await this.#ping(connection, timeoutSignal(limitMs))
      return false
    } catch (error) {
      const peer = connection.remotePeer.toString()
      this.#log.info({ peer, err: error }, 'an older connection of a peer does not answer and is closed')
      connection.abort(
        new CatalogError('STREAM_TRUNCATED', 'a newer connection of the peer took the place of this one')
      )
      return true
    } finally {
      this.#probed.delete(connection)
    }
  }

  async #ping(connection: Connection, signal: AbortSignal): Promise<void> {
    // The service has its protocol's name; its interface does not say so.
    const { protocol } = this.#libp2p.services.ping as Ping & { readonly protocol: string }
    const stream = await connection.newStream(protocol, { signal, runOnLimitedConnection: true })
    try {
      stream.send(PROBE)
      await once(stream, 'message', { signal })
    } finally {
      stream.abort(new Error('the probe is over'))
    }
  }
}
