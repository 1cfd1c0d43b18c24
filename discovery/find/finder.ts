import type { PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Registry as MetricsRegistry } from 'prom-client'
import { CatalogError, type Logger, plural, Semaphore, showQueue } from '../../base/index.ts'
import { kademliaId, keyText } from '../keys.ts'
import type { FindReply } from '../network.ts'
import type { Contact } from '../peers/contact.ts'
import type { PeerRecordReader } from '../peers/peer-record.ts'
import type { ProviderStore } from '../providers/store.ts'
import type { NegativeCache } from './negative-cache.ts'
import { type Asked, Walk, type WalkModules } from './walk.ts'

/** A node that claims to hold what was asked for. Whether it does, only asking it can tell. */
export interface Holder {
  readonly peerId: PeerId
  /** Signed by the holder itself; may be empty for a node that cannot be dialled. */
  readonly addresses: readonly Multiaddr[]
  /** Age of its claim. */
  readonly ageMs: number
  /** `local`: this node's own records (and this node itself); else the peer id of the node that told. */
  readonly source: string
}

export interface FindOptions {
  readonly signal?: AbortSignal
  /** Holders at most, 1 to MAX_HOLDERS. */
  readonly max?: number
}

/** How a key was last looked for. */
export interface FindTrace {
  readonly atMs: number
  readonly tookMs: number
  readonly local: number
  readonly asked: readonly Asked[]
  readonly holders: readonly string[]
}

export interface FinderModules extends WalkModules {
  readonly store: ProviderStore
  readonly records: PeerRecordReader
  readonly negative: NegativeCache
  readonly log: Logger
  /** Puts holders (peer ids) that are there at the same time in order, best first; as they came unless given. */
  readonly order?: (peerIds: readonly string[]) => string[]
  /** Told after each search. */
  readonly onTrace: (key: Uint8Array, trace: FindTrace) => void
  readonly metrics?: MetricsRegistry | undefined
}

/** Holders of one search: a consumer tries a few, not hundreds. */
export const MAX_HOLDERS = 64
/** Searches at once, and that wait. One whose consumer is busy with a holder keeps its place and asks nobody. */
const MAX_ACTIVE = 256
const MAX_WAITING = 1024
/** Bytes of peer records read from the local store for one search. */
const MAX_LOCAL_BYTES = 64 * 1024

/** State of one search, shared by its walk and its consumer. */
interface Search {
  readonly key: Uint8Array
  readonly max: number
  readonly startedMs: number
  readonly seen: Set<string>
  readonly queue: Holder[]
  readonly asked: Asked[]
  local: number
  /** Answers that were taken in, and how many of them have signatures yet to be checked. */
  readonly taking: Promise<void>[]
  checking: number
  /** The consumer waits for more than it was given. */
  isWanted: boolean
  wake: (() => void) | undefined
}

/**
 * Finds holders of a key: the node's own records first, then connected peers, then the walk through the DHT, each begun when
 * the one before has not brought enough. The search is driven by its consumer: as soon as there is a holder no further
 * question is asked, until the consumer asks for another one because the first was no good; when it stops, all that is in
 * flight is aborted.
 */
export class Finder {
  readonly #modules: FinderModules
  readonly #places = new Semaphore({ name: 'searches', maxActive: MAX_ACTIVE, maxWaiting: MAX_WAITING })

  constructor(modules: FinderModules) {
    this.#modules = modules
    showQueue(modules.metrics, this.#places)
  }

  /** Throws NO_PROVIDERS when nobody claims the key, NO_PEERS when there was nobody to ask either, BUSY, or the signal's reason. */
  async *find(key: Uint8Array, options: FindOptions = {}): AsyncGenerator<Holder, void, undefined> {
    const release = await this.#places.acquire(options.signal)
    const search = this.#newSearch(key, options)
    try {
      await this.#askLocal(search, options.signal)
      yield* this.#deliver(search)
      if (search.seen.size < search.max) yield* this.#askPeers(search, options.signal)
    } finally {
      this.#trace(search)
      release()
    }
  }

  #newSearch(key: Uint8Array, { max = MAX_HOLDERS }: FindOptions): Search {
    return {
      key,
      max: Math.min(Math.max(1, max), MAX_HOLDERS),
      startedMs: this.#modules.clock.monotonicMs(),
      seen: new Set(),
      queue: [],
      asked: [],
      taking: [],
      checking: 0,
      local: 0,
      isWanted: false,
      wake: undefined
    }
  }

