/**
 * Whether what is known of a release is of today. A library that is followed says when its head ends; past that whoever gives it may hide what is newer, a
 * yank above all (a *freeze*), and nobody could tell. So a release that only such libraries have, and that nobody else told of just now, is not taken without
 * a word.
 */
import { CatalogError, type Clock } from '../../base/index.ts'
import { parseSpec } from '../../library/index.ts'
import type { LibrarySets } from '../../sync/index.ts'
import { releaseName } from './release-shapes.ts'
import type { Resolved } from './resolving.ts'
import type { FetchRequest } from './types.ts'

export interface FreshnessModules {
  sets: { access: Pick<LibrarySets['access'], 'having'> }
  clock: Pick<Clock, 'now'>
}

/** Since when, in ms since the epoch, all libraries that have a release may be out of date; undefined when one is not, or peers have just told of it. */
export async function expiredSince(
  { sets, clock }: FreshnessModules,
  { record, holders }: Pick<Resolved, 'record' | 'holders'>
): Promise<number | undefined> {
  if (holders.length > 0) return undefined
  const libraries = await sets.access.having(record)
  if (libraries.length === 0) return undefined
  const endsMs = Math.max(...libraries.map(({ expires }) => expires ?? Number.POSITIVE_INFINITY))
  return clock.now() < endsMs ? undefined : endsMs
}

/** LIBRARY_EXPIRED for such a release, unless it was asked for all the same, by its hash, or as a lock file has it. */
export async function expectFresh(
  modules: FreshnessModules,
  { spec, content, stale }: FetchRequest,
  resolved: Pick<Resolved, 'record' | 'holders'>
): Promise<void> {
  if (stale === true || content !== undefined || parseSpec(spec).kind === 'id') return
  const sinceMs = await expiredSince(modules, resolved)
  if (sinceMs === undefined) return
  const expiredAt = new Date(sinceMs).toISOString()
  throw new CatalogError(
    'LIBRARY_EXPIRED',
    `what is known of ${releaseName(resolved.record)} may be out of date since ${expiredAt}`,
    { details: { expiredAt } }
  )
}
