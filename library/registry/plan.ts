/**
 * Writing the registry: what must change so that a record is stored, as one batch of operations. A plan is made from what
 * the reader shows and changes nothing itself; the worker makes one plan at a time, and commits it with `sync: true`
 * before it makes the next (two at once could both find a name free). Nothing of a record is looked at before its
 * signature holds.
 */
import type { CID } from 'multiformats/cid'
import { CatalogError } from '../../base/index.ts'
import { bytesEqual, formatPublicKey } from '../../trust/index.ts'
import { nameIndexKey } from '../database/keys.ts'
import type { DatabaseReader, WriteOperation } from '../database/types.ts'
import {
  decodeRelease,
  type ReleaseIdentity,
  type ReleaseRecord,
  recordHash,
  releaseKey,
  type SignedRecord,
  supersedes,
  trieKey
} from '../records/index.ts'
import { HOME_LIBRARY, isPublicLibrary } from './library-names.ts'
import { isMember, ownLibrariesOf } from './membership.ts'
import { encodeIndexValue, readEntries, readRecord } from './read.ts'
import { readStatementAt, statementPlaces } from './read-statements.ts'
import { dropRows, join, LibraryChanges, storeRows } from './record-rows.ts'
import { dueNow } from './schedule.ts'
import { takenBy } from './taken.ts'
import { expectTimely } from './timely.ts'
import type { IndexEntry, RegistryPlan } from './types.ts'
import { putPlace } from './visibility.ts'

/**
 * Contents of one (name, version, owner) that are kept. One is honest; the second is the evidence that the owner signed two;
 * more would only let that owner fill this disk.
 */
export const MAX_CONTENTS_PER_VERSION = 8

/**
 * Plans to publish a record in a library of this node; in a public one it is due for announcement at once. What is already published
 * there with the same content is answered with the stored record and no operations. Throws as `decodeRelease`, RECORD_EARLY, and
 * RELEASE_EXISTS when the owner has published other content under this name and version, also where that was removed since.
 */
export async function planPublish(
  reader: DatabaseReader,
  bytes: Uint8Array,
  nowMs: number,
  libraryId: string
): Promise<RegistryPlan> {
  const record = decodeTimely(bytes, nowMs)
  const siblings = await siblingsOf(reader, record.release)
  const same = siblings.find(entry => isSameContent(entry, record))
  if (same !== undefined && isMember(reader, libraryId, same.recHash)) return kept(reader, same)
  const other = siblings.find(entry => !isSameContent(entry, record))
  if (other !== undefined) throw releaseExists(record, other.content)
  const taken = takenBy(reader, record.release)
  if (taken !== undefined && !taken.equals(record.release.content)) throw releaseExists(record, taken)
  return await publishOver(reader, { record, same, libraryId }, nowMs)
}

/**
 * Plans to publish new words for a release that is here: the same content, a larger sequence. They go where the release is in libraries of
 * this node, and into home where it is in none. What is not newer than the stored record is answered with that one and no operations. Throws as `decodeRelease`, RECORD_EARLY, RELEASE_NOT_FOUND, NOT_PERMITTED.
 */
export async function planRevise(
  reader: DatabaseReader,
  bytes: Uint8Array,
  nowMs: number
): Promise<RegistryPlan> {
  const record = decodeTimely(bytes, nowMs)
  const same = (await siblingsOf(reader, record.release)).find(entry => isSameContent(entry, record))
  if (same === undefined) throw nothingToRevise(record)
  const stored = readRecord(reader, same.recHash)
  const [first = placeForWords(same)] = await ownLibrariesOf(reader, same.recHash)
  if (stored !== undefined && !supersedes(record, stored) && isMember(reader, first, same.recHash))
    return kept(reader, same)
  return await publishOver(reader, { record, same, libraryId: first }, nowMs)
}

/**
 * Brings the newer of the record and the stored one into a library; others that have the stored one change with it. One that only a closed
 * library of another node has stays there, however new it is: it would come to whom that library is not for.
 */
