/** Views of contested names in the JSON shapes of the admin API. */
import type { ReleaseRecord, StatementSet } from '../../library/index.ts'
import {
  type Claim,
  isEquivocated,
  type NameView,
  type Outcome,
  type VersionView,
  weightOf
} from '../../sync/index.ts'
import { bytesEqual, formatPublicKey } from '../../trust/index.ts'
import type { Claimant, ConflictItem, ReleaseConflict, ReleaseInfo } from '../schemas.ts'
import type { NamePolicy } from './conflict-policies.ts'
import type { Knowledge } from './knowledge.ts'
import { releaseStatus } from './release-shapes.ts'

/** Versions that an item lists, claimants of one name that are shown, and versions of each. */
const MAX_VERSIONS = 20
const MAX_CLAIMANTS = 50
const MAX_CLAIMED = 50

/** Of several versions the first of these says how it stands with the name: what is left to do comes first. */
const URGENCY: readonly Outcome[] = ['open', 'kept', 'merged', 'settled', 'pinned', 'foreign', 'sole']

type Policy = NamePolicy & { pin?: Uint8Array | undefined }

/** What is added to a release that several owners claim: who, and with `merged` their words in place of one's own. */
export function conflictShape(view: VersionView, policy: Policy): Partial<ReleaseInfo> {
  const conflict: ReleaseConflict = {
    outcome: view.outcome,
    strategy: policy.strategy,
    claimants: view.claims.slice(0, MAX_CLAIMANTS).map(({ owner }) => formatPublicKey(owner))
  }
  return { ...view.merged, conflict }
}

export function conflictItem(name: string, view: NameView, policy: Policy): ConflictItem {
  const { strategy, origin, subject, pin } = policy
  const outcomes = new Set(view.versions.map(({ outcome }) => outcome))
  const contested = view.versions.filter(({ claims }) => claims.length > 1 || claims.some(isEquivocated))
  return {
    name,
    outcome: URGENCY.find(outcome => outcomes.has(outcome)) ?? 'sole',
    equivocated: view.versions.some(({ claims }) => claims.some(isEquivocated)),
    strategy,
    origin,
    ...(subject === undefined ? {} : { subject }),
    pinned: pin === undefined ? null : formatPublicKey(pin),
    owners: view.owners.length,
    versions: contested.slice(0, MAX_VERSIONS).map(({ version }) => version)
  }
}

/** Who claims a name, by key, each with its evidence. */
export function claimantsOf(known: Knowledge, view: NameView, { weights, pin }: Policy): Claimant[] {
  return view.owners.slice(0, MAX_CLAIMANTS).map(owner => {
    const claims = view.versions.flatMap(({ version, claims, winner }) =>
      claims.filter(claim => bytesEqual(claim.owner, owner)).map(claim => ({ version, claim, winner }))
    )
    const records = claims.flatMap(({ claim }) => claim.records)
    return {
      publisher: formatPublicKey(owner),
      pinned: pin !== undefined && bytesEqual(pin, owner),
      weight: weightOf(records, known.statements, weights),
      claims: claims
        .slice(0, MAX_CLAIMED)
        .flatMap(({ claim, winner }) => claimShapes(claim, claim === winner, known.statements, weights))
    }
  })
}

function claimShapes(
  claim: Claim,
  counts: boolean,
  statements: StatementSet,
  weights: Policy['weights']
): Claimant['claims'] {
  return claim.records.map((record: ReleaseRecord) => {
    const { release } = record
    return {
      version: release.version,
      id: record.id.toString(),
      content: release.content.toString(),
      sizeBytes: release.sizeBytes,
      publishedAt: new Date(release.publishedAt).toISOString(),
      sequence: release.sequence,
      ...releaseStatus(statements.statusOf(release)),
      counts,
      equivocated: isEquivocated(claim),
      attestations: statements.attestationsOf(release).map(({ signer, statement }) => {
        const key = formatPublicKey(signer)
        return { signer: key, statement, weight: weights.get(key) ?? 0 }
      })
    }
  })
}
