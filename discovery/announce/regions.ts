import { type Clock, MINUTE_MS, timeoutSignal } from '../../base/index.ts'
import { sharedPrefixBits } from '../distance.ts'
import type { DiscoveryNetwork } from '../network.ts'
import type { PlacedKey } from './placement.ts'
import { LOOKUP_PEERS, type Region, regionOf } from './region.ts'

/** A lookup serves keys of its region for this long; peers come and go, the nearest few hardly in ten minutes. */
const REGION_LIFETIME_MS = 10 * MINUTE_MS
/** Regions remembered, about 3 KB each. */
const MAX_REGIONS = 256
/** A lookup that takes longer is done without: the peers known locally have to do. */
const LOOKUP_TIMEOUT_MS = 20_000

/** Lookups of the nearest peers, each used for all keys it is good for. */
export class Regions {
  readonly #network: DiscoveryNetwork
  readonly #clock: Clock
  #known: Array<{ region: Region; untilMs: number }> = []
  #lookups = 0

  constructor(network: DiscoveryNetwork, clock: Clock) {
    this.#network = network
    this.#clock = clock
  }

  /** Lookups made so far. */
  get lookups(): number {
    return this.#lookups
  }

  /** The region of a key: from an earlier lookup, or from a new one. */
  async of(key: PlacedKey, signal: AbortSignal): Promise<Region> {
    const nowMs = this.#clock.monotonicMs()
    this.#known = this.#known.filter(({ untilMs }) => untilMs > nowMs)
    const known = this.#known.find(({ region }) => covers(region, key))
    if (known !== undefined) return known.region
    this.#lookups++
    const peers = await this.#network.closestPeers(
      key.key,
      AbortSignal.any([signal, timeoutSignal(LOOKUP_TIMEOUT_MS)])
    )
    const region = regionOf(key.kademliaId, peers)
    // With so few peers a lookup is cheap, and the next peer to come changes the answer.
    if (peers.length >= LOOKUP_PEERS)
      this.#known = [...this.#known.slice(1 - MAX_REGIONS), { region, untilMs: nowMs + REGION_LIFETIME_MS }]
    return region
  }
}

/** Whether a region's lookup is good for a key. */
export const covers = (region: Region, key: PlacedKey): boolean =>
  sharedPrefixBits(region.at, key.kademliaId) >= region.bits
