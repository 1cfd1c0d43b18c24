import { Sketch } from './sketch.ts'
import { MAX_SKETCH_CELLS } from './wire.ts'

/**
 * Records from which the sketch of a set is kept in memory. Below, building it takes some 30 ms at most and a node that follows 1,000
 * small libraries keeps nothing for them; above, 320 KiB are little beside the set.
 */
export const KEPT_FROM_RECORDS = 32_768

/** A record of a set, as its trie has it. */
export interface SketchedRecord {
  readonly trieKey: Uint8Array
  readonly recHash: Uint8Array
}

/** What happened under one key of a set; without `recHash` the record went, without `before` it is new. */
export interface SketchChange {
  readonly trieKey: Uint8Array
  readonly before: Uint8Array | undefined
  readonly recHash: Uint8Array | undefined
}

/**
 * The sketch of one set: kept in step with it while the set is large, built when asked for while it is small. Whoever
 * changes the set says so here, in the same moment, or the sketch is one of another set; it would mislead nobody, since it is a hint, and help nobody.
 */
export class SetSketch {
  #kept: Sketch | undefined

  /** Whether it is in memory now. */
  get isKept(): boolean {
    return this.#kept !== undefined
  }

  /** Follows a change of the set, which has `recordCount` records after it. */
  update(changes: Iterable<SketchChange>, recordCount: number): void {
    if (recordCount < KEPT_FROM_RECORDS) this.#kept = undefined
    if (this.#kept === undefined) return
    for (const { trieKey, before, recHash } of changes) {
      if (before !== undefined) this.#kept.remove(trieKey, before)
      if (recHash !== undefined) this.#kept.add(trieKey, recHash)
    }
  }

  /**
   * A copy of the first `cellCount` cells. `records` are those of the set, `recordCount` of them; they are read when nothing is kept.
   */
  prefix(cellCount: number, records: Iterable<SketchedRecord>, recordCount: number): Sketch {
    if (this.#kept !== undefined) return this.#kept.prefix(cellCount)
    if (recordCount < KEPT_FROM_RECORDS) return buildSketch(records, cellCount)
    this.#kept = buildSketch(records, MAX_SKETCH_CELLS)
    return this.#kept.prefix(cellCount)
  }
}

/** The first `cellCount` cells of the sketch of these records. */
export function buildSketch(records: Iterable<SketchedRecord>, cellCount: number): Sketch {
  const sketch = new Sketch(cellCount)
  for (const { trieKey, recHash } of records) sketch.add(trieKey, recHash)
  return sketch
}
