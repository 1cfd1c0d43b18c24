/**
 * Which release a user means. Pure: given the records that are known of a name, the owner that the name is pinned to here
 * and the publisher the user named, it picks one record or says why it cannot.
 *
 * A name belongs to nobody by itself: anybody may sign a release of it. So the owner is settled first, then the version:
 * 1. a publisher that the user named; 2. the owner the name is pinned to here, and no other (OWNER_CHANGED when only
 * others publish it); 3. the only owner there is; 4. else nobody guesses (OWNER_AMBIGUOUS, with the list).
 */
import { CatalogError } from '../../base/index.ts'
import {
  compareVersions,
  formatSpec,
  highestVersion,
  type ReleaseRecord,
  type Spec
} from '../../library/index.ts'
import { bytesEqual, formatPublicKey } from '../../trust/index.ts'

export type NamedSpec = Exclude<Spec, { kind: 'id' }>

export interface OwnerRule {
  /** Owner that the user named. */
  publisher?: Uint8Array
  /** Owner that the name is pinned to here. */
  pin?: Uint8Array
}

/** Owners and versions that the details of an error list at most. */
const MAX_LISTED = 20
/** And those that its one line names, so that it can still be read. */
const MAX_NAMED_OWNERS = 8
const MAX_NAMED_VERSIONS = 4

/** RELEASE_NOT_FOUND, OWNER_AMBIGUOUS, OWNER_CHANGED. */
export function selectRelease(
  records: readonly ReleaseRecord[],
  spec: NamedSpec,
  rule: OwnerRule
): ReleaseRecord {
  if (records.length === 0)
    throw new CatalogError('RELEASE_NOT_FOUND', `no release of ${spec.name} was found`, {
      details: { name: spec.name }
    })
  const owned = recordsOfOwner(records, spec, rule)
  const version = highestVersion(
    spec,
    owned.map(record => record.release.version)
  )
  const matching = owned.filter(record => record.release.version === version)
  const [newest] = matching.sort((a, b) => b.release.sequence - a.release.sequence)
  if (newest === undefined) throw versionNotFound(owned, spec)
  return newest
}

function recordsOfOwner(
  records: readonly ReleaseRecord[],
  spec: NamedSpec,
  { publisher, pin }: OwnerRule
): ReleaseRecord[] {
  const owner = publisher ?? pin ?? onlyOwner(records, spec)
  const owned = records.filter(record => bytesEqual(record.release.owner, owner))
  if (owned.length > 0) return owned
  if (publisher !== undefined)
    throw new CatalogError(
      'RELEASE_NOT_FOUND',
      `no release of ${spec.name} by ${formatPublicKey(publisher)} was found`,
      { details: { name: spec.name, owners: ownersOf(records) } }
    )
  throw new CatalogError(
    'OWNER_CHANGED',
    `${spec.name} is pinned to ${formatPublicKey(owner)} here, and only others publish it now`,
    { details: { name: spec.name, pinned: formatPublicKey(owner), owners: ownersOf(records) } }
  )
}

function onlyOwner(records: readonly ReleaseRecord[], spec: NamedSpec): Uint8Array {
  const [first] = records
  if (first !== undefined && records.every(({ release }) => bytesEqual(release.owner, first.release.owner)))
    return first.release.owner
  const owners = ownersOf(records)
  throw new CatalogError('OWNER_AMBIGUOUS', `several owners publish ${spec.name}: ${namedOwners(owners)}`, {
    details: { name: spec.name, owners },
    hint: 'ask the publisher you mean for the key, and choose it with --publisher KEY; an install pins it'
  })
}

/** `z6Mk… (2.0.0, 1.0.0); z6Mk… (9.9.9)`. */
function namedOwners(owners: readonly OwnerVersions[]): string {
  const named = owners.slice(0, MAX_NAMED_OWNERS).map(({ publisher, versions }) => {
    const more = versions.length > MAX_NAMED_VERSIONS ? ', …' : ''
    return `${publisher} (${versions.slice(0, MAX_NAMED_VERSIONS).join(', ')}${more})`
  })
  return [...named, ...(owners.length > MAX_NAMED_OWNERS ? ['and others'] : [])].join('; ')
}

interface OwnerVersions {
  publisher: string
  versions: string[]
}

/** Who publishes the name, and what: for the user to choose from. Highest version first. */
function ownersOf(records: readonly ReleaseRecord[]): OwnerVersions[] {
  const byOwner = new Map<string, Set<string>>()
  for (const { release } of records) {
    const publisher = formatPublicKey(release.owner)
    const versions = byOwner.get(publisher) ?? new Set()
    byOwner.set(publisher, versions.add(release.version))
  }
  return [...byOwner]
    .map(([publisher, versions]) => ({ publisher, versions: listed(versions) }))
    .sort((a, b) => (a.publisher < b.publisher ? -1 : 1))
    .slice(0, MAX_LISTED)
}

function listed(versions: Iterable<string>): string[] {
  return [...new Set(versions)].sort((a, b) => compareVersions(b, a)).slice(0, MAX_LISTED)
}

function versionNotFound(owned: readonly ReleaseRecord[], spec: NamedSpec): CatalogError {
  const versions = listed(owned.map(record => record.release.version))
  return new CatalogError(
    'RELEASE_NOT_FOUND',
    `no version matches ${formatSpec(spec)}; there is ${versions.join(', ')}`,
    {
      details: { name: spec.name, versions }
    }
  )
}
