/** What a subscription becomes when the operator asks for another content, mode or filter of it. */
import { CatalogError } from '../../base/index.ts'
import { RELEASE_CONDITIONS, UNWRITABLE_IN_FOLLOW } from '../../config/index.ts'
import { formatPublicKey, parsePublicKey } from '../../trust/index.ts'
import { isFiltered, type ReleaseFilter } from './release-filter.ts'
import type { Subscription } from './subscription.ts'
import type { FollowRequest } from './types.ts'

/**
 * What is not given stays as it was. A filter is one thing: the conditions that are given are all of it. INVALID_ARGUMENT for one that has
 * nothing to choose or cannot be written into `sync.follow`, KEY_INVALID.
 */
export function wantedOf(request: FollowRequest, before: Subscription): Subscription {
  const { library: _, content = before.content, mode = before.mode, everything = false, ...given } = request
  const { writer, name, content: __, mode: ___, ...filterBefore } = before
  if (everything && isFiltered(given))
    throw new CatalogError('INVALID_ARGUMENT', '--everything takes the filter away, so none goes with it', {
      hint: 'a filter that is given takes the place of the one before'
    })
  const filter = isFiltered(given) ? writableFilter(given) : everything ? {} : filterBefore
  if (isFiltered(filter) && content === 'none' && mode === 'mirror')
    throw new CatalogError(
      'INVALID_ARGUMENT',
      'filters say of which releases content comes and which join home, and of this library neither does',
      {
        hint: 'give --content all or wanted, or --mode union, or take the filter away: --everything'
      }
    )
  return { writer, name, content, mode, ...filter }
}

/** As its conditions stand in a line of `sync.follow`. */
function writableFilter(filter: ReleaseFilter): ReleaseFilter {
  for (const name of RELEASE_CONDITIONS)
    if (UNWRITABLE_IN_FOLLOW.test(filter[name] ?? ''))
      throw new CatalogError(
        'INVALID_ARGUMENT',
        `the ${name} '${filter[name]}' has a space, comma or control character, which a line of sync.follow cannot have`,
        { hint: '`catalog sync` takes such a filter, once' }
      )
  const { publisher } = filter
  if (publisher === undefined) return filter
  return { ...filter, publisher: formatPublicKey(parsePublicKey(publisher)) }
}
