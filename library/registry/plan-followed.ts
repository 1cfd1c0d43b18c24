/**
 * Changing a copy of another node's library, as one batch: records join and leave it exactly as its writer has it. Beside that, names
 * lead to the newest record of each key that is here, whichever library it came with; a copy that is not complete yet is not
 * looked at for names.
 */
import { bytesEqual } from '../../trust/index.ts'
import { libraryStateKey, membershipKey, nameIndexKey, recordKey } from '../database/keys.ts'
import type { DatabaseReader, WriteOperation } from '../database/types.ts'
import {
  type ReleaseRecord,
  recordHash,
  type StatementRecord,
  supersedes,
  trieKey
} from '../records/index.ts'
import { isPublicLibrary } from './library-names.ts'
import { decodeVerifiedMember, isReleaseRecord, isStatementRecord, type MemberRecord } from './member.ts'
import { unlessDamaged } from './members.ts'
import { isMember, librariesOf, ownLibrariesOf } from './membership.ts'
import { isSameContent, MAX_CONTENTS_PER_VERSION, nameIndexRow, siblingsOf } from './plan.ts'
import { readRecord, readRecordBytes, storedSizeBytes } from './read.ts'
import { indexKeyOf, readStatementAt } from './read-statements.ts'
import {
  bytesRows,
  changeLibrary,
  del,
  dropRows,
  eraseRows,
  join,
  LibraryChanges,
  put
} from './record-rows.ts'
import type { IndexEntry, SetChange, SetCommit } from './types.ts'
import { isClosedIn, isClosedRecord, putPlace } from './visibility.ts'

export interface FollowedChange {
  /** Name here of the copy. */
  readonly libraryId: string
  /** Verified; at most one for a key. */
  readonly joining: Iterable<MemberRecord>
  /** What stands in the copy and goes, or is replaced by one of `joining`. */
  readonly leaving: ReadonlyArray<{ readonly trieKey: Uint8Array; readonly recHash: Uint8Array }>
  /** Whether names are to lead to what joins. */
  readonly isIndexed: boolean
}

export interface FollowedPlan {
  operations: WriteOperation[]
  sets: SetCommit[]
}

/**
 * Plans a change of a copy. Records that leave it stay known under their names, unless newer ones are; those of a closed library go, as
 * nothing would say any more who may know of them.
 */
export async function planFollowed(reader: DatabaseReader, change: FollowedChange): Promise<FollowedPlan> {
  const { libraryId, joining, leaving, isIndexed } = change
  const index = new IndexPlan(reader, { libraryId, leaving: leaving.map(({ recHash }) => recHash) })
  const library = { isClosed: !isPublicLibrary(libraryId) }
  const changes = new Map<string, SetChange>()
  const operations: WriteOperation[] = []
  const left: WriteOperation[] = []
  let releases = 0
  let growthBytes = 0
  for (const { trieKey, recHash } of leaving) {
    changes.set(keyText(trieKey), { trieKey, recHash: undefined })
    const record = readableMember(reader, recHash)
    if (record !== undefined && isReleaseRecord(record)) releases--
    // One that could not be read when a copy was made beside another is in the one only.
    if (isMember(reader, libraryId, recHash)) growthBytes -= storedSizeBytes(reader, recHash)
    left.push(...(await leave(reader, libraryId, recHash)))
  }
  for (const record of joining) {
    const recHash = recordHash(record.bytes)
    const key = trieKey(record)
    const joins = isClosedIn(reader, record, library)
    const isClosed = isIndexed ? await index.add(record, joins) : joins
    operations.push(...bytesRows(record, isClosed), join(recHash, libraryId))
    changes.set(keyText(key), { trieKey: key, recHash })
    if (isReleaseRecord(record)) releases++
    growthBytes += record.bytes.byteLength
  }
  const changed = changeLibrary(reader, libraryId, { releases, growthBytes, changes: [...changes.values()] })
  const found = index.plan()
  return {
    // What goes comes first, and what is stored last: a row that the index lets go of may be one that joins.
    operations: [...left, ...found.operations, ...operations, changed.operation],
    sets: [changed.set, ...found.sets]
  }
}

/**
 * Plans to have names lead to records that are stored; those that the copy `before` has too came with it, and stay as they are: what the
 * user took out since does not come back.
 */
export async function planIndex(
  reader: DatabaseReader,
  recHashes: readonly Uint8Array[],
  before: string | undefined
): Promise<FollowedPlan> {
  const index = new IndexPlan(reader)
  const closing: WriteOperation[] = []
  for (const recHash of recHashes) {
    if (before !== undefined && isMember(reader, before, recHash)) continue
    const record = readableMember(reader, recHash)
    if (record === undefined) continue
    const isClosed = isClosedRecord(reader, record)
    if ((await index.add(record, isClosed)) !== isClosed) closing.push(putPlace(record, true))
  }
  const { operations, sets } = index.plan()
  return { operations: [...operations, ...closing], sets }
}

