import {
  CatalogError,
  type Clock,
  type Logger,
  MINUTE_MS,
  SECOND_MS,
  toCatalogError
} from '../../base/index.ts'
import { compareDistance } from '../distance.ts'
import { keyText } from '../keys.ts'
import type { DiscoveryNetwork } from '../network.ts'
import type { PeerBook } from '../peers/book.ts'
import type { Contact } from '../peers/contact.ts'
import type { PeerRecordReader } from '../peers/peer-record.ts'
import { CLAIM_LIFETIME_MS } from '../providers/limits.ts'
import type { ProviderStore } from '../providers/store.ts'
import { MAX_PENDING, type PendingKeys } from './pending.ts'
import { type Placed, type PlacedKey, Placement, type PlacementModules, placedKey } from './placement.ts'
import { EXACT, type Region } from './region.ts'
import { covers, type Regions } from './regions.ts'

export interface AnnounceProgress {
  /** Holders of the key that has fewest. */
  readonly holders: number
  readonly wanted: number
  /** The peer that has just answered, and how many keys it took. */
  readonly peer: string
  readonly accepted: number
  readonly refused: number
}

export interface AnnounceOptions {
  /** Return when each key is held by this many peers; 0 (the default) = when it is written down. */
  readonly wait?: number
  readonly signal?: AbortSignal
  onProgress?(progress: AnnounceProgress): void
}

export interface AnnounceResult {
  /** Each key has the holders that were waited for. If not, the node goes on trying in the background. */
  readonly isComplete: boolean
  /** Peers that hold each key so far, this node not counted. */
  readonly keys: ReadonlyArray<{ key: Uint8Array; holders: readonly string[] }>
}

/** How a key was last announced. */
export interface AnnounceTrace {
  readonly atMs: number
  readonly holders: readonly string[]
  readonly refused: readonly string[]
}

export interface AnnouncerModules extends PlacementModules {
  readonly network: DiscoveryNetwork
  readonly book: PeerBook
  readonly store: ProviderStore
  readonly records: PeerRecordReader
  readonly regions: Regions
  readonly pending: PendingKeys
  readonly clock: Clock
  readonly log: Logger
  readonly onTrace: (key: Uint8Array, trace: AnnounceTrace) => void
}

/** Up to so many keys are given to the peers known locally before the lookup is made: for speed, at the price of a few
 * claims that lie a little off. */
const MAX_HASTY_KEYS = 100
/** All that the book may know. */
const ALL_PEERS = 2000
/** After a peer has come, before pending keys are announced: several mostly come together. */
const CONNECT_PAUSE_MS = 200
/** Pending keys are tried again after this, doubled up to the longest. */
const FIRST_RETRY_MS = 30 * SECOND_MS
const MAX_RETRY_MS = 15 * MINUTE_MS
/** Own claims written at once. */
const OWN_KEYS_PER_WRITE = 1000

/** Announces keys: at once when asked, and again when peers come, until each is where it should be. */
export class Announcer {
  readonly #modules: AnnouncerModules
  readonly #placement: Placement
  readonly #stopping = new AbortController()
  readonly #tasks = new Set<Promise<void>>()
  #retry: AbortController | undefined
  #retryMs = FIRST_RETRY_MS
  #isRetrying = false

  constructor(modules: AnnouncerModules) {
    this.#modules = modules
    this.#placement = new Placement(modules)
  }

  /** Begins to look after pending keys. */
  start(): void {
    this.#scheduleRetry(CONNECT_PAUSE_MS)
  }

