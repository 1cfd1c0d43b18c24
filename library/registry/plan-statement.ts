/**
 * Storing what is said of a release, as one batch like a release itself (plan.ts). Whether the release is here does not matter:
 * records of a set come in any order. Who takes statements from peers bounds how many.
 */
import type { DatabaseReader, WriteOperation } from '../database/types.ts'
import { decodeStatement, recordHash, releaseOf, supersedes, trieKey } from '../records/index.ts'
import { isAtHome } from './read.ts'
import { indexKeyOf, readStatementAt } from './read-statements.ts'
import { changeHome, dropRows, joinHome, storeRows } from './record-rows.ts'
import { dueNow } from './schedule.ts'
import { expectTimely } from './timely.ts'
import type { RegistryPlan } from './types.ts'

/**
 * Plans to make a statement part of the home library, and the name of its release due for announcement at once. Where a newer one for
 * its key is here, that one stays and is answered. Throws as `decodeStatement`, RECORD_EARLY.
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
  let wasAtHome = winner === stored && isAtHome(reader, recHash)
  if (winner === statement) {
    if (old !== undefined) {
      const dropped = await dropRows(reader, { recHash: old, indexKey }, { successor: recHash })
      operations.push(...dropped.operations)
      wasAtHome = dropped.wasAtHome
    }
    operations.push(...storeRows(winner, { key: indexKey, value: recHash }))
  }
  if (isOwn && !wasAtHome) operations.push(joinHome(recHash))
  const changesHome = isOwn ? !wasAtHome || operations.length > 0 : wasAtHome && operations.length > 0
  const added = operations.length > 0
  if (!changesHome) return { operations, sets: [], added, stored: winner.bytes }
  const { operation, set } = changeHome(reader, {
    releases: 0,
    changes: [{ trieKey: trieKey(winner), recHash }]
  })
  operations.push(operation)
  if (isOwn) operations.push(dueNow(reader, releaseOf(winner).name, nowMs))
  return { operations, sets: [set], added: true, stored: winner.bytes }
}
