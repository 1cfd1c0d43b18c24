/**
 * Dependencies of an npm package that are no name with a range: git, file:, names with capitals. A publisher's command line
 * records them as they stand in `extensions.npmDependencies`, by kind and name; the field is the publisher's own words, so
 * whatever has another form is passed over.
 */
import type { Release } from '../../library/index.ts'

export interface UnresolvedDependency {
  name: string
  range: string
  kind: string
}

/** Those of a release; a record has at most 32 KiB of them. */
export function npmDependencies({ extensions }: Pick<Release, 'extensions'>): UnresolvedDependency[] {
  return entriesOf(extensions?.npmDependencies).flatMap(([kind, ranges]) =>
    entriesOf(ranges).flatMap(([name, range]) => (typeof range === 'string' ? [{ name, range, kind }] : []))
  )
}

const entriesOf = (value: unknown): Array<[string, unknown]> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : []
