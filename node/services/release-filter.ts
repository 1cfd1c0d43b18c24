/** Which releases of a library are meant: by what their publishers say of them. */
import type { Release } from '../../library/index.ts'
import { bytesEqual, parsePublicKey } from '../../trust/index.ts'

/** All of what is given must hold; everything is meant when nothing is. */
export interface ReleaseFilter {
  readonly type?: string
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

/** The classes that lines such as `tag:security` or `prefix:@acme/` name, in their order. Throws KEY_INVALID. */
export const classesOf = (lines: readonly string[]): ReleaseMatcher[] =>
  lines.map(line => {
    const colon = line.indexOf(':')
    return matcherOf({ [line.slice(0, colon)]: line.slice(colon + 1) })
  })

/** The first class that a release is of, from 0; of none is behind the last. */
export function rankOf(release: Release, classes: readonly ReleaseMatcher[]): number {
  const rank = classes.findIndex(isOf => isOf(release))
  return rank < 0 ? classes.length : rank
}

export const isFiltered = ({ type, tag, category, prefix, publisher }: ReleaseFilter): boolean =>
  [type, tag, category, prefix, publisher].some(part => part !== undefined)
