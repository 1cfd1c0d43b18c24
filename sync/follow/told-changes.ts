import type { DatabaseReader } from '../../library/index.ts'
import { MAX_TOLD_CHANGES } from '../../protocols/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import { type Head, MAX_LOGGED_HEADS, readChanges } from '../heads/index.ts'
import { findRecord, type TreeChange, type TreeView } from '../trie/index.ts'

/** Which head of a writer. */
export type HeadPlace = Pick<Head, 'epoch' | 'revision'>

/**
 * What has changed in a set of this node's since one of its heads, one change for each key, in steps of one head or one key; undefined where
 * the log does not say it, or it is more than is told, or not what the set is now. What stands in the log is looked up in the tree, so that
 * nothing is told of a record that is not here. Throws CONTENT_CORRUPT.
 */
export function* changesSince(
  { reader, tree, head }: { reader: DatabaseReader; tree: TreeView; head: Head },
  since: HeadPlace
): Generator<void, TreeChange[] | undefined> {
  const heads = head.revision - since.revision
  if (since.epoch !== head.epoch || heads <= 0 || heads > MAX_LOGGED_HEADS) return undefined
  const changes = new Map<string, TreeChange>()
  let logged = 0
  for (let revision = since.revision + 1; revision <= head.revision; revision++) {
    const row = readChanges(reader, head.library, revision)
    logged += row?.length ?? 0
    if (row === undefined || logged > MAX_TOLD_CHANGES) return undefined
    for (const change of row) changes.set(Buffer.from(change.trieKey).toString('latin1'), change)
    yield
  }
  for (const { trieKey, recHash } of changes.values()) {
    if (!isSame(findRecord(tree, trieKey), recHash)) return undefined
    yield
  }
  return [...changes.values()]
}

const isSame = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a === undefined || b === undefined ? a === b : bytesEqual(a, b)
