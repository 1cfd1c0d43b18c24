/**
 * Having records of other libraries join one of this node's own, as one batch. A record is stored once, so what joins is a membership; names
 * lead where they led. What joins for a key is the newest that is known for it, as this node's own libraries have no other; so it does not
 * matter from which library it comes first. What no name leads to, as after the user took it out, does not join, and nothing that is said of a
 * release joins without it.
 */
import { bytesEqual } from '../../trust/index.ts'
import type { DatabaseReader, WriteOperation } from '../database/types.ts'
import {
  type ReleaseIdentity,
  recordHash,
  releaseOf,
  type StatementRecord,
  trieKey
} from '../records/index.ts'
import { isReleaseRecord, isStatementRecord, type MemberRecord } from './member.ts'
import { isMember } from './membership.ts'
import { isSameContent, siblingsOf } from './plan.ts'
import { readableMember } from './plan-followed.ts'
import { indexKeyOf } from './read-statements.ts'
import { join, LibraryChanges } from './record-rows.ts'
import { dueNow } from './schedule.ts'
import type { SetCommit } from './types.ts'
import { isClosedRecord } from './visibility.ts'

export interface Joining {
  /** Name here of the library that they join; a public one of this node. */
  readonly libraryId: string
  /** Of stored records, at most one for a key. */
  readonly recHashes: readonly Uint8Array[]
  /** Whether a release is where they come from: then it joins as well, with these or with others. */
  readonly comesToo: (release: ReleaseIdentity) => boolean
}

export interface JoinPlan {
  operations: WriteOperation[]
  sets: SetCommit[]
  /** Records that join; no operations when it is 0. */
  joined: number
}

/** The names of what joins are due for announcement at once. */
export async function planJoin(
  reader: DatabaseReader,
  { libraryId, recHashes, comesToo }: Joining,
  nowMs: number
): Promise<JoinPlan> {
  const changed = new LibraryChanges()
  const operations: WriteOperation[] = []
  const names = new Set<string>()
  for (const recHash of recHashes) {
    const record = readableMember(reader, recHash)
    const newest = record && (await newestOf(reader, record))
    if (newest === undefined || isMember(reader, libraryId, newest.recHash)) continue
    if (isStatementRecord(record!) && !(await hasRelease(reader, record, { libraryId, comesToo }))) continue
    operations.push(join(newest.recHash, libraryId))
    const change = { trieKey: trieKey(newest.record), recHash: newest.recHash }
    changed.add([libraryId], change, isReleaseRecord(newest.record) ? 1 : 0)
    names.add(newest.name)
  }
  const joined = operations.length
  const { operations: states, sets } = changed.plan(reader)
  operations.push(...states, ...[...names].map(name => dueNow(reader, name, nowMs)))
  return { operations, sets, joined }
}

/** Whether the release that something is said of is in a library, or joins it: not what the user took out, or what is not for everybody. */
async function hasRelease(
  reader: DatabaseReader,
  statement: StatementRecord,
  { libraryId, comesToo }: Pick<Joining, 'libraryId' | 'comesToo'>
): Promise<boolean> {
  const release = releaseOf(statement)
  const here = (await siblingsOf(reader, release)).find(({ content }) => content.equals(release.content))
  if (here === undefined) return false
  return isMember(reader, libraryId, here.recHash) || (comesToo(release) && !here.isClosed)
}

interface Newest {
  readonly record: MemberRecord
  readonly recHash: Uint8Array
  /** Of the package that it is about. */
  readonly name: string
}

/** What the indexes lead to under the key of a record; undefined when that is nothing, or something that not everybody may know of. */
async function newestOf(reader: DatabaseReader, record: MemberRecord): Promise<Newest | undefined> {
  const place = await placeOf(reader, record)
  if (place === undefined) return undefined
  const isSame = bytesEqual(place.recHash, recordHash(record.bytes))
  const newest = isSame ? record : readableMember(reader, place.recHash)
  return newest === undefined || isClosedRecord(reader, newest) ? undefined : { ...place, record: newest }
}

async function placeOf(
  reader: DatabaseReader,
  record: MemberRecord
): Promise<{ recHash: Uint8Array; name: string } | undefined> {
  if (isReleaseRecord(record)) {
    const same = (await siblingsOf(reader, record.release)).find(entry => isSameContent(entry, record))
    return same && { recHash: same.recHash, name: same.name }
  }
  if (!isStatementRecord(record)) return undefined
  const recHash = reader.get(indexKeyOf(record))
  return recHash && { recHash: Uint8Array.from(recHash), name: releaseOf(record).name }
}
