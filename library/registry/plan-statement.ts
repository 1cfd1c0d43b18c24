/**
 * Storing what is said of a release, as one batch like a release itself (plan.ts). Whether the release is here does not matter:
 * records of a set come in any order. Who takes statements from peers bounds how many.
 */
import type { DatabaseReader, WriteOperation } from '../database/types.ts'
import {
  decodeStatement,
  recordHash,
  releaseOf,
  type StatementRecord,
  supersedes,
  trieKey
} from '../records/index.ts'
import { HOME_LIBRARY, isPublicLibrary } from './library-names.ts'
import { isMember, ownLibrariesOf } from './membership.ts'
import { expectGiven, placeForWords, siblingsOf } from './plan.ts'
import { indexKeyOf, readStatementAt } from './read-statements.ts'
import { dropRows, join, LibraryChanges, storeRows } from './record-rows.ts'
import { dueNow } from './schedule.ts'
import { expectTimely } from './timely.ts'
import type { RegistryPlan, SetCommit } from './types.ts'
import { isClosedRecord } from './visibility.ts'

/**
 * Plans to make a statement part of the libraries of this node that have its release, or of home where none does, and the name of the release
 * due for announcement at once where one of them is public. Where a newer one for its key is here, that one stays and is answered. Throws
 * as `decodeStatement`, RECORD_EARLY, NOT_PERMITTED.
 */
export const planPublishStatement = (
  reader: DatabaseReader,
  bytes: Uint8Array,
  nowMs: number
): Promise<RegistryPlan> => plan(reader, bytes, nowMs, true)

/** Plans to keep a statement that came from a peer: the larger sequence wins, and takes over the memberships. Throws as above. */
export const planAddStatement = (
  reader: DatabaseReader,
  bytes: Uint8Array,
  nowMs: number
): Promise<RegistryPlan> => plan(reader, bytes, nowMs, false)

async function plan(
  reader: DatabaseReader,
  bytes: Uint8Array,
  nowMs: number,
  isOwn: boolean
): Promise<RegistryPlan> {
  const statement = decodeStatement(bytes)
  expectTimely(statement.sequence, nowMs)
  const indexKey = indexKeyOf(statement)
  const old = reader.get(indexKey)
  const stored = old === undefined ? undefined : readStatementAt(reader, old)
  const winner = stored === undefined || supersedes(statement, stored) ? statement : stored
  const recHash = recordHash(winner.bytes)
  const operations: WriteOperation[] = []
  const { places: joined, isReleaseClosed } = await placesOf(reader, winner, isOwn)
  const changed = new Set<string>()
  if (winner === statement && old !== undefined) {
    const dropped = await dropRows(reader, { recHash: old, indexKey }, { successor: recHash })
    operations.push(...dropped.operations)
    for (const libraryId of dropped.libraries) changed.add(libraryId)
  }
  const isPublic = [...changed, ...joined].some(isPublicLibrary)
  const wasClosed = stored !== undefined && isClosedRecord(reader, stored)
  const opens = isPublic && wasClosed
  if (opens) expectGiven(winner, statement)
  const isClosed = !isPublic && (isOwn || isReleaseClosed || wasClosed)
  if (winner === statement || opens)
    operations.push(...storeRows(winner, { key: indexKey, value: recHash }, isClosed))
  const isIn = (libraryId: string): boolean => winner === stored && isMember(reader, libraryId, recHash)
  for (const libraryId of joined.filter(other => !changed.has(other) && !isIn(other))) {
    operations.push(join(recHash, libraryId))
    changed.add(libraryId)
  }
  if (operations.length === 0) return { operations, sets: [], added: false, stored: winner.bytes }
  const sets = planStates(reader, { operations, changed, winner })
  if (isOwn && [...changed].some(isPublicLibrary))
    operations.push(dueNow(reader, releaseOf(winner).name, nowMs))
  return { operations, sets, added: true, stored: winner.bytes }
}

/** Adds to the operations what follows for the libraries that change. */
function planStates(
  reader: DatabaseReader,
  {
    operations,
    changed,
    winner
  }: { operations: WriteOperation[]; changed: Iterable<string>; winner: StatementRecord }
): SetCommit[] {
  const changes = new LibraryChanges()
  changes.add(changed, { trieKey: trieKey(winner), recHash: recordHash(winner.bytes) })
  const { operations: states, sets } = changes.plan(reader)
  operations.push(...states)
  return sets
}

/** Libraries of this node that a statement of its own joins: those that have the release, else home; and whether the release is closed. */
async function placesOf(
  reader: DatabaseReader,
  statement: StatementRecord,
  isOwn: boolean
): Promise<{ places: string[]; isReleaseClosed: boolean }> {
  const release = releaseOf(statement)
  const same = (await siblingsOf(reader, release)).find(({ content }) => content.equals(release.content))
  const isReleaseClosed = same?.isClosed === true
  if (!isOwn) return { places: [], isReleaseClosed }
  if (same === undefined) return { places: [HOME_LIBRARY], isReleaseClosed }
  const libraries = await ownLibrariesOf(reader, same.recHash)
  return { places: libraries.length > 0 ? libraries : [placeForWords(same)], isReleaseClosed }
}
