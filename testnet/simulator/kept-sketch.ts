import { buildSketch, MAX_SKETCH_CELLS, type Sketch, type StoredTree } from '../../sync/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import { listRecords } from './tree-records.ts'

/** What happened under one key of a set; without `recHash` the record went, without `before` it is new. */
export interface SketchChange {
  readonly trieKey: Uint8Array
  readonly before: Uint8Array | undefined
  readonly recHash: Uint8Array | undefined
}

/**
 * The sketch of a node's set, kept in step with it: the product builds those of small sets anew for every session, which a simulation
 * has ten thousands of.
 */
export class KeptSketch {
  #kept: { readonly root: Uint8Array; readonly sketch: Sketch } | undefined

  /** Of the set that `tree` is of, which later changes do not touch. */
  of(tree: StoredTree): Sketch {
    if (this.#kept === undefined || !bytesEqual(this.#kept.root, tree.root))
      this.#kept = { root: tree.root, sketch: buildSketch(listRecords(tree), MAX_SKETCH_CELLS) }
    return this.#kept.sketch.prefix(MAX_SKETCH_CELLS)
  }

  /** A set with the root `before` has changed to one with the root `after`. */
  follow(changes: readonly SketchChange[], before: Uint8Array, after: Uint8Array): void {
    if (this.#kept === undefined || !bytesEqual(this.#kept.root, before)) return
    const { sketch } = this.#kept
    for (const change of changes) {
      if (change.before !== undefined) sketch.remove(change.trieKey, change.before)
      if (change.recHash !== undefined) sketch.add(change.trieKey, change.recHash)
    }
    this.#kept = { root: after, sketch }
  }
}
