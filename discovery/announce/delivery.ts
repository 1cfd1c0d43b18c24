import { toCatalogError } from '../../base/index.ts'
import type { Contact } from '../peers/contact.ts'
import type { PeerRecordReader } from '../peers/peer-record.ts'
import { CLAIM_LIFETIME_MS } from '../providers/limits.ts'
import type { ProviderStore } from '../providers/store.ts'
import { type Placed, type PlacedKey, Placement, type PlacementModules, placedKey } from './placement.ts'
import type { Region } from './region.ts'
import { covers, type Regions } from './regions.ts'

/** How a key was last announced. */
export interface AnnounceTrace {
  readonly atMs: number
  readonly holders: readonly string[]
  readonly refused: readonly string[]
}

export interface DeliveryModules extends PlacementModules {
  readonly store: ProviderStore
  readonly records: PeerRecordReader
  readonly regions: Regions
  readonly onTrace: (key: Uint8Array, trace: AnnounceTrace) => void
}

/** Up to so many keys are given to the peers known locally before the lookup is made: for speed, at the price of a few
 * claims that lie a little off. */
const MAX_HASTY_KEYS = 100
/** The lookup of a hasty key begins when all hasty claims are acknowledged, or after this: mostly nobody waits for it. */
const LOOKUP_DELAY_MS = 300
/** All that the book may know. */
const ALL_PEERS = 2000
/** Own claims written at once. */
const OWN_KEYS_PER_WRITE = 1000

/** Finds the peers that should hold keys, and brings the keys to them: once, whatever comes of it. */
export class Delivery {
  readonly #modules: DeliveryModules
  readonly #placement: Placement

  constructor(modules: DeliveryModules) {
    this.#modules = modules
    this.#placement = new Placement(modules)
  }

  /** Notes in this node's own store that it holds the keys: others who ask it are told so, whoever else knows. */
  async claim(keys: readonly PlacedKey[]): Promise<void> {
    const { network, store, records } = this.#modules
    const peerRecord = await network.ownRecord()
    const { sequence } = await records.open(peerRecord)
    for (let first = 0; first < keys.length; first += OWN_KEYS_PER_WRITE) {
      const some = keys.slice(first, first + OWN_KEYS_PER_WRITE).map(({ key }) => key)
      const provider = network.self.toMultihash().bytes
      await store.add({ provider, peerRecord, sequence, keys: some, lifetimeMs: CLAIM_LIFETIME_MS })
    }
  }

  /** Brings sorted keys to their holders in haste: a few to the peers known here, at once, then to those of lookups too. */
  async hurry(
    keys: readonly PlacedKey[],
    onPlaced: (placed: Placed) => void,
    signal: AbortSignal
  ): Promise<void> {
    const known = this.#knownPeers()
    if (known.length === 0) return
    const hasty =
      keys.length > MAX_HASTY_KEYS ? undefined : this.#placement.place(keys, known, onPlaced, signal)
    if (hasty !== undefined) await Promise.race([hasty, this.#modules.clock.wait(LOOKUP_DELAY_MS, signal)])
    await Promise.all([hasty, this.sweep(keys, onPlaced, async () => true, signal)])
  }

  /**
   * Brings sorted keys to their holders, region by region: one lookup for each. `onRegion` is told after each region, for
   * progress that survives a restart, and says whether to go on.
   */
  async sweep(
    keys: readonly PlacedKey[],
    onPlaced: (placed: Placed) => void,
    onRegion: (keys: readonly PlacedKey[]) => Promise<boolean>,
    signal: AbortSignal
  ): Promise<void> {
    for (let first = 0; first < keys.length && !signal.aborted; ) {
      const region = await this.#lookup(keys[first]!, signal)
      let end = first + 1
      while (end < keys.length && covers(region, keys[end]!)) end++
      const inRegion = keys.slice(first, end)
      await this.#placement.place(inRegion, this.#peersFor(region), onPlaced, signal)
      if (signal.aborted) return
      this.#traceAll(inRegion)
      if (!(await onRegion(inRegion))) return
      first = end
    }
  }

  /** The peers of a lookup and those the node knows itself. */
  #peersFor(region: Region): Contact[] {
    const known = this.#knownPeers()
    const byId = new Map([...known, ...region.peers].map(peer => [peer.id, peer]))
    byId.delete(this.#modules.network.self.toString())
    return [...byId.values()]
  }

  #knownPeers(): Contact[] {
    const { book } = this.#modules
    return book.closest(this.#selfPlace, ALL_PEERS, true)
  }

  get #selfPlace(): Uint8Array {
    return placedKey(this.#modules.network.self.toMultihash().bytes).kademliaId
  }

  /** A failed lookup is a region too: what is known locally has to do. */
  async #lookup(key: PlacedKey, signal: AbortSignal): Promise<Region> {
    try {
      return await this.#modules.regions.of(key, signal)
    } catch (error) {
      if (!signal.aborted)
        this.#modules.log.warn(
          { code: toCatalogError(error).code },
          'the nearest peers could not be looked up'
        )
      return { at: key.kademliaId, bits: 0, peers: [] }
    }
  }

  #traceAll(keys: readonly PlacedKey[]): void {
    const atMs = this.#modules.clock.now()
    for (const { key, holders, given } of keys)
      this.#modules.onTrace(key, {
        atMs,
        holders: [...holders],
        refused: [...given].filter(peer => !holders.has(peer))
      })
  }
}
