import { LruCache } from '../../base/index.ts'
import type { Slice } from '../../library/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import {
  buildSketch,
  KEPT_FROM_RECORDS,
  MAX_SKETCH_CELLS,
  Sketch,
  type SketchedRecord
} from '../sketch/index.ts'
import {
  entryCount,
  entryHash,
  entryKey,
  findRecord,
  iterateEntries,
  type StoredTree,
  type TreeChange,
  type TreeView
} from '../trie/index.ts'

/** Sketches of large libraries that are in memory, 320 KiB each. */
const MAX_KEPT = 16

interface Kept {
  /** Of the set that it is a sketch of. */
  root: Uint8Array
  readonly sketch: Sketch
}

/** Gives the first cells of a set's sketch. */
export type SketchOf = (cellCount: number) => Sketch

/**
 * The sketches of sets: built when asked for while a set is small; kept while it is large, and changed with it, as building one of a
 * million records takes a second.
 */
export class SketchCache {
  readonly #kept = new LruCache<string, Kept>({ maxEntries: MAX_KEPT })

  async of(libraryId: string, tree: StoredTree, slice: Slice): Promise<SketchOf> {
    const count = tree.top?.count ?? 0
    if (count < KEPT_FROM_RECORDS) return cells => buildSketch(recordsOf(tree), cells)
    const known = this.#kept.get(libraryId)
    const sketch =
      known !== undefined && bytesEqual(known.root, tree.root) ? known.sketch : await build(tree, slice)
    this.#kept.set(libraryId, { root: tree.root, sketch })
    // Later changes of the set are none of a session that has begun.
    const mine = sketch.prefix(sketch.cellCount)
    return cells => mine.prefix(cells)
  }

  /** Plans to follow a change of a set, which is `tree` before it; what is returned is to be called once it is committed. */
  follow(libraryId: string, tree: StoredTree, changes: readonly TreeChange[], root: Uint8Array): () => void {
    const known = this.#kept.get(libraryId)
    if (known === undefined || !bytesEqual(known.root, tree.root)) return () => undefined
    const steps = changes.map(change => ({ ...change, before: findRecord(tree, change.trieKey) }))
    return () => {
      for (const { trieKey, before, recHash } of steps) {
        if (before !== undefined) known.sketch.remove(trieKey, before)
        if (recHash !== undefined) known.sketch.add(trieKey, recHash)
      }
      known.root = root
    }
  }
}

async function build(tree: TreeView, slice: Slice): Promise<Sketch> {
  const sketch = new Sketch(MAX_SKETCH_CELLS)
  for (const { trieKey, recHash } of recordsOf(tree)) {
    sketch.add(trieKey, recHash)
    if (slice.due()) await slice.pause()
  }
  return sketch
}

function* recordsOf(tree: TreeView): Generator<SketchedRecord> {
  for (const entries of iterateEntries(tree))
    for (let at = 0; at < entryCount(entries); at++)
      yield { trieKey: entryKey(entries, at), recHash: entryHash(entries, at) }
}
