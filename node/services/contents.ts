/** What the store holds, content by content, with what only the node knows of it: which releases name it, and what is on its way. */
import { CID } from 'multiformats/cid'
import type { ContentStore, HeldContent, IndexEntry, Registry } from '../../library/index.ts'
import type { ContentItem } from '../store-schemas.ts'
import type { Collecting } from './collecting.ts'
import type { FetchJobs } from './fetch-jobs.ts'
import type { Copies } from './mirroring/copies.ts'
import type { ContentService } from './types.ts'

/** Releases that are told of one content: strangers may give the same bytes any number of names. */
const MAX_NAMES = 10

export interface ContentsModules {
  registry: Pick<Registry, 'get' | 'naming' | 'read' | 'isOwn'>
  content: Pick<ContentStore, 'list' | 'remove' | 'isKept'>
  jobs: Pick<FetchJobs, 'unfinished'>
  collecting: Pick<Collecting, 'changed'>
  copies: Pick<Copies, 'of' | 'letGo'>
}

export function createContents(modules: ContentsModules): ContentService {
  const { registry, content, jobs, collecting, copies } = modules

  async function held(page: readonly HeldContent[], signal: AbortSignal): Promise<ContentItem[]> {
    const items = new Map(page.map(one => [one.content.toString(), itemOf(one)]))
    for (const [key, item] of items) item.isMirrored = copies.of(key)?.taken !== undefined
    const contents = page.map(one => one.content)
    for await (const entry of registry.naming(contents, signal))
      await addName(items.get(entry.content.toString())!, entry)
    return [...items.values()]
  }

  async function addName(item: ContentItem, entry: IndexEntry): Promise<void> {
    if (item.releases.length === MAX_NAMES) return
    item.releases.push(nameOf(entry))
    const record = registry.read(entry)
    if (record === undefined) return
    item.isOwn ||= await registry.isOwn(record.bytes)
    // A damaged content has lost the mark that says how large it is.
    item.sizeBytes ??= record.release.sizeBytes
    item.files ??= record.release.files
  }

  /** They are few, and have no row in the store until they are whole. */
  async function arriving(signal: AbortSignal): Promise<ContentItem[]> {
    const items = new Map<string, ContentItem>()
    for (const { id } of await jobs.unfinished(signal)) {
      const record = registry.get(CID.parse(id))
      if (record === undefined || content.isKept(record.release.content)) continue
      const { release } = record
      const key = release.content.toString()
      const { sizeBytes, files } = release
      const item = items.get(key) ?? emptyItem({ content: key, state: 'partial', sizeBytes, files })
      if (item.releases.length < MAX_NAMES) item.releases.push(nameOf(release))
      items.set(key, item)
    }
    return [...items.values()]
  }

  return {
    async list(limit, after, signal) {
      const page = await content.list({ limit, signal, ...(after === undefined ? {} : { after }) })
      const first = after === undefined ? await arriving(signal) : []
      const contents = [...first, ...(await held(page.contents, signal))]
      const last = page.contents.at(-1)
      return page.hasMore && last !== undefined ? { contents, next: last.content.toString() } : { contents }
    },
    async remove(cid, signal) {
      await content.remove(cid, signal)
      // Its row has gone with it: what comes here again is not kept from a collection by what was.
      if (copies.of(cid.toString()) !== undefined) await copies.letGo(cid)
      collecting.changed()
    }
  }
}

const nameOf = ({ name, version }: { name: string; version: string }): string => `${name}@${version}`

const emptyItem = (known: Pick<ContentItem, 'content' | 'state' | 'sizeBytes' | 'files'>): ContentItem => ({
  ...known,
  usedAt: null,
  releases: [],
  pins: [],
  isOwn: false,
  isMirrored: false
})

function itemOf({ content, summary, usedMs, pins }: HeldContent): ContentItem {
  return {
    ...emptyItem({
      content: content.toString(),
      state: summary === undefined ? 'damaged' : 'complete',
      sizeBytes: summary?.sizeBytes,
      files: summary?.files
    }),
    usedAt: usedMs === 0 ? null : new Date(usedMs).toISOString(),
    pins: pins.map(nameOf)
  }
}