  /** Ends what is under way; pending keys stay on disk. */
  async stop(): Promise<void> {
    this.#stopping.abort(new CatalogError('SHUTTING_DOWN', 'discovery was stopped'))
    await Promise.all(this.#tasks)
  }

  /** A peer has come: pending keys have somewhere to go. */
  peerCame(): void {
    this.#retryMs = FIRST_RETRY_MS
    if (this.#modules.pending.size > 0) this.#scheduleRetry(CONNECT_PAUSE_MS)
  }

  /**
   * Announces keys to the peers that should hold them. What was asked for is on disk before the first peer is asked; the
   * work goes on in the background after the return, and after an abort of `signal`, which ends only the wait. Throws the
   * signal's reason, LIMIT_EXCEEDED.
   */
  async announce(keys: readonly Uint8Array[], options: AnnounceOptions = {}): Promise<AnnounceResult> {
    const { wait = 0, signal, onProgress } = options
    signal?.throwIfAborted()
    if (keys.length > MAX_PENDING)
      throw new CatalogError('LIMIT_EXCEEDED', `announce at most ${MAX_PENDING} keys at once`)
    const placed = sortedKeys(keys)
    await Promise.all([this.claim(placed), this.#modules.pending.add(placed.map(({ key }) => key))])
    const fewest = (): number =>
      placed.reduce((least, { holders }) => Math.min(least, holders.size), Infinity)
    const reached = Promise.withResolvers<void>()
    const task = this.#run(placed, ({ peer, accepted, refused }) => {
      const holders = fewest()
      onProgress?.({
        holders,
        wanted: wait,
        peer: peer.id,
        accepted: accepted.length,
        refused: refused.length
      })
      if (holders >= wait) reached.resolve()
    })
    if (wait > 0) await untilAborted(Promise.race([reached.promise, task]), signal)
    return {
      isComplete: fewest() >= wait,
      keys: placed.map(({ key, holders }) => ({ key, holders: [...holders] }))
    }
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

  /**
   * Brings sorted keys to their holders, region by region: one lookup for each. `onRegion` is told after each region, for
   * progress that survives a restart.
   */
  async sweep(
    keys: readonly PlacedKey[],
    onPlaced: (placed: Placed) => void,
    onRegion: (last: PlacedKey) => Promise<void>,
    signal: AbortSignal
  ): Promise<void> {
    for (let first = 0; first < keys.length && !signal.aborted; ) {
      const region = await this.#lookup(keys[first]!, signal)
      let end = first + 1
      while (end < keys.length && covers(region, keys[end]!)) end++
      const inRegion = keys.slice(first, end)
      await this.#placement.place(inRegion, this.#peersFor(region), onPlaced, signal)
      if (!signal.aborted) await onRegion(inRegion.at(-1)!)
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

  /** Announces keys in the background; never rejects. */
  #run(keys: PlacedKey[], onPlaced: (placed: Placed) => void): Promise<void> {
    const task = this.#announce(keys, onPlaced)
      .catch((error: unknown) => {
        if (!this.#stopping.signal.aborted) this.#modules.log.error({ err: error }, 'an announcement failed')
      })
      .finally(() => this.#tasks.delete(task))
    this.#tasks.add(task)
    return task
  }

  async #announce(keys: PlacedKey[], onPlaced: (placed: Placed) => void): Promise<void> {
    const { signal } = this.#stopping
    const known = this.#knownPeers()
    if (known.length > 0) {
      const hasty =
        keys.length > MAX_HASTY_KEYS ? undefined : this.#placement.place(keys, known, onPlaced, signal)
      await Promise.all([hasty, this.sweep(keys, onPlaced, async () => undefined, signal)])
    }
    if (signal.aborted) return
    this.#traceAll(keys)
    await this.#modules.pending.settle(
      keys.map(({ key, holders }) => ({ key, holders: holders.size, isDone: holders.size >= EXACT }))
    )
    if (this.#modules.pending.size > 0) this.#scheduleRetry(this.#retryMs)
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

  /** Tries the pending keys after a while; a sooner request replaces a later one. */
  #scheduleRetry(delayMs: number): void {
    this.#retry?.abort()
    const retry = new AbortController()
    this.#retry = retry
    const signal = AbortSignal.any([retry.signal, this.#stopping.signal])
    this.#modules.clock.wait(delayMs, signal).then(
      () => this.#retryPending(),
      () => undefined
    )
  }

  #retryPending(): void {
    const { pending } = this.#modules
    if (pending.size === 0) return
    // Whoever came while an attempt runs may have been missed by it.
    if (this.#isRetrying) {
      this.#scheduleRetry(FIRST_RETRY_MS)
      return
    }
    this.#isRetrying = true
    this.#retryMs = Math.min(MAX_RETRY_MS, this.#retryMs * 2)
    void this.#run(sortedKeys(pending.all()), () => undefined).finally(() => {
      this.#isRetrying = false
    })
  }
}

/** Keys without repetitions, in the order of the key space. */
export function sortedKeys(keys: readonly Uint8Array[]): PlacedKey[] {
  const unique = new Map(keys.map(key => [keyText(key), key]))
  const origin = new Uint8Array(32)
  return [...unique.values()]
    .map(placedKey)
    .sort((a, b) => compareDistance(origin, a.kademliaId, b.kademliaId))
}

/** Resolves as `promise` does, or rejects with the signal's reason. */
function untilAborted(promise: Promise<void>, signal?: AbortSignal): Promise<void> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
