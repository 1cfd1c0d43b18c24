import { LruCache, MIB } from '../../base/index.ts'
import { asBuffer } from './entries.ts'
import { isInterior } from './node.ts'

/** All interior nodes of a million records: there are 4,369. */
const INTERIOR_CACHE_BYTES = 4 * MIB
/** The buckets of some five thousand keys: those that change again and again. */
const BUCKET_CACHE_BYTES = 4 * MIB
/** What an entry costs beside the bytes of its node: its key, and its places in the map. */
const ENTRY_OVERHEAD_BYTES = 150

/**
 * Nodes by their hash, of all trees together. The parent of a node knows its hash, so what is found is right by its name, whatever
 * was written meanwhile, failed or was built anew; nothing has to be taken out.
 */
export class NodeCache {
  readonly #interior: LruCache<string, Uint8Array>
  readonly #buckets: LruCache<string, Uint8Array>

  /** Of either kind of nodes so many bytes at most; as above unless given. */
  constructor({ interiorBytes = INTERIOR_CACHE_BYTES, bucketBytes = BUCKET_CACHE_BYTES } = {}) {
    this.#interior = cacheOf(interiorBytes)
    this.#buckets = cacheOf(bucketBytes)
  }

  get(hash: Uint8Array): Uint8Array | undefined {
    const key = keyOf(hash)
    return this.#interior.get(key) ?? this.#buckets.get(key)
  }

  set(hash: Uint8Array, bytes: Uint8Array): void {
    const cache = isInterior(bytes) ? this.#interior : this.#buckets
    cache.set(keyOf(hash), bytes)
  }
}

const cacheOf = (maxBytes: number): LruCache<string, Uint8Array> =>
  new LruCache({ maxBytes, sizeBytes: bytes => bytes.byteLength + ENTRY_OVERHEAD_BYTES })

/** One byte a character: a third of what the same bytes cost as an array. */
const keyOf = (hash: Uint8Array): string => asBuffer(hash).toString('latin1')
