import { CatalogError } from '../../base/index.ts'
import { accessListKey } from '../../library/index.ts'
import { findRecord, type TreeView } from '../trie/index.ts'
import type { FollowedId } from './copies.ts'

export interface ListChange {
  /** Sequence of the newest list that was ever taken here of the library; 0 = none. */
  readonly taken: number
  /** The set that counts so far, undefined when there is none, and what is to take its place. */
  readonly before: TreeView | undefined
  readonly after: TreeView
  /** Sequence of a record of either, by where it stands and its hash; undefined for one that cannot be read. */
  read(trieKey: Uint8Array, recHash: Uint8Array): number | undefined
}

/**
 * The sequence of the newest list that is known then. NOT_PERMITTED where the access list of a closed library would become an earlier one: a
 * node that was restored from a backup would let those in again, here too, whom it had shut out.
 */
export function expectNewerList({ library, writer }: FollowedId, change: ListChange): number {
  const key = accessListKey(writer, library)
  const sequenceIn = (tree: TreeView | undefined): number => {
    const recHash = tree && findRecord(tree, key)
    return (recHash && change.read(key, recHash)) ?? 0
  }
  // A home of an earlier version has only its copy to tell by.
  const known = Math.max(change.taken, sequenceIn(change.before))
  const next = sequenceIn(change.after)
  // Without a list nobody is admitted.
  if (next === 0 || next >= known) return Math.max(known, next)
  throw new CatalogError(
    'NOT_PERMITTED',
    'the access list of this library is an earlier one than that known here',
    {
      hint: 'its node was restored from a backup: whoever runs it has to sign the list anew, with `catalog library grant` or `revoke`'
    }
  )
}
