import type { Registry as MetricsRegistry } from 'prom-client'
import { type Clock, type Logger, SECOND_MS, Semaphore, showQueue, toCatalogError } from '../../base/index.ts'
import { Verdict } from '../../protocols/index.ts'
import { compareDistance } from '../distance.ts'
import { kademliaId, keyText } from '../keys.ts'
import type { DiscoveryNetwork } from '../network.ts'
import type { PeerBook } from '../peers/book.ts'
import type { Contact } from '../peers/contact.ts'
import { CLAIM_LIFETIME_MS } from '../providers/limits.ts'
import type { Refusals } from './refusals.ts'
import { holdersFor } from './region.ts'

/** A key on its way to its holders. */
export interface PlacedKey {
  readonly key: Uint8Array
  readonly text: string
  readonly kademliaId: Uint8Array
  /** Peers that acknowledged it in this announcement. */
  readonly holders: Set<string>
  /** Peers that were given it, whatever they said, so that no peer is given it twice. */
  readonly given: Set<string>
}

export const placedKey = (key: Uint8Array): PlacedKey => ({
  key,
  text: keyText(key),
  kademliaId: kademliaId(key),
  holders: new Set(),
  given: new Set()
})

/** Keys without repetitions, in the order of the key space. */
export function sortedKeys(keys: readonly Uint8Array[]): PlacedKey[] {
  const unique = new Map(keys.map(key => [keyText(key), key]))
  const origin = new Uint8Array(32)
  return [...unique.values()]
    .map(placedKey)
    .sort((a, b) => compareDistance(origin, a.kademliaId, b.kademliaId))
}

export interface PlacementModules {
  readonly network: DiscoveryNetwork
  readonly book: PeerBook
  readonly refusals: Refusals
  readonly clock: Clock
  readonly log: Logger
  readonly metrics?: MetricsRegistry | undefined
}

/** How one peer answered one announcement; of one that is late a second time, when it answers after all. */
export interface Placed {
  readonly peer: Contact
  readonly accepted: readonly PlacedKey[]
  readonly refused: readonly PlacedKey[]
  readonly error?: unknown
}

/** Who hears of one peer. */
interface Told {
  onAnswer(verdicts: readonly Verdict[]): void
  onFailed(error: unknown): void
}

/** Peers that are sent claims at once, over all announcements: enough to hide round trips, not a burst of dials. */
const PARALLEL_PEERS = 20
/** Replacements for holders that refused or failed: the next nearest, so many times. */
const MAX_ROUNDS = 3
/** A peer that has not acknowledged in this time, and a millisecond more for each key, is taken to have failed. */
const PROVIDE_TIMEOUT_MS = 5 * SECOND_MS
const TIMEOUT_PER_KEY_MS = 1
/**
 * So much later its answer still counts: whoever waits for holders hopes for as long after an attempt, so a slow peer is not
 * asked in vain. What is under way so late is three times PARALLEL_PEERS at most.
 */
export const LATE_ANSWER_MS = 10 * SECOND_MS

/**
 * Brings keys to the peers that should hold them: each key to its REPLICAS nearest of the peers given, all keys of one peer
 * in one stream. Whoever refuses a key, fails or is late is scored down for it, and the next nearest gets it in its place.
 */
