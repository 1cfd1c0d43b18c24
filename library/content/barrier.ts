/**
 * What keeps a collection and the writer out of each other's way. Whoever stores a block that is here already relies on it
 * from then on, though nothing names it yet; and the writer must not rely on a block whose deletion is on its way to the
 * index. So while somebody holds a lease (a collection, an ingest) every block that is put is remembered, and the ids of
 * the batch that is being deleted are known. Both are looked at and changed within one turn of the event loop, which is
 * what makes them exact.
 */
import { idKey } from './blocks.ts'
import { LiveSet } from './live-set.ts'
import type { BlockId } from './types.ts'

export class Barrier {
  #leases = 0
  #touched: LiveSet | undefined
  readonly #going = new Set<string>()

  /** From now on, until the returned function is called, what is put stays. */
  lease(): () => void {
    this.#leases++
    this.#touched ??= new LiveSet()
    let held = true
    return () => {
      if (!held) return
      held = false
      if (--this.#leases === 0) this.#touched = undefined
    }
  }

  /** A block is put. False when its copy in the index is on its way out, and it must be written anew. */
  touch(id: BlockId): boolean {
    this.#touched?.add(id)
    return this.#going.size === 0 || !this.#going.has(idKey(id))
  }

  isTouched(id: BlockId): boolean {
    return this.#touched?.has(id) === true
  }

  /** Those of the blocks that nobody relies on; from now on nobody can, until `gone`. */
  claim<B extends { id: BlockId }>(blocks: readonly B[]): B[] {
    const free = blocks.filter(({ id }) => !this.isTouched(id))
    for (const { id } of free) this.#going.add(idKey(id))
    return free
  }

  /** Their deletion is over, or has failed. */
  gone(): void {
    this.#going.clear()
  }
}
