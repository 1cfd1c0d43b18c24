import type { CID } from 'multiformats/cid'
import type { ContentStore, IndexEntry, Registry, ReleaseRecord } from '../../library/index.ts'

/** A content that is complete here, and most likely has most of an update in it. */
export interface OlderContent {
  readonly content: CID
  /** Keys of its manifest's pages: everything below each is here. */
  readonly pages: ReadonlySet<string>
}

export interface OlderModules {
  readonly store: Pick<ContentStore, 'localState' | 'wholePages'>
  readonly registry: Pick<Registry, 'entries'>
}

/** What the owner published last under the same name, of what is complete here. */
export async function findOlder(
  { store, registry }: OlderModules,
  { release }: ReleaseRecord,
  signal: AbortSignal
): Promise<OlderContent | undefined> {
  let last: IndexEntry | undefined
  for await (const entry of registry.entries({ name: release.name }, signal)) {
    if (last !== undefined && entry.sequence < last.sequence) continue
    if (Buffer.compare(entry.owner, release.owner) !== 0 || store.localState(entry.content) !== 'complete')
      continue
    last = entry
  }
  if (last === undefined) return undefined
  const { content } = last
  const pages = await store.wholePages(content, signal)
  return pages === undefined ? undefined : { content, pages }
}
