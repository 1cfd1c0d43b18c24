import type { Connection, IdentifyResult, Libp2p } from '@libp2p/interface'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { raceSignal } from 'race-signal'
import {
  type Clock,
  type Logger,
  MINUTE_MS,
  Rests,
  type RetryPolicy,
  SECOND_MS,
  timeoutSignal
} from '../../base/index.ts'
import { isRelayed } from './addresses.ts'

/** Relays that are kept at once: one may go away. */
const RELAYS_WANTED = 2
/**
 * When a relay that refused, or could not be asked, is asked again: soon at first, as a stream may have been cut, and seldom when it has no room.
 */
const ASK_AGAIN: RetryPolicy = {
  attempts: Number.MAX_SAFE_INTEGER,
  firstDelayMs: SECOND_MS,
  maxDelayMs: 10 * MINUTE_MS,
  factor: 4,
  jitter: 0.5
}
/** Refusals remembered: a peer can bring many names, and each is asked once. */
const MAX_REFUSED = 1000
/**
 * Relays that ever agreed, in one life of the daemon. libp2p keeps a listener for each, and ends all reservations with any of them;
 * beyond this only those are asked again.
 */
const MAX_LISTENED = 200
/** Of asking one relay; libp2p itself gives up after 5 s. */
const RESERVE_MS = 10 * SECOND_MS
/** The protocol in which a relay is asked, as libp2p specifies it. */
const HOP_PROTOCOL = '/libp2p/circuit/relay/0.2.0/hop'

/** Of the relay transport's store of reservations (src/transport/reservation-store.ts of 4.2.13). */
interface Reservations {
  reservationCount(): number
  hasReservation(peer: Connection['remotePeer']): boolean
  addRelay(peer: Connection['remotePeer'], type: 'configured'): Promise<unknown>
}
interface TransportManager {
  getTransports(): { reservationStore?: Reservations }[]
  listen(addresses: Multiaddr[]): Promise<void>
}

export interface RelaysModules {
  readonly libp2p: Libp2p
  readonly clock: Clock
  readonly log: Logger
  /** Uniform in [0, 1); `Math.random` unless given. */
  readonly random?: () => number
}

/**
 * Finds relays for a node that cannot be dialled: of the connected peers that relay, some are asked for a reservation. (libp2p's own search
 * walks the DHT without end when there is no relay to find.) libp2p renews a reservation and withdraws its address when the
 * connection is lost.
 */
export class Relays {
  readonly #modules: RelaysModules
  /** Connected peers that relay. */
  readonly #known = new Set<string>()
  readonly #listened = new Set<string>()
  readonly #refused: Rests
  #isAsking = false

  constructor(modules: RelaysModules) {
    this.#modules = modules
    this.#refused = new Rests(modules, { policy: ASK_AGAIN, maxKeys: MAX_REFUSED })
    const { libp2p } = modules
    libp2p.addEventListener('peer:identify', ({ detail }: CustomEvent<IdentifyResult>) => {
      if (detail.protocols.includes(HOP_PROTOCOL)) this.#known.add(detail.peerId.toString())
    })
    libp2p.addEventListener('peer:disconnect', ({ detail }) => {
      this.#known.delete(detail.toString())
    })
  }

  /** Peer ids of the relays through which this node can be reached now. */
  active(): string[] {
    const store = this.#store()
    return [...this.#known].filter(id =>
      this.#connection(id, ({ remotePeer }) => store?.hasReservation(remotePeer) === true)
    )
  }

  /** Asks connected relays until enough have agreed. Never rejects. */
  async seek(): Promise<void> {
    const store = this.#store()
    if (store === undefined || this.#isAsking) return
    this.#isAsking = true
    try {
      for (const id of this.#known) {
        if (store.reservationCount() >= RELAYS_WANTED) return
        await this.#ask(store, id)
      }
    } finally {
      this.#isAsking = false
    }
  }

  async #ask(store: Reservations, id: string): Promise<void> {
    const { log } = this.#modules
    const connection = this.#connection(id)
    if (connection === undefined || store.hasReservation(connection.remotePeer)) return
    if (this.#refused.isResting(id)) return
    if (!this.#listened.has(id) && this.#listened.size >= MAX_LISTENED) return
    try {
      const signal = timeoutSignal(RESERVE_MS)
      // The listener of a relay stays when its connection goes, and takes part in the next reservation.
      if (this.#listened.has(id))
        await raceSignal(store.addRelay(connection.remotePeer, 'configured'), signal)
      else await raceSignal(this.#manager().listen([multiaddr(`/p2p/${id}/p2p-circuit`)]), signal)
      this.#listened.add(id)
      this.#refused.succeeded(id)
      log.info({ relay: id }, 'peers can reach this node through a relay')
    } catch (error) {
      const waitMs = this.#refused.failed(id)
      log.debug({ relay: id, waitMs, err: error }, 'a relay refused')
    }
  }

  /** A connection that this node has opened: its address is one that others can dial too. */
  #connection(id: string, fits: (connection: Connection) => boolean = () => true): Connection | undefined {
    return this.#modules.libp2p
      .getConnections()
      .find(
        connection =>
          connection.remotePeer.toString() === id &&
          connection.direction === 'outbound' &&
          !isRelayed(connection.remoteAddr) &&
          fits(connection)
      )
  }

  #store(): Reservations | undefined {
    return this.#manager()
      .getTransports()
      .find(transport => transport.reservationStore !== undefined)?.reservationStore
  }

  #manager(): TransportManager {
    return (this.#modules.libp2p as unknown as { components: { transportManager: TransportManager } })
      .components.transportManager
  }
}