async function publishOver(
  reader: DatabaseReader,
  { record, same, libraryId }: { record: ReleaseRecord; same: IndexEntry | undefined; libraryId: string },
  nowMs: number
): Promise<RegistryPlan> {
  const stored = same === undefined ? undefined : await readOwn(reader, same)
  const winner = stored !== undefined && !supersedes(record, stored) ? stored : record
  if (isPublicLibrary(libraryId) && same?.isClosed === true) expectGiven(winner, record)
  const operations: WriteOperation[] = []
  const changed = new LibraryChanges()
  const recHash = recordHash(winner.bytes)
  const change = { trieKey: trieKey(record), recHash }
  const libraries = new Set([libraryId])
  // What goes before what comes: a record whose row is lost is replaced by itself, under the same keys.
  if (same !== undefined && winner === record) {
    const replaced = await replace(reader, same, record)
    operations.push(...replaced.operations)
    for (const had of replaced.libraries) libraries.add(had)
  }
  const isPublic = [...libraries].some(isPublicLibrary)
  const isClosed = !isPublic && same?.isClosed !== false
  if (winner === record || same!.isClosed !== isClosed) operations.push(...store(winner, isClosed))
  const isNew = same === undefined || !isMember(reader, libraryId, same.recHash)
  for (const changes of libraries) changed.add([changes], change, isNew && changes === libraryId ? 1 : 0)
  if (isNew) operations.push(...(await bringStatements(reader, { record, libraryId, changed })))
  const { operations: states, sets } = changed.plan(reader)
  operations.push(join(recHash, libraryId), ...states)
  if (isPublic) operations.push(dueNow(reader, record.release.name, nowMs))
  return { operations, sets, added: true, stored: winner.bytes }
}

/** A stored record that this node may publish: undefined for one that is known from closed libraries of others only. */
async function readOwn(
  reader: DatabaseReader,
  { recHash, isClosed }: IndexEntry
): Promise<ReleaseRecord | undefined> {
  const isOthers = isClosed && (await ownLibrariesOf(reader, recHash)).length === 0
  return isOthers ? undefined : readRecord(reader, recHash)
}

/** NOT_PERMITTED where newer words would come out that only closed libraries have, and that nobody has asked to publish. */
export function expectGiven(winner: SignedRecord, given: SignedRecord): void {
  if (bytesEqual(winner.bytes, given.bytes)) return
  throw new CatalogError(
    'NOT_PERMITTED',
    'a closed library has newer words for this, which would become public',
    {
      hint: 'sign it anew, later than those'
    }
  )
}

/** Has what this node's other libraries say of a release join a library with it: a yank must not stay behind. */
async function bringStatements(
  reader: DatabaseReader,
  { record, libraryId, changed }: { record: ReleaseRecord; libraryId: string; changed: LibraryChanges }
): Promise<WriteOperation[]> {
  const operations: WriteOperation[] = []
  for (const { recHash } of await statementPlaces(reader, releaseKey(record.release))) {
    const libraries = await ownLibrariesOf(reader, recHash)
    const statement = readStatementAt(reader, recHash)
    if (statement === undefined || libraries.length === 0 || libraries.includes(libraryId)) continue
    operations.push(join(recHash, libraryId))
    if (isPublicLibrary(libraryId)) operations.push(putPlace(statement, false))
    changed.add([libraryId], { trieKey: trieKey(statement), recHash })
  }
  return operations
}

/**
 * Where words of this node about a release go that is in none of its libraries: home. NOT_PERMITTED for one that is known from a closed
 * library of another node only, as home would tell everybody of it.
 */
export function placeForWords({ isClosed }: IndexEntry): string {
  if (!isClosed) return HOME_LIBRARY
  throw new CatalogError('NOT_PERMITTED', 'this release is in a library that only its own node changes', {
    hint: 'publish from the node whose library it is'
  })
}

/**
 * Plans to keep a record that came from a peer. For one canonical key the larger sequence wins and takes over the memberships of
 * the other. A second content of the same (name, version, owner) is kept beside the first: choosing is a matter of
 * views. Throws as `decodeRelease`, RECORD_EARLY, LIMIT_EXCEEDED.
 */
