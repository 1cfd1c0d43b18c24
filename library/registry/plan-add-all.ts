/**
 * Keeping many records that came from elsewhere, as one batch. Each is planned as by itself (plan.ts, plan-statement.ts) over a database in
 * which those before it stand already, so the same comes of it as of one commit for each.
 */
import { CatalogError, MIB, toCatalogError } from '../../base/index.ts'
import { PendingRows } from '../database/pending.ts'
import type { DatabaseReader, WriteOperation } from '../database/types.ts'
import type { Slice } from '../worker/scheduler.ts'
import { HOME_LIBRARY } from './library-names.ts'
import { PLANS } from './plans.ts'
import type { AddOutcome, RegistryAddAll, SetChange, SetCommit } from './types.ts'

/**
 * Of one batch. Nobody else writes while it is planned and committed, which takes some tenths of a millisecond a record, most of it for the
 * signature; with as many as this the sync of the disk is a small part of that.
 */
export const ADD_ALL_LIMITS = { records: 256, sizeBytes: MIB } as const

export interface AddAllPlan {
  readonly operations: readonly WriteOperation[]
  readonly sets: readonly SetCommit[]
  /** Of the records in their order, up to the first that failed. */
  readonly outcomes: readonly AddOutcome[]
  /** What that one failed of. */
  readonly error: CatalogError | undefined
}

/** Plans all up to the first that fails, and says of what. LIMIT_EXCEEDED for more records than go into a batch. */
export async function planAddAll(
  reader: DatabaseReader,
  { records, nowMs }: RegistryAddAll,
  slice: Slice
): Promise<AddAllPlan> {
  if (records.length > ADD_ALL_LIMITS.records)
    throw new CatalogError('LIMIT_EXCEEDED', `${ADD_ALL_LIMITS.records} records are added at once at most`)
  const pending = new PendingRows(reader)
  const sets: SetCommit[] = []
  const outcomes: AddOutcome[] = []
  const planned = (error?: CatalogError): AddAllPlan => ({
    operations: pending.operations,
    sets: together(sets),
    outcomes,
    error
  })
  for (const { change, record } of records) {
    if (slice.due()) await slice.pause()
    try {
      const plan = await PLANS[change](pending, record, nowMs, HOME_LIBRARY)
      pending.apply(plan.operations)
      sets.push(...plan.sets)
      outcomes.push(plan.added ? 'added' : 'known')
    } catch (thrown) {
      const error = toCatalogError(thrown)
      if (error.code !== 'LIMIT_EXCEEDED') return planned(error)
      outcomes.push('refused')
    }
  }
  return planned()
}

/** All changes of each library as one: of those of a key, the last. */
function together(sets: readonly SetCommit[]): SetCommit[] {
  const latest = new Map<string, { revision: number; changes: Map<string, SetChange> }>()
  for (const { libraryId, revision, changes } of sets) {
    const known = latest.get(libraryId)?.changes ?? new Map<string, SetChange>()
    for (const change of changes) known.set(Buffer.from(change.trieKey).toString('latin1'), change)
    latest.set(libraryId, { revision, changes: known })
  }
  return [...latest].map(([libraryId, { revision, changes }]) => ({
    libraryId,
    revision,
    changes: [...changes.values()]
  }))
}
