/**
 * The blocks of a content that is being fetched: whoever needs one that is not here yet waits until it is, or until the fetch has
 * ended. A fetch goes through a content in the order of its manifest, so a reader in that order follows close behind.
 */
import { type CatalogError, type Signpost, toCatalogError } from '../../base/index.ts'
import type { TarBlocks } from './export.ts'
import type { BlockReader } from './reader.ts'
import type { BlockLocation } from './record.ts'
import type { BlockId } from './types.ts'

export interface ArrivingModules {
  readonly reader: BlockReader
  /** Shown whenever blocks have been committed. */
  readonly committed: Signpost
  /** The fetch; rejects as it fails. */
  readonly fetched: Promise<unknown>
}

export class ArrivingBlocks implements TarBlocks {
  readonly #reader: BlockReader
  readonly #committed: Signpost
  readonly #signal: AbortSignal | undefined
  #isOver = false
  #failure: CatalogError | undefined

  constructor({ reader, committed, fetched }: ArrivingModules, signal?: AbortSignal) {
    this.#reader = reader
    this.#committed = committed
    this.#signal = signal
    const wake = (): void => committed.show()
    signal?.addEventListener('abort', wake, { once: true })
    fetched
      .catch((thrown: unknown) => {
        this.#failure = toCatalogError(thrown)
      })
      .finally(() => {
        this.#isOver = true
        signal?.removeEventListener('abort', wake)
        wake()
      })
  }

  has(id: BlockId): boolean {
    return this.#reader.has(id)
  }

  locate(id: BlockId): BlockLocation | undefined {
    return this.#reader.locate(id)
  }

  /** Where it stands, once it is here; undefined when the fetch has ended without it. Rejects as the fetch fails. */
  async arrival(id: BlockId): Promise<BlockLocation | undefined> {
    for (;;) {
      this.#signal?.throwIfAborted()
      if (this.#failure !== undefined) throw this.#failure
      // Asked for before it is looked whether the fetch is over: what came last must not be missed.
      const isOver = this.#isOver
      const location = this.#reader.locate(id)
      if (location !== undefined || isOver) return location
      await this.#committed.shown()
    }
  }

  async read(id: BlockId, signal?: AbortSignal): Promise<Uint8Array> {
    if (!this.#reader.has(id)) await this.arrival(id)
    return await this.#reader.read(id, signal)
  }

  readRun(segment: number, targets: Uint8Array[], offsetBytes: number): Promise<boolean> {
    return this.#reader.readRun(segment, targets, offsetBytes)
  }

  countRead(bytes: number): void {
    this.#reader.countRead(bytes)
  }
}