/** Plans to end memberships of records in a copy that is let go of; what nothing else leads to is deleted. */
export async function planRetire(
  reader: DatabaseReader,
  libraryId: string,
  recHashes: readonly Uint8Array[]
): Promise<WriteOperation[]> {
  const operations: WriteOperation[] = []
  for (const recHash of recHashes) operations.push(...(await leave(reader, libraryId, recHash)))
  return operations
}

/** The last write of a copy that has no records any more. */
export const forgetLibraryState = (libraryId: string): WriteOperation => del(libraryStateKey(libraryId))

/** Ends a membership; the record goes too when nothing else leads to it, or when nobody may know of it any more. */
async function leave(
  reader: DatabaseReader,
  libraryId: string,
  recHash: Uint8Array
): Promise<WriteOperation[]> {
  const operations = [del(membershipKey(recHash, libraryId))]
  const isElsewhere = (await librariesOf(reader, recHash)).some(other => other !== libraryId)
  if (isElsewhere) return operations
  const record = readableMember(reader, recHash)
  const indexKey = record === undefined ? undefined : keyInIndex(reader, record)
  // A name that leads to one that is damaged is better led to nothing: the record can come again then.
  if (indexKey === undefined) return [...operations, ...eraseRows(reader, recHash)]
  if (record === undefined || !isClosedRecord(reader, record)) return operations
  return [...operations, del(indexKey), ...eraseRows(reader, recHash)]
}

type Named = Pick<IndexEntry, 'name' | 'version' | 'owner' | 'sequence' | 'recHash'>

/** Changes of the indexes by name and by release; where a record of one's own is replaced, the libraries that have it change too. */
class IndexPlan {
  readonly #reader: DatabaseReader
  /** What is replaced leaves this library in the same batch. */
  readonly #leaves: { leaves?: string }
  readonly #leaving: ReadonlySet<string>
  readonly #operations: WriteOperation[] = []
  /** Of this node's own libraries, where one of their records is replaced. */
  readonly #changes = new LibraryChanges()
  /** Contents that this plan has names lead to, or no more, by version and owner. */
  readonly #contents = new Map<string, { added: Named[]; dropped: Set<string> }>()

  constructor(reader: DatabaseReader, copy?: { libraryId: string; leaving: readonly Uint8Array[] }) {
    this.#reader = reader
    this.#leaves = copy === undefined ? {} : { leaves: copy.libraryId }
    this.#leaving = new Set(copy?.leaving.map(keyText))
  }

  /** Whether the record is closed then: where it takes the place of a closed one, it is too. */
  async add(record: MemberRecord, isClosed: boolean): Promise<boolean> {
    if (isReleaseRecord(record)) return await this.#addRelease(record, isClosed)
    if (isStatementRecord(record)) return await this.#addStatement(record, isClosed)
    return isClosed
  }

