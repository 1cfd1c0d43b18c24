import { LruCache } from '../../base/index.ts'
import type { Slice } from '../../library/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import { HELLO_COUNTS } from '../reconcile/index.ts'
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

  /** `onRead` is told of the records that are gone through. */
  async of(
    libraryId: string,
    tree: StoredTree,
    slice: Slice,
    onRead: (records: number) => void = () => undefined
  ): Promise<SketchOf> {
    const count = tree.top?.count ?? 0
    const read = (cellCount: number): Promise<Sketch> => {
      onRead(count)
      return build(tree, cellCount, slice)
    }
    if (count < KEPT_FROM_RECORDS) {
      // A hello takes no more, and most sessions need nothing else.
      let longest = await read(HELLO_COUNTS)
      return cells => {
        if (cells > longest.cellCount) {
          onRead(count)
          longest = buildSketch(recordsOf(tree), cells)
        }
        return longest.prefix(cells)
      }
    }
    const known = this.#kept.get(libraryId)
    const isKept = known !== undefined && bytesEqual(known.root, tree.root)
    const sketch = isKept ? known.sketch : await read(MAX_SKETCH_CELLS)
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

async function build(tree: TreeView, cellCount: number, slice: Slice): Promise<Sketch> {
  const sketch = new Sketch(cellCount)
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
