/**
 * Writing the registry: what must change so that a record is stored, as one batch of operations. A plan is made from what
 * the reader shows and changes nothing itself; the worker makes one plan at a time, and commits it with `sync: true`
 * before it makes the next (two at once could both find a name free). Nothing of a record is looked at before its
 * signature holds.
 */
import { CatalogError, MINUTE_MS, plural } from '../../base/index.ts'
import { formatPublicKey } from '../../trust/index.ts'
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
import { decodeRelease, type ReleaseRecord, recordHash, supersedes } from '../records/index.ts'
import {
  encodeIndexValue,
  HOME_LIBRARY,
  type LibraryState,
  readEntries,
  readLibraryState,
  readRecord
} from './read.ts'
import { readAnnouncement } from './schedule.ts'
import type { IndexEntry, RegistryPlan } from './types.ts'

/** Clocks of honest machines differ by less. A record dated later would win over every honest successor until then. */
export const MAX_CLOCK_AHEAD_MS = 10 * MINUTE_MS
/**
 * Contents of one (name, version, owner) that are kept. One is honest; the second is the evidence that the owner signed two;
 * more would only let that owner fill this disk.
 */
export const MAX_CONTENTS_PER_VERSION = 8

const EMPTY = new Uint8Array()
const put = (key: Uint8Array, value: Uint8Array): WriteOperation => ({ type: 'put', key, value })
const del = (key: Uint8Array): WriteOperation => ({ type: 'del', key })

/**
 * Plans to publish a record in the home library, due for announcement at once. What is already published with the same content is
 * answered with the stored record and no operations. Throws as `decodeRelease`, RECORD_EARLY, and RELEASE_EXISTS when the
 * owner has published other content under this name and version.
 */
export async function planPublish(
  reader: DatabaseReader,
  bytes: Uint8Array,
  nowMs: number
): Promise<RegistryPlan> {
  const record = decodeTimely(bytes, nowMs)
  const siblings = await siblingsOf(reader, record)
  const same = siblings.find(entry => isSameContent(entry, record))
  if (same !== undefined && isMember(reader, same.recHash, HOME_LIBRARY)) return kept(reader, same)
  const other = siblings.find(entry => !isSameContent(entry, record))
  if (other !== undefined) throw releaseExists(record, other)

  const stored = same === undefined ? undefined : readRecord(reader, same.recHash)
  const winner = stored !== undefined && !supersedes(record, stored) ? stored : record
  const operations: WriteOperation[] = []
  // What goes before what comes: a record whose row is lost is replaced by itself, under the same keys.
  if (same !== undefined && winner === record)
    operations.push(...(await replace(reader, same, record)).operations)
  if (winner === record) operations.push(...store(record))
  const { revision, members } = readLibraryState(reader, HOME_LIBRARY)
  const { name } = record.release
  const addedMs = readAnnouncement(reader, name)?.addedMs ?? nowMs
  operations.push(
    put(membershipKey(recordHash(winner.bytes), HOME_LIBRARY), EMPTY),
    putState({ revision: revision + 1, members: members + 1 }),
    put(announcementKey(name), encodeU64(nowMs, addedMs))
  )
  return { operations, added: true, stored: winner.bytes }
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
  const siblings = await siblingsOf(reader, record)
  const same = siblings.find(entry => isSameContent(entry, record))
  if (same === undefined) {
    if (siblings.length >= MAX_CONTENTS_PER_VERSION) throw tooManyContents(record)
    return { operations: store(record), added: true, stored: bytes }
  }
  const stored = readRecord(reader, same.recHash)
  if (stored !== undefined && !supersedes(record, stored))
    return { operations: [], added: false, stored: stored.bytes }
  const { operations, wasAtHome } = await replace(reader, same, record)
  if (wasAtHome) {
    const { revision, members } = readLibraryState(reader, HOME_LIBRARY)
    operations.push(putState({ revision: revision + 1, members }))
  }
  return { operations: [...operations, ...store(record)], added: true, stored: bytes }
}

function decodeTimely(bytes: Uint8Array, nowMs: number): ReleaseRecord {
  const record = decodeRelease(bytes)
  const datedMs = Math.max(record.sequence, record.release.publishedAt)
  if (datedMs <= nowMs + MAX_CLOCK_AHEAD_MS) return record
  throw new CatalogError(
    'RECORD_EARLY',
    `the record is dated ${plural(Math.ceil((datedMs - nowMs) / MINUTE_MS), 'minute')} ahead`,
    {
      details: { datedMs, nowMs }
    }
  )
}

/** All releases of the same name, version and owner: one, unless the owner signed several. */
async function siblingsOf(reader: DatabaseReader, record: ReleaseRecord): Promise<IndexEntry[]> {
  const siblings: IndexEntry[] = []
  for await (const entry of readEntries(reader, record.release)) siblings.push(entry)
  return siblings
}

const isSameContent = (entry: IndexEntry, record: ReleaseRecord): boolean =>
  entry.content.equals(record.release.content)

function isMember(reader: DatabaseReader, recHash: Uint8Array, libraryId: string): boolean {
  return reader.get(membershipKey(recHash, libraryId)) !== undefined
}

function kept(reader: DatabaseReader, entry: IndexEntry): RegistryPlan {
  const stored = readRecord(reader, entry.recHash)
  if (stored === undefined) {
    throw new CatalogError(
      'CONTENT_CORRUPT',
      `the record of ${entry.name}@${entry.version} is gone from the database`
    )
  }
  return { operations: [], added: false, stored: stored.bytes }
}

function store(record: ReleaseRecord): WriteOperation[] {
  const recHash = recordHash(record.bytes)
  const { name, version, owner } = record.release
  return [
    put(recordKey(recHash), record.bytes),
    put(recordIdKey(record.id.multihash.digest), recHash),
    put(nameIndexKey({ name, version, owner, recHash }), encodeIndexValue(record))
  ]
}

/** Takes `old` out and gives its memberships to `successor`. */
async function replace(
  reader: DatabaseReader,
  old: IndexEntry,
  successor: ReleaseRecord
): Promise<{ operations: WriteOperation[]; wasAtHome: boolean }> {
  const operations = [del(recordKey(old.recHash)), del(nameIndexKey(old))]
  const stored = readRecord(reader, old.recHash)
  if (stored !== undefined) operations.push(del(recordIdKey(stored.id.multihash.digest)))
  const prefix = membershipPrefix(old.recHash)
  let wasAtHome = false
  for await (const [key] of reader.iterate({ prefix })) {
    const libraryId = Buffer.from(key.subarray(prefix.byteLength)).toString('utf8')
    wasAtHome ||= libraryId === HOME_LIBRARY
    operations.push(del(key), put(membershipKey(recordHash(successor.bytes), libraryId), EMPTY))
  }
  return { operations, wasAtHome }
}

const putState = ({ revision, members }: LibraryState): WriteOperation =>
  put(libraryStateKey(HOME_LIBRARY), encodeU64(revision, members))

function releaseExists(record: ReleaseRecord, other: IndexEntry): CatalogError {
  const { name, version, owner } = record.release
  return new CatalogError('RELEASE_EXISTS', `${name}@${version} was already published with other content`, {
    details: {
      name,
      version,
      publisher: formatPublicKey(owner),
      content: record.release.content.toString(),
      publishedContent: other.content.toString()
    }
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
