/** A manifest in a block source, read page by page. */
import type { CID } from 'multiformats/cid'
import { CatalogError } from '../../base/index.ts'
import { blockIdOf, idHex } from './blocks.ts'
import { decodePage, EntryOrder } from './manifest.ts'
import type { BlockSource } from './reader.ts'
import { isSingleChunk, MANIFEST_FANOUT } from './tree.ts'
import { leavesBelow, type OnNode, PageIndex } from './tree-reader.ts'
import type { BlockId, ManifestEntry, ManifestReader } from './types.ts'

/** Opens a manifest. Nodes are read here; the pages must be in the source, else CONTENT_MISSING. */
export async function openManifest(
  source: BlockSource,
  content: CID,
  signal?: AbortSignal
): Promise<ManifestReader> {
  for await (const page of manifestPages(source, content, signal)) {
    if (!source.has(page))
      throw new CatalogError('CONTENT_MISSING', `page ${idHex(page)} of ${content} is not here`, {
        details: { id: idHex(page) }
      })
  }
  const tree = isSingleChunk(content) ? undefined : await PageIndex.open(source, content, signal)
  return new StoredManifest(source, content, tree)
}

/** Ids of the pages in order; `onNode` is told of the nodes of the manifest's tree. */
export async function* manifestPages(
  source: BlockSource,
  content: CID,
  signal?: AbortSignal,
  onNode?: OnNode
): AsyncGenerator<BlockId> {
  if (isSingleChunk(content)) {
    yield blockIdOf(content)
    return
  }
  const root = { root: true, fanout: MANIFEST_FANOUT }
  for await (const page of leavesBelow(source, blockIdOf(content), root, signal, onNode)) yield page.id
}

/** All entries in order, the order checked from page to page. */
export async function* manifestEntries(
  source: BlockSource,
  content: CID,
  signal?: AbortSignal,
  onBlock?: OnNode
): AsyncGenerator<ManifestEntry> {
  const order = new EntryOrder()
  for await (const page of manifestPages(source, content, signal, onBlock)) {
    const entries = decodePage(await source.read(page, signal))
    onBlock?.(page)
    if (entries.length === 0 && !isSingleChunk(content))
      throw new CatalogError('CONTENT_INVALID', `${content} has an empty page among others`)
    for (const entry of entries) {
      order.check(entry)
      yield entry
    }
  }
}

class StoredManifest implements ManifestReader {
  readonly #source: BlockSource
  readonly #content: CID
  readonly #tree: PageIndex | undefined

  constructor(source: BlockSource, content: CID, tree: PageIndex | undefined) {
    this.#source = source
    this.#content = content
    this.#tree = tree
  }

  get pageCount(): number {
    return this.#tree?.leafCount ?? 1
  }

  async page(index: number, signal?: AbortSignal): Promise<ManifestEntry[]> {
    return decodePage(await this.#source.read(await this.#pageId(index, signal), signal))
  }

  entries(signal?: AbortSignal): AsyncIterable<ManifestEntry> {
    return manifestEntries(this.#source, this.#content, signal)
  }

  async #pageId(index: number, signal?: AbortSignal): Promise<BlockId> {
    if (this.#tree !== undefined) return (await this.#tree.leaf(index, signal)).id
    if (index !== 0)
      throw new CatalogError('INVALID_ARGUMENT', `the manifest has one page, not page ${index}`)
    return blockIdOf(this.#content)
  }
}
