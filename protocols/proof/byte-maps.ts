import type { CID } from 'multiformats/cid'
import type { Registry as MetricsRegistry } from 'prom-client'
import { CatalogError, LruCache, Semaphore, showQueue, untilAborted } from '../../base/index.ts'
import type { BlockSource, ContentStore } from '../../library/index.ts'
import { type ByteMap, mapBytes } from './byte-map.ts'
import { MAP_CACHE_BYTES, MAX_MAPS_WAITING } from './limits.ts'

export interface ByteMapsModules {
  readonly store: Pick<ContentStore, 'hasBlock' | 'readBlock' | 'summary'>
  readonly metrics?: MetricsRegistry | undefined
}

/** The maps of contents that are whole here, made when they are first needed: one at a time, as all pages are read for it. */
export class ByteMaps {
  readonly #modules: ByteMapsModules
  readonly #kept = new LruCache<string, ByteMap>({
    maxBytes: MAP_CACHE_BYTES,
    sizeBytes: map => map.memoryBytes
  })
  readonly #coming = new Map<string, Promise<ByteMap>>()
  readonly #turns = new Semaphore({ name: 'maps of contents', maxActive: 1, maxWaiting: MAX_MAPS_WAITING })
  #stopping = new AbortController()

  constructor(modules: ByteMapsModules) {
    this.#modules = modules
    showQueue(modules.metrics, this.#turns)
  }

  /** CONTENT_MISSING unless it is whole, BUSY. Who gives up waiting finds the map the next time: it is made all the same. */
  async of(content: CID, signal: AbortSignal): Promise<ByteMap> {
    const key = content.toString()
    const kept = this.#kept.get(key)
    if (kept !== undefined) return kept
    const coming = this.#coming.get(key) ?? this.#begin(key, content)
    return await untilAborted(coming, signal)
  }

  /** Ends what is being made; who waits for it is told SHUTTING_DOWN. */
  async stop(): Promise<void> {
    this.#stopping.abort(new CatalogError('SHUTTING_DOWN', 'maps of contents are not made any more'))
    this.#stopping = new AbortController()
    await Promise.allSettled(this.#coming.values())
  }

  #begin(key: string, content: CID): Promise<ByteMap> {
    const { signal } = this.#stopping
    const coming = this.#turns.run(() => this.#make(content, signal), signal)
    this.#coming.set(key, coming)
    coming
      .then(map => this.#kept.set(key, map))
      // Whoever waits for it is told; perhaps nobody does any more.
      .catch(() => undefined)
      .finally(() => this.#coming.delete(key))
    return coming
  }

  async #make(content: CID, signal: AbortSignal): Promise<ByteMap> {
    const { store } = this.#modules
    const summary = store.summary(content)
    if (summary === undefined)
      throw new CatalogError('CONTENT_MISSING', `the content ${content} is not whole here`)
    return await mapBytes(sourceOf(store), content, summary.sizeBytes, signal)
  }
}

const sourceOf = (store: ByteMapsModules['store']): BlockSource => ({
  has: id => store.hasBlock(id),
  read: (id, signal) => store.readBlock(id, signal)
})
