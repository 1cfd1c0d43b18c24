/** Taking a release out of the registry, as one batch: its record, what is said of it, their places in the indexes, their memberships. */
import type { CID } from 'multiformats/cid'
import { CatalogError } from '../../base/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import { announcementKey, nameIndexKey } from '../database/keys.ts'
import type { DatabaseReader, WriteOperation } from '../database/types.ts'
import { releaseKey, trieKey } from '../records/index.ts'
import { isFollowedLibrary, isPublicLibrary, PRIVATE_LIBRARY } from './library-names.ts'
import { librariesOf, ownLibrariesOf } from './membership.ts'
import { readEntries, readRecord } from './read.ts'
import { readStatementAt, statementPlaces } from './read-statements.ts'
import { del, dropRows, LibraryChanges } from './record-rows.ts'
import { takeVersion } from './taken.ts'
import type { SetCommit } from './types.ts'

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
  if ((await librariesOf(reader, recHash)).some(isClosedCopy))
    throw new CatalogError(
      'NOT_PERMITTED',
      `${name}@${version} is in a closed library that is followed here`,
      {
        hint: 'let go of that library instead: `catalog sync LIBRARY --forget`'
      }
    )
  const changed = new LibraryChanges()
  const { operations, libraries } = await dropRows(reader, {
    recHash,
    indexKey: nameIndexKey({ name, version, owner, recHash })
  })
  changed.add(libraries, { trieKey: trieKey(record), recHash: undefined }, -1)
  if (libraries.some(isKnownToOthers)) operations.push(takeVersion(record.release))
  for (const place of await statementPlaces(reader, releaseKey(record.release))) {
    const statement = readStatementAt(reader, place.recHash)
    const dropped = await dropRows(reader, place)
    operations.push(...dropped.operations)
    if (statement !== undefined)
      changed.add(dropped.libraries, { trieKey: trieKey(statement), recHash: undefined })
  }
  const { operations: states, sets } = changed.plan(reader)
  operations.push(...states)
  if (!(await isPublished(reader, name, { recHash }))) operations.push(del(announcementKey(name)))
  return { operations, sets, content, release: { name, version, owner } }
}

/** Whether a public library of this node has a release of this name, beside a record or a library that goes. */
export async function isPublished(
  reader: DatabaseReader,
  name: string,
  beside: { readonly recHash?: Uint8Array; readonly libraryId?: string }
): Promise<boolean> {
  for await (const { recHash } of readEntries(reader, { name })) {
    if (beside.recHash !== undefined && bytesEqual(recHash, beside.recHash)) continue
    const libraries = (await ownLibrariesOf(reader, recHash)).filter(isPublicLibrary)
    if (libraries.some(libraryId => libraryId !== beside.libraryId)) return true
  }
  return false
}

const isKnownToOthers = (libraryId: string): boolean => libraryId !== PRIVATE_LIBRARY

/** Its names are nobody's to ask strangers for, so they stay known as long as it is here. */
const isClosedCopy = (libraryId: string): boolean =>
  isFollowedLibrary(libraryId) && !isPublicLibrary(libraryId)