export async function planAdd(
  reader: DatabaseReader,
  bytes: Uint8Array,
  nowMs: number
): Promise<RegistryPlan> {
  const record = decodeTimely(bytes, nowMs)
  const siblings = await siblingsOf(reader, record.release)
  const same = siblings.find(entry => isSameContent(entry, record))
  if (same === undefined) {
    if (siblings.length >= MAX_CONTENTS_PER_VERSION) throw tooManyContents(record)
    return { operations: store(record, false), sets: [], added: true, stored: bytes }
  }
  const stored = readRecord(reader, same.recHash)
  if (stored !== undefined && !supersedes(record, stored))
    return { operations: [], sets: [], added: false, stored: stored.bytes }
  const { operations, libraries } = await replace(reader, same, record)
  const changed = new LibraryChanges()
  changed.add(libraries, { trieKey: trieKey(record), recHash: recordHash(bytes) })
  const { operations: states, sets } = changed.plan(reader)
  // What is closed does not become known to everybody by what a peer tells of it.
  operations.push(...store(record, same.isClosed), ...states)
  return { operations, sets, added: true, stored: bytes }
}

function decodeTimely(bytes: Uint8Array, nowMs: number): ReleaseRecord {
  const record = decodeRelease(bytes)
  expectTimely(Math.max(record.sequence, record.release.publishedAt), nowMs)
  return record
}

/** All releases of the same name, version and owner: one, unless the owner signed several. */
export async function siblingsOf(
  reader: DatabaseReader,
  release: Pick<ReleaseIdentity, 'name' | 'version' | 'owner'>
): Promise<IndexEntry[]> {
  const siblings: IndexEntry[] = []
  for await (const entry of readEntries(reader, release)) siblings.push(entry)
  return siblings
}

export const isSameContent = (entry: IndexEntry, record: ReleaseRecord): boolean =>
  entry.content.equals(record.release.content)

function kept(reader: DatabaseReader, entry: IndexEntry): RegistryPlan {
  const stored = readRecord(reader, entry.recHash)
  if (stored === undefined) {
    throw new CatalogError(
      'CONTENT_CORRUPT',
      `the record of ${entry.name}@${entry.version} is gone from the database`
    )
  }
  return { operations: [], sets: [], added: false, stored: stored.bytes }
}

const store = (record: ReleaseRecord, isClosed: boolean): WriteOperation[] =>
  storeRows(record, nameIndexRow(record, isClosed), isClosed)

/** Where the name index has a release. */
export function nameIndexRow(
  record: ReleaseRecord,
  isClosed: boolean
): { key: Uint8Array; value: Uint8Array } {
  const { name, version, owner } = record.release
  const key = nameIndexKey({ name, version, owner, recHash: recordHash(record.bytes) })
  return { key, value: encodeIndexValue(record, isClosed) }
}

/** Takes `old` out and gives its memberships to `successor`. */
const replace = (
  reader: DatabaseReader,
  old: IndexEntry,
  successor: ReleaseRecord
): ReturnType<typeof dropRows> =>
  dropRows(
    reader,
    { recHash: old.recHash, indexKey: nameIndexKey(old) },
    { successor: recordHash(successor.bytes) }
  )

function nothingToRevise({ release: { name, version, owner } }: ReleaseRecord): CatalogError {
  return new CatalogError('RELEASE_NOT_FOUND', `${name}@${version} with this content is not here`, {
    details: { name, version, publisher: formatPublicKey(owner) }
  })
}

function releaseExists(record: ReleaseRecord, published: CID): CatalogError {
  const { name, version, owner } = record.release
  return new CatalogError('RELEASE_EXISTS', `${name}@${version} was already published with other content`, {
    details: {
      name,
      version,
      publisher: formatPublicKey(owner),
      content: record.release.content.toString(),
      publishedContent: published.toString()
    },
    hint: 'publish it under a new version: who has the first would be shown two contents of one version, and install neither'
  })
}

function tooManyContents(record: ReleaseRecord): CatalogError {
  const { name, version, owner } = record.release
  return new CatalogError(
    'LIMIT_EXCEEDED',
    `${formatPublicKey(owner)} signed more than ${MAX_CONTENTS_PER_VERSION} contents as ${name}@${version}`,
    { hint: 'do not use releases of this publisher' }
  )
}
