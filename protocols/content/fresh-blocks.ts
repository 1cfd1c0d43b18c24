import { CatalogError } from '../../base/index.ts'
import { type BlockId, type ContentStore, idKey, type Receive } from '../../library/index.ts'

/** Blocks written and not yet seen in the index; a stage of the store holds 8 MiB, so more means that it is stuck. */
const MAX_FRESH = 65_536
/** Index look-ups for each block that is added: the oldest leave faster than new ones come, in no noticeable time. */
const LOOKUPS_PER_ADD = 2
/** Places of the release that wait for a block to be committed; a release of more twins is told to have fewer of them. */
const MAX_WAITING = 65_536

/** A run of bytes of the release. */
export interface Range {
  readonly offsetBytes: number
  readonly lengthBytes: number
}

export interface FreshBlocksModules {
  readonly store: Pick<ContentStore, 'hasBlock'>
  readonly receive: Pick<Receive, 'flush'>
}

/**
 * Blocks between `writeBlocks` and the index. The store commits them in stages, and until then neither finds nor reads
 * them; what is in here must not be asked for again. Each block leaves when the index has it: so nothing that was
 * fetched is ever taken for stored without having been seen there, whatever became of the worker meanwhile.
 */
export class FreshBlocks {
  readonly #modules: FreshBlocksModules
  readonly #onCommitted: (range: Range) => void
  /** Insertion order is the order in which stages commit. */
  readonly #ids = new Map<string, BlockId>()
  /** Where in the release the blocks stand that are not committed, those that are still asked for included. */
  readonly #ranges = new Map<string, Range[]>()
  #waiting = 0

  constructor(modules: FreshBlocksModules, onCommitted: (range: Range) => void) {
    this.#modules = modules
    this.#onCommitted = onCommitted
  }

  has(key: string): boolean {
    return this.#ids.has(key)
  }

  get isEmpty(): boolean {
    return this.#ids.size === 0
  }

  /** Tells of this range when its block is committed. */
  tell(key: string, range: Range): void {
    if (this.#waiting >= MAX_WAITING) return
    this.#waiting++
    const ranges = this.#ranges.get(key)
    if (ranges === undefined) this.#ranges.set(key, [range])
    else ranges.push(range)
  }

  /** Takes blocks that were just written. */
  async add(ids: readonly BlockId[], signal?: AbortSignal): Promise<void> {
    for (const id of ids) this.#ids.set(idKey(id), id)
    this.#sweep(ids.length * LOOKUPS_PER_ADD)
    if (this.#ids.size > MAX_FRESH) await this.flush(signal)
  }

  /** Has everything written so far committed, and checks that it is there. */
  async flush(signal?: AbortSignal): Promise<void> {
    const written = [...this.#ids.keys()]
    await this.#modules.receive.flush(signal)
    this.#sweep(Number.POSITIVE_INFINITY)
    // What others have written meanwhile may be of the next stage.
    const lost = written.filter(key => this.#ids.has(key)).length
    if (lost > 0)
      throw new CatalogError('DISK_IO', `${lost} of ${written.length} blocks did not reach the store`)
  }

  #sweep(limit: number): void {
    let lookups = 0
    for (const [key, id] of this.#ids) {
      if (lookups++ >= limit || !this.#modules.store.hasBlock(id)) return
      this.#ids.delete(key)
      this.#committed(key)
    }
  }

  #committed(key: string): void {
    const ranges = this.#ranges.get(key)
    if (ranges === undefined) return
    this.#ranges.delete(key)
    this.#waiting -= ranges.length
    for (const range of ranges) this.#onCommitted(range)
  }
}

/** Verified bytes of blocks that are wanted again before they can be read from the store, up to a limit. */
export class KeptBlocks {
  readonly #maxBytes: number
  readonly #blocks = new Map<string, Uint8Array>()
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get(key: string): Uint8Array | undefined {
    return this.#blocks.get(key)
  }

  keep(id: BlockId, raw: Uint8Array): void {
    if (this.#bytes + raw.byteLength > this.#maxBytes) return
    this.#blocks.set(idKey(id), raw)
    this.#bytes += raw.byteLength
  }
}
