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

/** Until when, in ms since the epoch, one of the libraries that have a release is of today; without end when peers have just told of it. */
export async function freshUntil(
  { sets }: Pick<FreshnessModules, 'sets'>,
  { record, holders }: Pick<Resolved, 'record' | 'holders'>
): Promise<number> {
  const libraries = holders.length > 0 ? [] : await sets.access.having(record)
  if (libraries.length === 0) return Number.POSITIVE_INFINITY
  return Math.max(...libraries.map(({ expires }) => expires ?? Number.POSITIVE_INFINITY))
}

/** LIBRARY_EXPIRED for such a release, unless it was asked for all the same, by its hash, or as a lock file has it. */
export async function expectFresh(
  modules: FreshnessModules,
  { spec, content, stale }: FetchRequest,
  resolved: Pick<Resolved, 'record' | 'holders'>
): Promise<void> {
  if (stale === true || content !== undefined || parseSpec(spec).kind === 'id') return
  const endsMs = await freshUntil(modules, resolved)
  if (modules.clock.now() < endsMs) return
  const expiredAt = new Date(endsMs).toISOString()
  throw new CatalogError(
    'LIBRARY_EXPIRED',
    `what is known of ${releaseName(resolved.record)} may be out of date since ${expiredAt}`,
    { details: { expiredAt } }
  )
}
