/** Taking a release out of the registry, as one batch: its record, what is said of it, their places in the indexes, their memberships. */
import type { CID } from 'multiformats/cid'
import { CatalogError } from '../../base/index.ts'
import { announcementKey, nameIndexKey } from '../database/keys.ts'
import type { DatabaseReader, WriteOperation } from '../database/types.ts'
import { releaseKey } from '../records/index.ts'
import { isAtHome, readEntries, readRecord } from './read.ts'
import { statementPlaces } from './read-statements.ts'
import { changeHome, del, dropRows } from './record-rows.ts'

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
  const { operations, wasAtHome } = await dropRows(reader, {
    recHash,
    indexKey: nameIndexKey({ name, version, owner, recHash })
  })
  let changesHome = wasAtHome
  for (const place of await statementPlaces(reader, releaseKey(record.release))) {
    const statement = await dropRows(reader, place)
    operations.push(...statement.operations)
    changesHome ||= statement.wasAtHome
  }
  if (changesHome) {
    operations.push(changeHome(reader, { releases: wasAtHome ? -1 : 0 }))
    let isLast = true
    for await (const entry of readEntries(reader, { name }))
      if (Buffer.compare(entry.recHash, recHash) !== 0 && isAtHome(reader, entry.recHash)) isLast = false
    if (isLast) operations.push(del(announcementKey(name)))
  }
  return { operations, content, release: { name, version, owner } }
}
