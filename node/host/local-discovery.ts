import type { PeerDiscovery, PeerInfo } from '@libp2p/interface'
import { type MulticastDNSComponents, mdns } from '@libp2p/mdns'
import { CatalogError, type Clock, type Logger, MINUTE_MS, Semaphore } from '../../base/index.ts'

/** Dials to found peers at once, and waiting: mDNS answers come from anybody on the network segment. */
const MAX_DIALS = 4
const MAX_WAITING_DIALS = 60
/** A found peer that could not be reached is not dialled again for this long; mDNS repeats itself every 10 s. */
const RETRY_AFTER_MS = MINUTE_MS
/** Peers remembered for that; the oldest are forgotten. */
const MAX_REMEMBERED = 1000

export interface LocalDiscoveryModules {
  readonly clock: Clock
  readonly log: Logger
  /** Whether another connection to this peer is wanted. */
  isWanted(peerId: string): boolean
  dial(peer: PeerInfo): Promise<unknown>
}

/** Dials the peers that mDNS finds, which libp2p 3 only notes: a few at a time, and each at most once a minute. */
export class LocalDiscovery {
  readonly #modules: LocalDiscoveryModules
  readonly #dials = new Semaphore({ name: 'mDNS dials', maxActive: MAX_DIALS, maxWaiting: MAX_WAITING_DIALS })
  readonly #triedMs = new Map<string, number>()

  constructor(modules: LocalDiscoveryModules) {
    this.#modules = modules
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
    const { clock, log, isWanted, dial } = this.#modules
    const lastMs = this.#triedMs.get(id)
    if (!isWanted(id) || (lastMs !== undefined && clock.monotonicMs() - lastMs < RETRY_AFTER_MS)) return
    this.#remember(id, clock.monotonicMs())
    try {
      await this.#dials.run(() => dial(peer))
    } catch (error) {
      // A full queue is no try: the peer comes again with the next answer.
      if (error instanceof CatalogError && error.code === 'BUSY') this.#triedMs.delete(id)
      log.debug({ peer: id, err: error }, 'a peer found on the local network was not reached')
    }
  }

  #remember(id: string, nowMs: number): void {
    this.#triedMs.delete(id)
    this.#triedMs.set(id, nowMs)
    const [oldest] = this.#triedMs.keys()
    if (this.#triedMs.size > MAX_REMEMBERED && oldest !== undefined) this.#triedMs.delete(oldest)
  }
}
