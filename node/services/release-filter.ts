/** Which releases of a library are meant: by what their publishers say of them. A *condition* is one part of that in words, such as `tag:security`. */
import { RELEASE_CONDITIONS } from '../../config/index.ts'
import type { PackageType, Release } from '../../library/index.ts'
import { bytesEqual, parsePublicKey } from '../../trust/index.ts'

/** All of what is given must hold; everything is meant when nothing is. */
export interface ReleaseFilter {
  readonly type?: PackageType
  /** One of the keywords. */
  readonly tag?: string
  /** One of the categories. */
  readonly category?: string
  /** What the name begins with. */
  readonly prefix?: string
  /** Public key of the owner. */
  readonly publisher?: string
}

export type ReleaseMatcher = (release: Release) => boolean

/** Throws KEY_INVALID for a publisher that is no key. */
export function matcherOf({ type, tag, category, prefix, publisher }: ReleaseFilter): ReleaseMatcher {
  const owner = publisher === undefined ? undefined : parsePublicKey(publisher)
  return release =>
    (type === undefined || release.type === type) &&
    (tag === undefined || (release.keywords ?? []).includes(tag)) &&
    (category === undefined || (release.categories ?? []).includes(category)) &&
    (prefix === undefined || release.name.startsWith(prefix)) &&
    (owner === undefined || bytesEqual(release.owner, owner))
}

/** The filter that asks for all of some conditions, of which no two are of one kind. Throws KEY_INVALID. */
export function filterOf(conditions: readonly string[]): ReleaseFilter {
  const filter: ReleaseFilter = Object.fromEntries(
    conditions.map(condition => {
      const colon = condition.indexOf(':')
      return [condition.slice(0, colon), condition.slice(colon + 1)]
    })
  )
  if (filter.publisher !== undefined) parsePublicKey(filter.publisher)
  return filter
}

/** The same in words, always in one order. */
export const conditionsOf = (filter: ReleaseFilter): string[] =>
  RELEASE_CONDITIONS.flatMap(name => (filter[name] === undefined ? [] : [`${name}:${filter[name]}`]))

/** The classes that lines such as `tag:security` or `prefix:@acme/` name, in their order. Throws KEY_INVALID. */
export const classesOf = (lines: readonly string[]): ReleaseMatcher[] =>
  lines.map(line => matcherOf(filterOf([line])))

/** The first class that a release is of, from 0; of none is behind the last. */
export function rankOf(release: Release, classes: readonly ReleaseMatcher[]): number {
  const rank = classes.findIndex(isOf => isOf(release))
  return rank < 0 ? classes.length : rank
}

export const isFiltered = (filter: ReleaseFilter): boolean => conditionsOf(filter).length > 0