  plan(): FollowedPlan {
    const { operations, sets } = this.#changes.plan(this.#reader)
    return { operations: [...this.#operations, ...operations], sets }
  }

  async #addRelease(record: ReleaseRecord, isClosed: boolean): Promise<boolean> {
    const siblings = await siblingsOf(this.#reader, record.release)
    const same = siblings.find(entry => isSameContent(entry, record) && !this.#goes(entry))
    if (same === undefined)
      return (await this.#hasRoom(record, siblings)) ? this.#name(record, isClosed) : isClosed
    if (bytesEqual(same.recHash, recordHash(record.bytes))) {
      if (same.isClosed !== isClosed) this.#name(record, isClosed)
      return isClosed
    }
    const stored = unlessDamaged(() => readRecord(this.#reader, same.recHash))
    if (stored !== undefined && !supersedes(record, stored)) return isClosed
    if (isClosed && (await this.#isForOthers(same.recHash, same.isClosed))) return isClosed
    await this.#replace({ recHash: same.recHash, indexKey: nameIndexKey(same) }, record)
    return this.#name(record, isClosed || same.isClosed)
  }

  /**
   * Whether names may lead to one more content of a version of an owner. More than some would only let the owner fill this disk: those with
   * the largest sequences are led to, whichever came first, so that all who have the same sets see the same; the others stay in their sets.
   */
  async #hasRoom(record: ReleaseRecord, siblings: readonly IndexEntry[]): Promise<boolean> {
    const { name, version, owner } = record.release
    const place = `${name}\0${version}\0${keyText(owner)}`
    const { added, dropped } = this.#contents.get(place) ?? { added: [], dropped: new Set() }
    this.#contents.set(place, { added, dropped })
    const named: Named[] = [...siblings, ...added].filter(({ recHash }) => !dropped.has(keyText(recHash)))
    const one = { name, version, owner, sequence: record.sequence, recHash: recordHash(record.bytes) }
    added.push(one)
    if (named.length < MAX_CONTENTS_PER_VERSION) return true
    const least = await this.#leastOf([...named, one].sort(bySequence))
    if (least === undefined) return false
    dropped.add(keyText(least.recHash))
    if (least === one) return false
    await this.#unname(least)
    return true
  }

  /** The first that is not published here: to that its name leads whatever comes. */
  async #leastOf(named: readonly Named[]): Promise<Named | undefined> {
    for (const entry of named)
      if ((await ownLibrariesOf(this.#reader, entry.recHash)).length === 0) return entry
    return undefined
  }

  /** A record that a name leads to no more, and that no library has, is of no use. */
  async #unname(entry: Named): Promise<void> {
    this.#operations.push(del(nameIndexKey(entry)))
    const isOfUse = (await librariesOf(this.#reader, entry.recHash)).length > 0
    if (!isOfUse && this.#reader.get(recordKey(entry.recHash)) !== undefined)
      this.#operations.push(...eraseRows(this.#reader, entry.recHash))
  }

  #name(record: ReleaseRecord, isClosed: boolean): boolean {
    const { key, value } = nameIndexRow(record, isClosed)
    this.#operations.push(put(key, value))
    return isClosed
  }

  /** Whether a name leads to a record no more once it has left the copy in this batch. */
  #goes({ recHash, isClosed }: IndexEntry): boolean {
    return isClosed && this.#leaving.has(keyText(recHash))
  }

  async #addStatement(record: StatementRecord, isClosed: boolean): Promise<boolean> {
    const indexKey = indexKeyOf(record)
    const old = this.#reader.get(indexKey)
    const stored = old === undefined ? undefined : unlessDamaged(() => readStatementAt(this.#reader, old))
    const isOldClosed = stored !== undefined && isClosedRecord(this.#reader, stored)
    const goes = old !== undefined && isOldClosed && this.#leaving.has(keyText(old))
    if (old !== undefined && !goes) {
      if (bytesEqual(old, recordHash(record.bytes))) return isClosed
      if (stored !== undefined && !supersedes(record, stored)) return isClosed
      if (isClosed && (await this.#isForOthers(old, isOldClosed))) return isClosed
      await this.#replace({ recHash: old, indexKey }, record)
    }
    this.#operations.push(put(indexKey, recordHash(record.bytes)))
    return isClosed || (isOldClosed && !goes)
  }

  /**
   * Whether a record is shown to others than those who may know of one that a closed library has: such a one does not take its place, as
   * its memberships would go with that. It stays in its own library.
   */
  async #isForOthers(recHash: Uint8Array, isClosed: boolean): Promise<boolean> {
    return !isClosed || (await ownLibrariesOf(this.#reader, recHash)).length > 0
  }

  async #replace(place: { recHash: Uint8Array; indexKey: Uint8Array }, record: MemberRecord): Promise<void> {
    const successor = recordHash(record.bytes)
    const dropped = await dropRows(this.#reader, place, { successor, ...this.#leaves })
    this.#operations.push(...dropped.operations)
    this.#changes.add(dropped.libraries, { trieKey: trieKey(record), recHash: successor })
  }
}

/** The one that counts least first: by the rule by which one record replaces another. */
const bySequence = (a: Named, b: Named): number =>
  a.sequence - b.sequence || Buffer.compare(a.recHash, b.recHash)

const keyText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

/** A stored record of any kind; undefined when it is not here. Throws CONTENT_CORRUPT when its bytes have changed on disk. */
export function readMember(reader: DatabaseReader, recHash: Uint8Array): MemberRecord | undefined {
  const bytes = readRecordBytes(reader, recHash)
  return bytes === undefined ? undefined : decodeVerifiedMember(bytes)
}

/** The same, where a record that is damaged is as good as none. */
export const readableMember = (reader: DatabaseReader, recHash: Uint8Array): MemberRecord | undefined =>
  unlessDamaged(() => readMember(reader, recHash))

/** Where a name, or the release that it is about, leads to a record; undefined when neither does. */
function keyInIndex(reader: DatabaseReader, record: MemberRecord): Uint8Array | undefined {
  if (isReleaseRecord(record)) {
    const { key } = nameIndexRow(record, false)
    return reader.get(key) === undefined ? undefined : key
  }
  if (!isStatementRecord(record)) return undefined
  const key = indexKeyOf(record)
  const found = reader.get(key)
  return found !== undefined && bytesEqual(found, recordHash(record.bytes)) ? key : undefined
}
