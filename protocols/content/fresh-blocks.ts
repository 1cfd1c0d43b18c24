import { CatalogError } from '../../base/index.ts'
import { type BlockId, type ContentStore, idKey } from '../../library/index.ts'

/** Blocks written and not yet seen in the index; a stage of the store holds 8 MiB, so more means that it is stuck. */
const MAX_FRESH = 65_536
/** Index look-ups for each block that is added: the oldest leave faster than new ones come, in no noticeable time. */
const LOOKUPS_PER_ADD = 2

/**
 * Blocks between `writeBlocks` and the index. The store commits them in stages, and until then neither finds nor reads
 * them; what is in here must not be asked for again. Each block leaves when the index has it: so nothing that was
 * fetched is ever taken for stored without having been seen there, even if the failure of a stage was told to
 * somebody else who wrote at the same time.
 */
export class FreshBlocks {
  readonly #store: Pick<ContentStore, 'hasBlock' | 'flush'>
  /** Insertion order is the order in which stages commit. */
  readonly #ids = new Map<string, BlockId>()

  constructor(store: Pick<ContentStore, 'hasBlock' | 'flush'>) {
    this.#store = store
  }

  has(key: string): boolean {
    return this.#ids.has(key)
  }

  /** Takes blocks that were just written. */
  async add(ids: readonly BlockId[], signal?: AbortSignal): Promise<void> {
    for (const id of ids) this.#ids.set(idKey(id), id)
    this.#sweep(ids.length * LOOKUPS_PER_ADD)
    if (this.#ids.size > MAX_FRESH) await this.flush(signal)
  }

  /** Has everything written so far committed, and checks that it is there. */
  async flush(signal?: AbortSignal): Promise<void> {
    await this.#store.flush(signal)
    const before = this.#ids.size
    this.#sweep(Number.POSITIVE_INFINITY)
    if (this.#ids.size > 0)
      throw new CatalogError('DISK_IO', `${this.#ids.size} of ${before} blocks did not reach the store`)
  }

  #sweep(limit: number): void {
    let lookups = 0
    for (const [key, id] of this.#ids) {
      if (lookups++ >= limit || !this.#store.hasBlock(id)) return
      this.#ids.delete(key)
    }
  }
}
