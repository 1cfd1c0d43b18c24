/** Taking a release out of the registry, as one batch: its record, its places in the indexes, its memberships. */
import type { CID } from 'multiformats/cid'
import { CatalogError } from '../../base/index.ts'
import {
  announcementKey,
  encodeU64,
  libraryStateKey,
  membershipKey,
  membershipPrefix,
  nameIndexKey,
  recordIdKey,
  recordKey
} from '../database/keys.ts'
import type { DatabaseReader, WriteOperation } from '../database/types.ts'
import { HOME_LIBRARY, readEntries, readLibraryState, readRecord } from './read.ts'

export interface RemovalPlan {
  operations: WriteOperation[]
  content: CID
  release: { name: string; version: string; owner: Uint8Array }
}

/** RELEASE_NOT_FOUND when there is no such record. A name that this node publishes nothing under any more is no longer announced. */
export async function planRemove(reader: DatabaseReader, recHash: Uint8Array): Promise<RemovalPlan> {
  const record = readRecord(reader, recHash)
  if (record === undefined) throw new CatalogError('RELEASE_NOT_FOUND', 'the release is not here any more')
  const { name, version, owner, content } = record.release
  const del = (key: Uint8Array): WriteOperation => ({ type: 'del', key })
  const operations = [
    del(recordKey(recHash)),
    del(recordIdKey(record.id.multihash.digest)),
    del(nameIndexKey({ name, version, owner, recHash }))
  ]
  for await (const [key] of reader.iterate({ prefix: membershipPrefix(recHash) })) operations.push(del(key))
  if (isAtHome(reader, recHash)) {
    const { revision, members } = readLibraryState(reader, HOME_LIBRARY)
    const value = encodeU64(revision + 1, Math.max(0, members - 1))
    operations.push({ type: 'put', key: libraryStateKey(HOME_LIBRARY), value })
    let isLast = true
    for await (const entry of readEntries(reader, { name }))
      if (Buffer.compare(entry.recHash, recHash) !== 0 && isAtHome(reader, entry.recHash)) isLast = false
    if (isLast) operations.push(del(announcementKey(name)))
  }
  return { operations, content, release: { name, version, owner } }
}

const isAtHome = (reader: DatabaseReader, recHash: Uint8Array): boolean =>
  reader.get(membershipKey(recHash, HOME_LIBRARY)) !== undefined