export class Placement {
  readonly #modules: PlacementModules
  readonly #places = new Semaphore({
    name: 'announcements',
    maxActive: PARALLEL_PEERS,
    // Each announcement waits with as many peers as it has holders; their number is bounded by its callers.
    maxWaiting: 100_000
  })

  constructor(modules: PlacementModules) {
    this.#modules = modules
    showQueue(modules.metrics, this.#places)
  }

  /** Places the keys among `peers`; `onPlaced` is told of each peer's answer. Ends early, without an error, on abort. */
  async place(
    keys: readonly PlacedKey[],
    peers: readonly Contact[],
    onPlaced: (placed: Placed) => void,
    signal: AbortSignal
  ): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS && !signal.aborted; round++) {
      const batches = this.#batches(keys, peers)
      if (batches.length === 0) return
      await Promise.all(batches.map(batch => this.#send(batch, onPlaced, signal)))
    }
  }

  /** What each peer is to be given now: keys that have fewer holders than they should and that it was not given. */
  #batches(
    keys: readonly PlacedKey[],
    peers: readonly Contact[]
  ): Array<{ peer: Contact; keys: PlacedKey[] }> {
    const { book, refusals } = this.#modules
    const usable = peers.filter(peer => !book.isPaused(peer.id))
    const batches = new Map<string, { peer: Contact; keys: PlacedKey[] }>()
    for (const key of keys) {
      const failed = (peer: Contact): boolean =>
        refusals.has(key.text, peer.id) || (key.given.has(peer.id) && !key.holders.has(peer.id))
      for (const peer of holdersFor(key.kademliaId, usable, candidate => !failed(candidate))) {
        if (key.given.has(peer.id)) continue
        const batch = batches.get(peer.id) ?? { peer, keys: [] }
        batch.keys.push(key)
        batches.set(peer.id, batch)
      }
    }
    return [...batches.values()]
  }

  async #send(
    { peer, keys }: { peer: Contact; keys: PlacedKey[] },
    onPlaced: (placed: Placed) => void,
    signal: AbortSignal
  ): Promise<void> {
    for (const key of keys) key.given.add(peer.id)
    const onFailed = (error: unknown): void => {
      if (signal.aborted) return
      this.#failed(peer, error)
      onPlaced({ peer, accepted: [], refused: keys, error })
    }
    const onAnswer = (verdicts: readonly Verdict[]): void => {
      this.#modules.book.answered(peer)
      const accepted = keys.filter((_, i) => verdicts[i] === Verdict.Accepted)
      const refused = keys.filter((_, i) => verdicts[i] !== Verdict.Accepted)
      for (const key of accepted) key.holders.add(peer.id)
      for (const key of refused) this.#modules.refusals.add(key.text, peer.id)
      onPlaced({ peer, accepted, refused })
    }
    try {
      await this.#places.run(() => this.#provide(peer, keys, { onAnswer, onFailed }, signal), signal)
    } catch (error) {
      onFailed(error)
    }
  }

  /** Resolves with the answer, or when it is late: then it has failed, and its answer is told when it comes. Never rejects. */
  async #provide(peer: Contact, keys: PlacedKey[], told: Told, signal: AbortSignal): Promise<void> {
    const { network, clock } = this.#modules
    const [over, done] = [new AbortController(), new AbortController()]
    const timeoutMs = PROVIDE_TIMEOUT_MS + keys.length * TIMEOUT_PER_KEY_MS
    let isLate = false
    const late = clock.wait(timeoutMs, done.signal).then(
      () => {
        isLate = true
        told.onFailed(new DOMException(`no acknowledgement in ${timeoutMs} ms`, 'TimeoutError'))
        clock.wait(LATE_ANSWER_MS, done.signal).then(
          () => over.abort(),
          () => undefined
        )
      },
      () => undefined
    )
    const call = { keys: keys.map(({ key }) => key), lifetimeMs: CLAIM_LIFETIME_MS }
    const answer = network
      .provide(peer, call, AbortSignal.any([signal, over.signal]))
      .then(told.onAnswer)
      .catch(error => {
        if (!isLate) told.onFailed(error)
      })
      .finally(() => done.abort())
    await Promise.race([answer, late])
  }

  #failed(peer: Contact, error: unknown): void {
    const { code, message } = toCatalogError(error)
    // A busy peer works: it is only given no more for the moment.
    if (code !== 'BUSY') this.#modules.book.failed(peer)
    this.#modules.log.debug(
      { peer: peer.id, code, reason: message },
      'a peer did not take what was announced'
    )
  }
}
