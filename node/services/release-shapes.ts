/** Records in the JSON shapes of the admin API. */
import type {
  ContentStore,
  ReleaseRecord,
  StatementRecord,
  StatementSet,
  Status
} from '../../library/index.ts'
import { formatPublicKey } from '../../trust/index.ts'
import type {
  FetchedRelease,
  ReleaseAccessName,
  ReleaseInfo,
  ReleaseItem,
  ReleaseStatus
} from '../schemas.ts'
import { npmDependencies } from './npm-dependencies.ts'

/** `name@version`, for messages. */
export function releaseName({ release }: ReleaseRecord): string {
  return `${release.name}@${release.version}`
}

/** What an owner says of a release, or that it was published and nothing else was said. */
export function releaseStatus(status: Status | undefined): ReleaseStatus {
  const { state = 'active', reason, replacement } = status ?? {}
  return {
    status: state === 'active' ? 'published' : state,
    ...(reason === undefined ? {} : { reason }),
    ...(replacement === undefined ? {} : { replacement })
  }
}

/** What the record of a release does not say itself. */
export interface SaidOfRelease {
  readonly status: Status | undefined
  readonly access: ReleaseAccessName
  readonly isBlocked: boolean
}

export function releaseItem(
  record: ReleaseRecord,
  content: Pick<ContentStore, 'localState' | 'isPinned'>,
  { status, access, isBlocked }: SaidOfRelease
): ReleaseItem {
  const { release } = record
  return {
    name: release.name,
    version: release.version,
    type: release.type,
    publisher: formatPublicKey(release.owner),
    id: record.id.toString(),
    content: release.content.toString(),
    sizeBytes: release.sizeBytes,
    ...releaseStatus(status),
    access,
    local: content.localState(release.content),
    kept: content.isPinned(release),
    isBlocked
  }
}

export function releaseInfo(
  record: ReleaseRecord,
  content: ContentStore,
  said: {
    readonly statements: StatementSet
    readonly access: ReleaseAccessName
    readonly isBlocked: boolean
    readonly libraries: string[]
    /** Whether the name is pinned to its owner here. */
    readonly pinned: boolean
  }
): ReleaseInfo {
  const { statements, access, isBlocked, libraries, pinned } = said
  const { release } = record
  const status = statements.statusOf(release)
  const unresolved = npmDependencies(release)
  const { description, keywords, categories, licence, authors, links, entryPoint } = release
  return {
    ...releaseItem(record, content, { status, access, isBlocked }),
    libraries,
    ...(status === undefined ? {} : { statusSequence: status.sequence }),
    attestations: statements.about(release).flatMap(attestationShape),
    files: release.files,
    publishedAt: new Date(release.publishedAt).toISOString(),
    signer: formatPublicKey(release.signer),
    pinned,
    description,
    keywords,
    categories,
    licence,
    authors,
    links,
    entryPoint,
    dependencies: release.dependencies,
    ...(unresolved.length > 0 ? { unresolved } : {}),
    requirements: release.requirements
  }
}

function attestationShape(record: StatementRecord): ReleaseInfo['attestations'] {
  if (record.kind !== 'attestation') return []
  const { signer, statement, holds, sequence } = record.attestation
  return [{ signer: formatPublicKey(signer), statement, holds, sequence }]
}

/** What is told of a release that is fetched. */
export function fetchedRelease(record: ReleaseRecord, status: Status | undefined): FetchedRelease {
  const { release } = record
  return {
    id: record.id.toString(),
    name: release.name,
    version: release.version,
    content: release.content.toString(),
    sizeBytes: release.sizeBytes,
    files: release.files,
    owner: formatPublicKey(release.owner),
    ...releaseStatus(status),
    dependencies: release.dependencies ?? [],
    unresolved: npmDependencies(release)
  }
}
