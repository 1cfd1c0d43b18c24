import {
  RECORD_LIMITS,
  type ReleaseDescription,
  type ReleaseRecord,
  supersedes
} from '../../library/index.ts'

/** Words about a content, as several owners give them. */
export type MergedDescription = Pick<
  ReleaseDescription,
  'description' | 'keywords' | 'categories' | 'licence' | 'authors' | 'links'
>

/**
 * The union of the words of several releases of one content. Of what there can be only one of, the newest record's counts; lists are
 * joined in alphabetical order, as many entries as one record may have. Does not depend on the order of the records.
 */
export function mergeDescriptions(records: readonly ReleaseRecord[]): MergedDescription {
  const releases = [...records].sort((a, b) => (supersedes(a, b) ? -1 : 1)).map(({ release }) => release)
  const newest = <F extends 'description' | 'licence'>(field: F) =>
    releases.find(release => release[field] !== undefined)?.[field]
  const all = (field: 'keywords' | 'categories' | 'authors', max: number): string[] | undefined =>
    nonEmpty([...new Set(releases.flatMap(release => release[field] ?? []))].sort().slice(0, max))
  // From the oldest on: a newer one takes the place of its key.
  const links = Object.assign({}, ...releases.toReversed().map(release => release.links ?? {})) as Record<
    string,
    string
  >
  const keys = nonEmpty(Object.keys(links).sort().slice(0, RECORD_LIMITS.links))
  return withoutUndefined({
    description: newest('description'),
    keywords: all('keywords', RECORD_LIMITS.keywords),
    categories: all('categories', RECORD_LIMITS.categories),
    licence: newest('licence'),
    authors: all('authors', RECORD_LIMITS.authors),
    links: keys && Object.fromEntries(keys.map(key => [key, links[key]!]))
  })
}

const nonEmpty = (list: string[]): string[] | undefined => (list.length === 0 ? undefined : list)

function withoutUndefined(
  fields: { [F in keyof MergedDescription]: MergedDescription[F] | undefined }
): MergedDescription {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
