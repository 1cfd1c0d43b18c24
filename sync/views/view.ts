/**
 * The view of one name.
 *
 * Anybody may sign a release of any name, so one version can have several *claims*: one for each owner that signed it. What follows
 * depends on how many owners publish the name at all:
 *
 * - one: its claims stand;
 * - one of them is pinned: its claims stand and no others. A pin is the operator's word, and no strategy goes against it;
 * - several, and none is pinned: the strategy decides. `newest-wins` takes the claim with the newest record, `consensus-wins` the one whose
 *   attestations weigh most, if they weigh anything and more than those of every other; both also where a version has only one
 *   claim, or whoever picks a version number that nobody used would have the name. `merge` joins the words of claims that all
 *   have the same content, `keep-both` shows all, `manual` leaves the case open: these three choose nobody.
 *
 * A yank plays no part in it: an owner that withdraws a version does not hand it to somebody else.
 *
 * An owner that signed two contents as one version contradicts itself (*equivocated*). Its claim stays its claim, so that nobody gains
 * by another's mistake, but which content it means nobody can tell.
 */
import type { ConflictStrategy } from '../../config/index.ts'
import { compareVersions, type ReleaseRecord, type StatementSet, supersedes } from '../../library/index.ts'
import { bytesEqual, formatPublicKey } from '../../trust/index.ts'
import { type MergedDescription, mergeDescriptions } from './merge.ts'

/** What is known of a name: at most one record of each release. */
export interface Claims {
  readonly records: readonly ReleaseRecord[]
  readonly statements: StatementSet
}

export interface ViewPolicy {
  readonly strategy: ConflictStrategy
  /** What the attestations of a key weigh, by its text form; of others nothing. */
  readonly weights: ReadonlyMap<string, number>
  /** The owner that the name is pinned to here. */
  readonly pin?: Uint8Array | undefined
}

/** What one owner signed as one version. */
export interface Claim {
  readonly owner: Uint8Array
  /** Newest first; more than one when the owner contradicts itself. */
  readonly records: readonly [ReleaseRecord, ...ReleaseRecord[]]
  /** Of all who attest something of it. */
  readonly weight: number
}

/**
 * `sole`: nobody else publishes the name. `pinned`: the pinned owner's. `foreign`: only others than the pinned owner claim it.
 * `settled`: a strategy chose. `merged`: all claims are one content. `kept`: they stand side by side. `open`: somebody has to decide.
 */
export type Outcome = 'sole' | 'pinned' | 'foreign' | 'settled' | 'merged' | 'kept' | 'open'

export interface VersionView {
  readonly version: string
  readonly outcome: Outcome
  /** By owner. */
  readonly claims: readonly Claim[]
  /** Whose release is meant; absent where nobody's is. */
  readonly winner?: Claim
  /** With `merged`: the words of all claims. */
  readonly merged?: MergedDescription
}

export interface NameView {
  /** All who publish the name, by key. */
  readonly owners: readonly Uint8Array[]
  /** Highest first. */
  readonly versions: readonly VersionView[]
}

/** See above. Depends on nothing but the set of records and statements, and the policy. */
export function viewOfName(claims: Claims, policy: ViewPolicy): NameView {
  const byOwner = Map.groupBy(claims.records, ({ release }) => hex(release.owner))
  const owners = [...byOwner.keys()].sort().map(key => byOwner.get(key)![0]!.release.owner)
  const byVersion = Map.groupBy(claims.records, ({ release }) => release.version)
  const versions = [...byVersion]
    .sort(([a], [b]) => compareVersions(b, a) || (a < b ? -1 : 1))
    .map(([version, records]) => {
      const made = claimsOf(records, claims.statements, policy)
      return { version, claims: made, ...judge(made, owners.length > 1, policy) }
    })
  return { owners, versions }
}

/** Whether an owner signed several contents as this version, so that nobody can tell which one is meant. */
export const isEquivocated = ({ records }: Claim): boolean => records.length > 1

function claimsOf(
  records: readonly ReleaseRecord[],
  statements: StatementSet,
  { weights }: ViewPolicy
): Claim[] {
  const byOwner = Map.groupBy(records, ({ release }) => hex(release.owner))
  return [...byOwner]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, owned]) => {
      const [first, ...others] = owned.sort((a, b) => (supersedes(a, b) ? -1 : 1))
      const newestFirst: Claim['records'] = [first!, ...others]
      const weight = weightOf(newestFirst, statements, weights)
      return { owner: first!.release.owner, records: newestFirst, weight }
    })
}

/** The weights of all keys that attest something of any of these releases, each counted once. */
export function weightOf(
  records: readonly ReleaseRecord[],
  statements: StatementSet,
  weights: ReadonlyMap<string, number>
): number {
  const signers = records.flatMap(({ release }) =>
    statements.attestationsOf(release).map(({ signer }) => formatPublicKey(signer))
  )
  // In one order, because the sum of fractions depends on it.
  return [...new Set(signers)].sort().reduce((sum, signer) => sum + (weights.get(signer) ?? 0), 0)
}

type Judgement = Pick<VersionView, 'outcome' | 'winner' | 'merged'>

function judge(claims: readonly Claim[], isShared: boolean, { strategy, pin }: ViewPolicy): Judgement {
  if (pin !== undefined) {
    const winner = claims.find(({ owner }) => bytesEqual(owner, pin))
    return winner === undefined ? { outcome: 'foreign' } : { outcome: 'pinned', winner }
  }
  if (!isShared) return { outcome: 'sole', winner: claims[0]! }
  if (strategy === 'newest-wins') return { outcome: 'settled', winner: newestOf(claims) }
  if (strategy === 'consensus-wins') return settledBy(heaviestOf(claims))
  if (strategy === 'merge') return merged(claims)
  return { outcome: strategy === 'keep-both' ? 'kept' : 'open' }
}

function newestOf(claims: readonly Claim[]): Claim {
  return claims.reduce((best, claim) => (supersedes(claim.records[0], best.records[0]) ? claim : best))
}

const settledBy = (winner: Claim | undefined): Judgement =>
  winner === undefined ? { outcome: 'open' } : { outcome: 'settled', winner }

/** Undefined when nobody weighs anything, or two the same. */
function heaviestOf(claims: readonly Claim[]): Claim | undefined {
  const [first, second] = [...claims].sort((a, b) => b.weight - a.weight)
  if (first === undefined || first.weight === 0 || first.weight === second?.weight) return undefined
  return first
}

function merged(claims: readonly Claim[]): Judgement {
  const records = claims.flatMap(claim => claim.records)
  const [first] = records
  if (!records.every(({ release }) => release.content.equals(first!.release.content)))
    return { outcome: 'open' }
  return { outcome: 'merged', merged: mergeDescriptions(records) }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
