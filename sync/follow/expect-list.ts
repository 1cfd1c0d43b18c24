import { CatalogError } from '../../base/index.ts'
import { accessListKey, openMember } from '../../library/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import { findRecord, type TreeView } from '../trie/index.ts'
import type { FollowedId } from './copies.ts'

export interface ListChange {
  /** The set that counts so far, and what is to take its place. */
  readonly before: TreeView
  readonly after: TreeView
  /** Signed bytes of a record of either, by where it stands and its hash. */
  read(trieKey: Uint8Array, recHash: Uint8Array): Uint8Array | undefined
}

/**
 * NOT_PERMITTED where the access list of a closed library would become an earlier one: a node that was restored from a backup would let those
 * in again, here too, whom it had shut out.
 */
export function expectNewerList({ library, writer }: FollowedId, change: ListChange): void {
  const key = accessListKey(writer, library)
  const [old, now] = [change.before, change.after].map(tree => findRecord(tree, key))
  if (old === undefined || now === undefined || bytesEqual(old, now)) return
  const [known, next] = [old, now].map(recHash => change.read(key, recHash))
  if (known === undefined || next === undefined || sequenceOf(next) >= sequenceOf(known)) return
  throw new CatalogError(
    'NOT_PERMITTED',
    'the access list of this library is an earlier one than that known here',
    {
      hint: 'its node was restored from a backup: whoever runs it has to sign the list anew, with `catalog library grant` or `revoke`'
    }
  )
}

const sequenceOf = (record: Uint8Array): number => openMember(record).record.sequence
