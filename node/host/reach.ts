import type { Libp2p } from '@libp2p/interface'
import type { KadDHT } from '@libp2p/kad-dht'
import { type Clock, type Logger, recently, SECOND_MS } from '../../base/index.ts'
import { dhtModeOf, type OwnAddress, type ReachabilityState, reachabilityOf } from './reachability.ts'
import type { Relays } from './relays.ts'
import type { Reachability } from './types.ts'

/** How often the state is looked at: what it depends on (verdicts, relays, peers) has no one event. */
const LOOK_EVERY_MS = 2 * SECOND_MS
/** Who asks within this is told the same: to judge takes a list of all network interfaces, which took a millisecond on a machine of fifty. */
const GOOD_FOR_MS = SECOND_MS

export interface ReachModules {
  readonly libp2p: Libp2p
  readonly clock: Clock
  readonly log: Logger
  readonly dht: KadDHT | undefined
  /** There when relays may be used. */
  readonly relays: Relays | undefined
}

/** Watches whether this node can be reached, and acts on it: the DHT's mode follows, and relays are sought when it cannot. */
export class Reach {
  readonly #modules: ReachModules
  /** As of the last look. */
  #state: ReachabilityState = 'local'
  readonly #recent: () => ReachabilityState

  constructor(modules: ReachModules) {
    this.#modules = modules
    this.#recent = recently(modules.clock, GOOD_FOR_MS, () => this.#judge())
  }

  get now(): Reachability {
    return { state: this.#recent(), relays: this.#modules.relays?.active() ?? [] }
  }

  /** Looks until the signal ends. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, libp2p, log } = this.#modules
    let wake = (): void => {}
    libp2p.addEventListener('peer:identify', () => wake())
    while (!signal.aborted) {
      try {
        await this.#look()
      } catch (error) {
        log.warn({ err: error }, 'the reachability of this node could not be judged')
      }
      // A peer that came may relay, or be the first on the Internet.
      const over = new AbortController()
      wake = () => over.abort()
      await clock.wait(LOOK_EVERY_MS, AbortSignal.any([signal, over.signal])).catch(() => {})
    }
  }

  async #look(): Promise<void> {
    const { dht, relays, log } = this.#modules
    const before = this.#state
    this.#state = this.#judge()
    if (this.#state !== before)
      log.info({ before, now: this.#state }, 'what is known of the reachability of this node has changed')
    await dht?.setMode(dhtModeOf(this.#state))
    if (this.#state === 'unreachable' || this.#state === 'relayed') await relays?.seek()
  }

  #judge(): ReachabilityState {
    const { libp2p } = this.#modules
    return reachabilityOf(ownAddresses(libp2p), libp2p.getConnections())
  }
}

/** What libp2p knows of this node's own addresses; its address manager is a component that its types do not show. */
export function ownAddresses(libp2p: Libp2p | undefined): OwnAddress[] {
  const { components } = (libp2p ?? {}) as {
    components?: { addressManager: { getAddressesWithMetadata(): OwnAddress[] } }
  }
  return components?.addressManager.getAddressesWithMetadata() ?? []
}