  async #askLocal(search: Search, signal?: AbortSignal): Promise<void> {
    const { store, clock, log } = this.#modules
    const bounds = { maxProviders: search.max, maxBytes: MAX_LOCAL_BYTES }
    for (const { peerRecord, receivedAt } of await store.get(search.key, bounds, signal)) {
      try {
        await this.#offer(search, peerRecord, clock.now() - receivedAt, 'local')
        search.local++
      } catch (error) {
        log.warn({ err: error, key: keyText(search.key) }, 'a stored peer record cannot be read')
      }
    }
  }

  async *#askPeers(search: Search, signal?: AbortSignal): AsyncGenerator<Holder, void, undefined> {
    const { negative } = this.#modules
    const missingMs = negative.remainingMs(search.key)
    const { generation } = negative
    if (missingMs > 0) {
      if (search.seen.size > 0) return
      throw noProviders(search, 'nobody held it a moment ago', missingMs)
    }
    const stop = new AbortController()
    const stopped = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal])
    const walk = this.#newWalk(search)
    let isOver = false
    const walking = walk
      .run(stopped)
      .then(() => Promise.all(search.taking))
      .finally(() => {
        isOver = true
        search.wake?.()
      })
    // An error of the walk is a bug: it is thrown below, at `await walking`, also when the consumer leaves before.
    walking.catch(() => undefined)
    try {
      while (search.queue.length > 0 || !isOver) {
        yield* this.#deliver(search)
        if (search.seen.size >= search.max) return
        if (!isOver) await this.#more(search, walk)
      }
      await walking
      signal?.throwIfAborted()
    } finally {
      stop.abort()
    }
    if (search.seen.size > 0) return
    if (walk.asked === 0) throw new CatalogError('NO_PEERS', 'there is no peer to ask who holds it')
    if (walk.answered > 0) negative.add(search.key, generation)
    throw noProviders(search, `${walk.answered} of ${plural(walk.asked, 'peer')} answered`, 0)
  }

  #newWalk(search: Search): Walk {
    const walk = new Walk(this.#modules, {
      key: search.key,
      target: kademliaId(search.key),
      mayAsk: () => search.checking === 0 && (search.seen.size === 0 || search.isWanted),
      onAsked: asked => search.asked.push(asked),
      onProviders: (reply, peer) => {
        search.checking++
        const take = this.#take(search, reply, peer).finally(() => {
          search.checking--
          walk.poke()
        })
        search.taking.push(take)
      }
    })
    return walk
  }

  /** Checks the providers of an answer and offers the good ones; a peer that tells unsigned ones is left alone. */
  async #take(search: Search, reply: FindReply, peer: Contact): Promise<void> {
    const { book, log } = this.#modules
    for (const { peerRecord, ageMs } of reply.providers) {
      try {
        await this.#offer(search, peerRecord, ageMs, peer.id)
      } catch (error) {
        book.failed(peer)
        log.debug({ err: error, peer: peer.id }, 'a peer told a provider whose record is not good')
      }
    }
  }

  async #offer(search: Search, peerRecord: Uint8Array, ageMs: number, source: string): Promise<void> {
    const { peerId, addresses } = await this.#modules.records.open(peerRecord)
    const id = peerId.toString()
    const isSelf = peerId.equals(this.#modules.network.self)
    // What others tell about this node is old news: its own store knows what it announces.
    if (search.seen.has(id) || search.seen.size >= search.max || (isSelf && source !== 'local')) return
    search.seen.add(id)
    search.queue.push({ peerId, addresses, ageMs: Math.max(0, ageMs), source })
    search.wake?.()
  }

  /** All that are here, in batches: what comes while one is being taken is put in order by itself. */
  *#deliver({ queue }: Search): Generator<Holder, void, undefined> {
    while (queue.length > 0) yield* this.#inOrder(queue.splice(0))
  }

  #inOrder(holders: readonly Holder[]): readonly Holder[] {
    const { order } = this.#modules
    if (order === undefined || holders.length < 2) return holders
    const byId = new Map(holders.map(holder => [holder.peerId.toString(), holder]))
    return order([...byId.keys()]).map(id => byId.get(id)!)
  }

  /** The consumer has taken all there is and wants more: the walk goes on until something comes. */
  async #more(search: Search, walk: Walk): Promise<void> {
    const came = new Promise<void>(resolve => {
      search.wake = resolve
    })
    search.isWanted = true
    walk.poke()
    await came
    search.isWanted = false
    search.wake = undefined
  }

  #trace(search: Search): void {
    const { clock, onTrace } = this.#modules
    onTrace(search.key, {
      atMs: clock.now(),
      tookMs: Math.round(clock.monotonicMs() - search.startedMs),
      local: search.local,
      asked: search.asked,
      holders: [...search.seen]
    })
  }
}

const noProviders = ({ key }: Search, because: string, retryAfterMs: number): CatalogError =>
  new CatalogError('NO_PROVIDERS', `nobody announces it: ${because}`, {
    details: { key: keyText(key), ...(retryAfterMs > 0 ? { retryAfterMs: Math.ceil(retryAfterMs) } : {}) }
  })
