/** Records in the JSON shapes of the admin API. */
import type { ContentStore, ReleaseRecord } from '../../library/index.ts'
import { formatPublicKey } from '../../trust/index.ts'
import type { ReleaseInfo, ReleaseItem } from '../schemas.ts'
import { npmDependencies } from './npm-dependencies.ts'

/** `name@version`, for messages. */
export function releaseName({ release }: ReleaseRecord): string {
  return `${release.name}@${release.version}`
}

export function releaseItem(record: ReleaseRecord, content: ContentStore): ReleaseItem {
  const { release } = record
  return {
    name: release.name,
    version: release.version,
    type: release.type,
    publisher: formatPublicKey(release.owner),
    id: record.id.toString(),
    content: release.content.toString(),
    sizeBytes: release.sizeBytes,
    // Status records and libraries with an audience are reserved kinds: until then every release is as published.
    status: 'published',
    access: 'public',
    local: content.localState(release.content),
    kept: content.isPinned(release)
  }
}

export function releaseInfo(record: ReleaseRecord, content: ContentStore, pinned: boolean): ReleaseInfo {
  const { release } = record
  const unresolved = npmDependencies(release)
  const { description, keywords, categories, licence, authors, links, entryPoint } = release
  return {
    ...releaseItem(record, content),
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
