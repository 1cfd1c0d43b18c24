/**
 * Which release a user means. Pure: given what is known of a name, the owner that the name is pinned to here and the publisher
 * the user named, it picks one record or says why it cannot.
 *
 * A name belongs to nobody by itself: anybody may sign a release of it. So the owner is settled first, then the version:
 * 1. a publisher that the user named; 2. the owner the name is pinned to here, and no other (OWNER_CHANGED when only
 * others publish it); 3. the only owner there is; 4. whom the operator's strategy for conflicts takes (sync/views), version by version;
 * 5. else nobody guesses (OWNER_AMBIGUOUS, with the list).
 *
 * Two kinds of versions are taken only by who names them exactly. One that its owner has yanked: a range passes it over. And one
 * for which its owner signed several contents (*equivocated*): that is fraud or an accident, and which content is meant is known only to
 * who has it locked by its hash or pinned here; to anybody else it is RELEASE_EQUIVOCATED.
 */
import type { CID } from 'multiformats/cid'
import { CatalogError } from '../../base/index.ts'
import {
  compareVersions,
  formatSpec,
  highestVersion,
  type Release,
  type ReleaseRecord,
  type Spec,
  specMatches,
  supersedes
} from '../../library/index.ts'
import { type VersionView, type ViewPolicy, viewOfName } from '../../sync/index.ts'
import { bytesEqual, formatPublicKey } from '../../trust/index.ts'
import type { Knowledge } from './knowledge.ts'

export type NamedSpec = Exclude<Spec, { kind: 'id' }>

export interface OwnerRule {
  /** Owner that the user named. */
  publisher?: Uint8Array
  /** Owner that the name is pinned to here. */
  pin?: Uint8Array
  /** The one content that is meant, as a lock file says. */
  content?: CID
  /** How several owners of one name are looked at. */
  policy: Pick<ViewPolicy, 'strategy' | 'weights'>
  /** Whether a release is shown and no more: then several owners of one content are as good as one, where the strategy is `merge`. */
  shows?: boolean
  /** Whether a release is pinned here, so that its content is the one that is meant. */
  isPinned?(release: Release): boolean
}

/** Owners and versions that the details of an error list at most. */
const MAX_LISTED = 20
/** And those that its one line names, so that it can still be read. */
const MAX_NAMED_OWNERS = 8
const MAX_NAMED_VERSIONS = 4

/** RELEASE_NOT_FOUND, OWNER_AMBIGUOUS, OWNER_CHANGED, RELEASE_EQUIVOCATED. */
export function selectRelease(known: Knowledge, spec: NamedSpec, rule: OwnerRule): ReleaseRecord {
  if (known.records.length === 0)
    throw new CatalogError('RELEASE_NOT_FOUND', `no release of ${spec.name} was found`, {
      details: { name: spec.name }
    })
  const byVersion =
    rule.publisher === undefined
      ? countingHere(known, spec, rule)
      : ofPublisher(known.records, spec, rule.publisher)
  if (spec.kind === 'range' && spec.exact) return exactRelease(byVersion, spec, rule)
  const offered = [...byVersion].flatMap(([, records]) => {
    const meant = meantOf(records, rule)
    return meant === undefined || isYanked(known, meant) ? [] : [meant]
  })
  const version = highestVersion(
    spec,
    offered.map(record => record.release.version)
  )
  const found = offered.find(record => record.release.version === version)
  if (found === undefined) throw versionNotFound(known, byVersion, spec)
  return found
}

/** The version of an exact spec, even if it is yanked. */
function exactRelease(
  byVersion: ReadonlyMap<string, ReleaseRecord[]>,
  spec: Extract<NamedSpec, { kind: 'range' }>,
  rule: OwnerRule
): ReleaseRecord {
  const version = highestVersion(spec, byVersion.keys())
  const records = version === undefined ? undefined : byVersion.get(version)
  if (records === undefined) throw noSuchVersion(byVersion, spec)
  const meant = meantOf(records, rule)
  if (meant !== undefined) return meant
  if (rule.content !== undefined)
    throw new CatalogError(
      'RELEASE_NOT_FOUND',
      `no ${formatSpec(spec)} with the content ${rule.content} was found`
    )
  throw equivocated(records, spec)
}

/** The one release of a version: undefined when its owner signed several contents, and nothing here says which one is meant. */
function meantOf(
  records: readonly ReleaseRecord[],
  { content, isPinned }: OwnerRule
): ReleaseRecord | undefined {
  if (content !== undefined) return records.find(({ release }) => release.content.equals(content))
  if (records.length === 1) return records[0]
  return records.find(({ release }) => isPinned?.(release) === true)
}

const isYanked = ({ statements }: Knowledge, { release }: ReleaseRecord): boolean =>
  statements.statusOf(release)?.state === 'yanked'

type ByVersion = ReadonlyMap<string, ReleaseRecord[]>

