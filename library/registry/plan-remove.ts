/** Taking a release out of the registry, as one batch: its record, what is said of it, their places in the indexes, their memberships. */
import type { CID } from 'multiformats/cid'
import { CatalogError } from '../../base/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import { announcementKey, nameIndexKey } from '../database/keys.ts'
import type { DatabaseReader, WriteOperation } from '../database/types.ts'
import { releaseKey, trieKey } from '../records/index.ts'
import { isAtHome, readEntries, readRecord } from './read.ts'
import { readStatementAt, statementPlaces } from './read-statements.ts'
import { changeHome, del, dropRows } from './record-rows.ts'
import type { SetChange, SetCommit } from './types.ts'

export interface RemovalPlan {
  operations: WriteOperation[]
  sets: SetCommit[]
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
  const changes: SetChange[] = wasAtHome ? [{ trieKey: trieKey(record), recHash: undefined }] : []
  for (const place of await statementPlaces(reader, releaseKey(record.release))) {
    const statement = readStatementAt(reader, place.recHash)
    const dropped = await dropRows(reader, place)
    operations.push(...dropped.operations)
    if (dropped.wasAtHome && statement !== undefined)
      changes.push({ trieKey: trieKey(statement), recHash: undefined })
  }
  const release = { name, version, owner }
  if (changes.length === 0) return { operations, sets: [], content, release }
  const { operation, set } = changeHome(reader, { releases: wasAtHome ? -1 : 0, changes })
  operations.push(operation)
  if (await isLastAtHome(reader, name, recHash)) operations.push(del(announcementKey(name)))
  return { operations, sets: [set], content, release }
}

/** Whether the home library has no other release of this name. */
async function isLastAtHome(reader: DatabaseReader, name: string, recHash: Uint8Array): Promise<boolean> {
  for await (const entry of readEntries(reader, { name }))
    if (!bytesEqual(entry.recHash, recHash) && isAtHome(reader, entry.recHash)) return false
  return true
}
