import type { SketchedRecord } from '../sketch/index.ts'
import { entryCount, entryHash, entryKey, iterateEntries, type Path, type TreeView } from '../trie/index.ts'
import { hasBit } from './columns.ts'

/** Records of the own set that the other side lacks: of those below a path, in order, the ones whose bits are set. */
export interface Offer {
  readonly path: Path
  readonly chosen: Uint8Array
}

/** The records of offers whose paths lie beside each other, by trieKey; read as they are asked for. */
export function* offeredRecords(view: TreeView, offers: readonly Offer[]): Generator<SketchedRecord> {
  const inOrder = offers.toSorted((a, b) => (a.path < b.path ? -1 : 1))
  for (const { path, chosen } of inOrder) {
    let index = 0
    for (const entries of iterateEntries(view, { under: path }))
      for (let at = 0; at < entryCount(entries); at++, index++)
        if (hasBit(chosen, index)) yield { trieKey: entryKey(entries, at), recHash: entryHash(entries, at) }
  }
}
