import {
  entryCount,
  entryHash,
  entryKey,
  iterateEntries,
  type SketchedRecord,
  type TreeView
} from '../../sync/index.ts'

/** What a tree says of its records, by trieKey. */
export function* listRecords(tree: TreeView): Generator<SketchedRecord> {
  for (const entries of iterateEntries(tree))
    for (let at = 0; at < entryCount(entries); at++)
      yield { trieKey: entryKey(entries, at), recHash: entryHash(entries, at) }
}
