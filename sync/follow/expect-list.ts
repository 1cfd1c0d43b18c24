import { CatalogError } from '../../base/index.ts'
import { accessListKey, type DatabaseReader, openMember, readRecordBytes } from '../../library/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import { findRecord, type TreeView } from '../trie/index.ts'
import type { FollowedId } from './copies.ts'

export interface ListChange {
  /** The set that counts so far, and what is to take its place. */
  readonly before: TreeView
  readonly after: TreeView
  /** Shows the records of `before`. */
  readonly reader: DatabaseReader
  /** Signed bytes of what has come for a key. */
  came(trieKey: Uint8Array): Uint8Array | undefined
}

/**
 * NOT_PERMITTED where the access list of a closed library would become an earlier one: a node that was restored from a backup would let those
 * in again, here too, whom it had shut out.
 */
export function expectNewerList({ library, writer }: FollowedId, change: ListChange): void {
  const key = accessListKey(writer, library)
  const [old, now] = [change.before, change.after].map(tree => findRecord(tree, key))
  const next = change.came(key)
  if (old === undefined || now === undefined || next === undefined || bytesEqual(old, now)) return
  const known = readRecordBytes(change.reader, old)
  if (known === undefined || sequenceOf(next) >= sequenceOf(known)) return
  throw new CatalogError(
    'NOT_PERMITTED',
    'the access list of this library is an earlier one than that known here',
    {
      hint: 'its node was restored from a backup: whoever runs it has to sign the list anew, with `catalog library grant` or `revoke`'
    }
  )
}

const sequenceOf = (record: Uint8Array): number => openMember(record).record.sequence