function ofPublisher(records: readonly ReleaseRecord[], spec: NamedSpec, publisher: Uint8Array): ByVersion {
  const owned = records.filter(({ release }) => bytesEqual(release.owner, publisher))
  if (owned.length > 0) return Map.groupBy(owned, ({ release }) => release.version)
  throw new CatalogError(
    'RELEASE_NOT_FOUND',
    `no release of ${spec.name} by ${formatPublicKey(publisher)} was found`,
    { details: { name: spec.name, owners: ownersOf(records) } }
  )
}

/** By version the releases that count for this node: of the pinned owner, the only one, or the one that its strategy takes. */
function countingHere(known: Knowledge, spec: NamedSpec, { pin, policy, shows }: OwnerRule): ByVersion {
  const { versions } = viewOfName(known, { ...policy, pin })
  const counting = new Map<string, ReleaseRecord[]>()
  for (const view of versions) {
    if (view.winner !== undefined) counting.set(view.version, [...view.winner.records])
    else if (shows === true && view.merged !== undefined) counting.set(view.version, [newestOf(view)])
  }
  if (pin !== undefined) {
    if (counting.size === 0) throw ownerChanged(known.records, spec, pin)
    return counting
  }
  const asked = versions.filter(({ version }) => specMatches(spec, version))
  const isSettled = asked.length === 0 || asked.some(({ version }) => counting.has(version))
  if (counting.size === 0 || !isSettled) throw ambiguous(known.records, spec)
  return counting
}

const newestOf = ({ claims }: VersionView): ReleaseRecord =>
  claims.map(({ records }) => records[0]).reduce((best, record) => (supersedes(record, best) ? record : best))

function ownerChanged(records: readonly ReleaseRecord[], spec: NamedSpec, pin: Uint8Array): CatalogError {
  return new CatalogError(
    'OWNER_CHANGED',
    `${spec.name} is pinned to ${formatPublicKey(pin)} here, and only others publish it now`,
    { details: { name: spec.name, pinned: formatPublicKey(pin), owners: ownersOf(records) } }
  )
}

function ambiguous(records: readonly ReleaseRecord[], spec: NamedSpec): CatalogError {
  const owners = ownersOf(records)
  return new CatalogError('OWNER_AMBIGUOUS', `several owners publish ${spec.name}: ${namedOwners(owners)}`, {
    details: { name: spec.name, owners },
    hint: `ask the publisher you mean for the key; \`catalog conflicts resolve ${spec.name} --owner KEY\` chooses it for good, --publisher KEY for one fetch or install, and an install pins it`
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
  const byOwner = Map.groupBy(records, ({ release }) => formatPublicKey(release.owner))
  return [...byOwner]
    .map(([publisher, owned]) => ({
      publisher,
      versions: listed(owned.map(({ release }) => release.version))
    }))
    .sort((a, b) => (a.publisher < b.publisher ? -1 : 1))
    .slice(0, MAX_LISTED)
}

function listed(versions: Iterable<string>): string[] {
  return [...new Set(versions)].sort((a, b) => compareVersions(b, a)).slice(0, MAX_LISTED)
}

/** Nothing that a range may take: what it would mean if nothing stood in the way is worth more than the list of versions. */
function versionNotFound(
  known: Knowledge,
  byVersion: ReadonlyMap<string, ReleaseRecord[]>,
  spec: NamedSpec
): CatalogError {
  const passedOver = highestVersion(spec, byVersion.keys())
  const records = passedOver === undefined ? undefined : byVersion.get(passedOver)
  const [record] = records ?? []
  if (record === undefined || records === undefined) return noSuchVersion(byVersion, spec)
  if (records.length > 1) return equivocated(records, spec)
  const { reason, replacement } = known.statements.statusOf(record.release) ?? {}
  const why = reason === undefined ? '' : ` (${reason})`
  const instead = replacement === undefined ? '' : `; instead of it: ${replacement}`
  return new CatalogError(
    'RELEASE_NOT_FOUND',
    `every version that matches ${formatSpec(spec)} is yanked: ${passedOver}${why}${instead}`,
    {
      details: { name: spec.name, yanked: listed([...byVersion.keys()].filter(v => specMatches(spec, v))) },
      hint: `to take it all the same, name it exactly: ${spec.name}@${passedOver}`
    }
  )
}

function noSuchVersion(byVersion: ReadonlyMap<string, unknown>, spec: NamedSpec): CatalogError {
  const versions = listed(byVersion.keys())
  return new CatalogError(
    'RELEASE_NOT_FOUND',
    `no version matches ${formatSpec(spec)}; there is ${versions.join(', ')}`,
    {
      details: { name: spec.name, versions }
    }
  )
}

function equivocated(records: readonly ReleaseRecord[], spec: NamedSpec): CatalogError {
  const { version, owner } = records[0]!.release
  return new CatalogError(
    'RELEASE_EQUIVOCATED',
    `${formatPublicKey(owner)} signed ${records.length} contents as ${spec.name}@${version}`,
    {
      details: {
        name: spec.name,
        version,
        publisher: formatPublicKey(owner),
        releases: records
          .map(({ id, release }) => ({ id: id.toString(), content: release.content.toString() }))
          .sort((a, b) => (a.content < b.content ? -1 : 1))
          .slice(0, MAX_LISTED)
      }
    }
  )
}
