/** Brings the content of a followed library: of all its releases, or of those that somebody wants, one after the other and as nothing that hurries. */
import { MINUTE_MS, toCatalogError, withTimeout } from '../../base/index.ts'
import type { ContentPolicy } from '../../config/index.ts'
import type { ContentStore, Registry, Release, ReleaseRecord } from '../../library/index.ts'
import type { LibrarySets } from '../../sync/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import type { Blocking } from './blocking.ts'
import { matcherOf, type ReleaseFilter, type ReleaseMatcher, rankOf } from './release-filter.ts'
import type { FetchingService } from './types.ts'

/** For one release; a larger one goes on where it was the next time. */
const FETCH_TIMEOUT_MS = 60 * MINUTE_MS
/** Failures before the rest is left for later: the sources are away, or the store is full. */
const MAX_FAILURES = 16

export interface LibraryContentModules {
  fetching: FetchingService
  sets: Pick<LibrarySets, 'followedReleases'>
  content: Pick<ContentStore, 'localState'>
  registry: Pick<Registry, 'entries' | 'get' | 'status'>
  blocking: Pick<Blocking, 'isBlocked'>
}

export interface ContentWish {
  readonly library: Uint8Array
  readonly policy: ContentPolicy
  readonly filter?: ReleaseFilter
  /** What comes first, second and so on; the rest comes last. */
  readonly classes?: readonly ReleaseMatcher[]
}

export interface BroughtContent {
  /** Releases whose content came. */
  fetched: number
  /** Releases whose content could not be had. */
  failed: number
  bytesFetched: number
  /** Whether the rest was left for later. */
  isGivenUp: boolean
}

export interface BringOptions {
  readonly signal: AbortSignal
  /** Told before each fetch. */
  readonly onRelease?: (release: Release, soFar: Readonly<BroughtContent>) => void
  readonly onFailed?: (release: Release, code: string) => void
}

/** Goes through a library once. Throws the signal's reason. */
export async function bringContent(
  modules: LibraryContentModules,
  wish: ContentWish,
  { signal, onRelease, onFailed }: BringOptions
): Promise<BroughtContent> {
  const brought: BroughtContent = { fetched: 0, failed: 0, bytesFetched: 0, isGivenUp: false }
  if (wish.policy === 'none') return brought
  for await (const record of missing(modules, wish, signal)) {
    // Let go of since its page was read: unknown here, its id would be asked of everybody.
    if (modules.registry.get(record.id) === undefined) continue
    onRelease?.(record.release, brought)
    try {
      const request = { spec: record.id.toString(), priority: 'low' } as const
      const { bytesFetched } = await withTimeout(FETCH_TIMEOUT_MS, signal, limit =>
        modules.fetching.fetch(request, { signal: limit, progress: () => undefined })
      )
      brought.bytesFetched += bytesFetched
      brought.fetched++
    } catch (thrown) {
      signal.throwIfAborted()
      onFailed?.(record.release, toCatalogError(thrown).code)
      brought.isGivenUp = ++brought.failed === MAX_FAILURES
      if (brought.isGivenUp) break
    }
  }
  return brought
}

/**
 * In the order of the classes. A library may be larger than memory, so it is gone through once for each class of which something is
 * missing: in the first pass that shows.
 */
async function* missing(
  modules: LibraryContentModules,
  wish: ContentWish,
  signal: AbortSignal
): AsyncGenerator<ReleaseRecord> {
  const later = new Set<number>()
  for await (const { record, rank } of ranked(modules, wish, signal))
    if (rank === 0) yield record
    else later.add(rank)
  for (const wanted of [...later].sort((a, b) => a - b))
    for await (const { record, rank } of ranked(modules, wish, signal)) if (rank === wanted) yield record
}

/** What is missing, as it stands in the library, with the class that it is of. */
async function* ranked(
  { sets, content, registry, blocking }: LibraryContentModules,
  { library, policy, filter = {}, classes = [] }: ContentWish,
  signal: AbortSignal
): AsyncGenerator<{ record: ReleaseRecord; rank: number }> {
  const isMeant = matcherOf(filter)
  for (let after: Uint8Array | undefined; ; ) {
    const { releases, next } = await sets.followedReleases(library, after)
    for (const record of releases) {
      signal.throwIfAborted()
      const { release } = record
      if (blocking.isBlocked(record)) continue
      if (!isMeant(release) || content.localState(release.content) === 'complete') continue
      if (registry.status(release)?.status.state === 'yanked') continue
      if (policy === 'all' || (await isKnown({ content, registry }, release)))
        yield { record, rank: rankOf(release, classes) }
    }
    if (next === undefined) return
    after = next
  }
}

/** Whether some version of a package is whole here, of the same owner: anybody may publish under a name. */
async function isKnown(
  { content, registry }: Pick<LibraryContentModules, 'content' | 'registry'>,
  { name, owner }: Release
): Promise<boolean> {
  for await (const entry of registry.entries({ name }))
    if (bytesEqual(entry.owner, owner) && content.localState(entry.content) === 'complete') return true
  return false
}
