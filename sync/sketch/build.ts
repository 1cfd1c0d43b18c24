import { Sketch } from './sketch.ts'

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

/** The first `cellCount` cells of the sketch of these records. */
export function buildSketch(records: Iterable<SketchedRecord>, cellCount: number): Sketch {
  const sketch = new Sketch(cellCount)
  for (const { trieKey, recHash } of records) sketch.add(trieKey, recHash)
  return sketch
}
