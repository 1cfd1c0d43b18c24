import type { Candidate } from './types.ts'

/** Whether a candidate says the same as before: going through all releases tells most of them again. */
export function isSame(a: Candidate, b: Candidate): boolean {
  const { count, askers, lastMs } = a.demand
  const isWantedAlike = count === b.demand.count && askers === b.demand.askers && lastMs === b.demand.lastMs
  return isWantedAlike && PLAIN_FIELDS.every(field => a[field] === b[field])
}

type PlainField = Exclude<keyof Candidate, 'content' | 'demand'>

/** All but the content, by which candidates are known, and the demand. A field of which nothing is said here does not compile. */
const PLAIN_FIELDS = Object.keys({
  ...{ name: true, version: true, owner: true, bytes: true, pool: true, have: true, isReader: true },
  ...{ isBlocked: true, isFollowed: true, isListed: true, isPinned: true, isOffered: true },
  ...{ priority: true, availability: true }
} satisfies Record<PlainField, true>) as PlainField[]
