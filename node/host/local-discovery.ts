import type { PeerDiscovery, PeerInfo } from '@libp2p/interface'
import { type MulticastDNSComponents, mdns } from '@libp2p/mdns'
import type { Registry as MetricsRegistry } from 'prom-client'
import {
  CatalogError,
  type Clock,
  type Logger,
  MINUTE_MS,
  Rests,
  type RetryPolicy,
  SECOND_MS,
  Semaphore,
  showQueue
} from '../../base/index.ts'

/** Dials to found peers at once, and waiting: mDNS answers come from anybody on the network segment. */
const MAX_DIALS = 4
const MAX_WAITING_DIALS = 60
/** When a found peer that could not be reached is dialled again, at the earliest: mDNS repeats itself every 10 s. */
const AGAIN: RetryPolicy = {
  attempts: Number.MAX_SAFE_INTEGER,
  firstDelayMs: 5 * SECOND_MS,
  maxDelayMs: MINUTE_MS,
  factor: 4,
  jitter: 0.2
}
/** Peers remembered for that; the oldest are forgotten. */
const MAX_REMEMBERED = 1000

export interface LocalDiscoveryModules {
  readonly clock: Clock
  readonly log: Logger
  /** Uniform in [0, 1); `Math.random` unless given. */
  readonly random?: () => number
  /** Whether another connection to this peer is wanted. */
  isWanted(peerId: string): boolean
  dial(peer: PeerInfo): Promise<unknown>
  readonly metrics?: MetricsRegistry | undefined
}

/** Dials the peers that mDNS finds, which libp2p 3 only notes: a few at a time, and who cannot be reached more and more seldom. */
export class LocalDiscovery {
  readonly #modules: LocalDiscoveryModules
  readonly #dials = new Semaphore({ name: 'mDNS dials', maxActive: MAX_DIALS, maxWaiting: MAX_WAITING_DIALS })
  readonly #unreached: Rests
  readonly #dialling = new Set<string>()

  constructor(modules: LocalDiscoveryModules) {
    this.#modules = modules
    showQueue(modules.metrics, this.#dials)
    this.#unreached = new Rests(modules, { policy: AGAIN, maxKeys: MAX_REMEMBERED })
  }

  /** For `peerDiscovery` of libp2p: mDNS with a name of its own for each network. */
  service(networkId: string): (components: MulticastDNSComponents) => PeerDiscovery {
    return components => {
      const discovery = mdns({ serviceTag: `_catalog-${networkId}._udp.local` })(components)
      discovery.addEventListener('peer', ({ detail }) => void this.found(detail))
      return discovery
    }
  }

  /** Never rejects. */
  async found(peer: PeerInfo): Promise<void> {
    const id = peer.id.toString()
    const { log, isWanted, dial } = this.#modules
    if (!isWanted(id) || this.#dialling.has(id) || this.#unreached.isResting(id)) return
    this.#dialling.add(id)
    try {
      await this.#dials.run(() => dial(peer))
      this.#unreached.succeeded(id)
    } catch (error) {
      // A full queue is no try: the peer comes again with the next answer.
      if (!(error instanceof CatalogError && error.code === 'BUSY')) this.#unreached.failed(id)
      log.debug({ peer: id, err: error }, 'a peer found on the local network was not reached')
    } finally {
      this.#dialling.delete(id)
    }
  }
}
