/**
 * Marks everything that contents need: pages, nodes and chunks. A content may be there in part, because it is being
 * fetched or was damaged: what its nodes name is marked whether it is here or not, and a node that is not here ends only
 * its own branch.
 */
import type { CID } from 'multiformats/cid'
import { toCatalogError } from '../../base/index.ts'
import { blockIdOf } from './blocks.ts'
import { KnownNodes } from './check.ts'
import type { Pauses } from './ingest.ts'
import type { LiveSet } from './live-set.ts'
import { decodePage } from './manifest.ts'
import type { BlockSource } from './reader.ts'
import { expectChild, isSingleChunk, MANIFEST_FANOUT, type NodeExpectation } from './tree.ts'
import { readNode } from './tree-reader.ts'
import type { BlockId } from './types.ts'

export interface MarkerModules {
  source: BlockSource
  live: LiveSet
  slice: Pauses
}

export class Marker {
  readonly #modules: MarkerModules
  /** Nodes and pages that were walked: versions of one package share most of theirs. */
  readonly #known = new KnownNodes()
  /** Nodes and pages that are not here, or wrong: what they alone name is not protected. */
  gaps = 0

  constructor(modules: MarkerModules) {
    this.#modules = modules
  }

  async mark(content: CID, signal?: AbortSignal): Promise<void> {
    if (isSingleChunk(content)) return await this.#page(blockIdOf(content), signal)
    const expected = { root: true, fanout: MANIFEST_FANOUT }
    await this.#tree(blockIdOf(content), expected, page => this.#page(page, signal), signal)
  }

  async #page(id: BlockId, signal?: AbortSignal): Promise<void> {
    const entries = await this.#open(id, async () => decodePage(await this.#modules.source.read(id, signal)))
    for (const entry of entries ?? []) {
      if (entry.kind !== 'file') continue
      const { root, sizeBytes } = entry
      if (isSingleChunk(root)) this.#modules.live.add(blockIdOf(root))
      else await this.#tree(blockIdOf(root), { sizeBytes, root: true }, this.#leaf, signal)
    }
  }

  readonly #leaf = (id: BlockId): void => this.#modules.live.add(id)

  async #tree(
    id: BlockId,
    expected: NodeExpectation,
    leaf: (id: BlockId) => Promise<void> | void,
    signal?: AbortSignal
  ): Promise<void> {
    const node = await this.#open(id, () => readNode(this.#modules.source, id, expected, signal))
    for (const [at, child] of node?.children.entries() ?? []) {
      if (node!.level > 1) await this.#tree(child.id, expectChild(node!, at, expected), leaf, signal)
      else await leaf(child.id)
    }
  }

  /** Reads a node or page for the first time; undefined when it was walked already or cannot be. */
  async #open<T>(id: BlockId, read: () => Promise<T>): Promise<T | undefined> {
    const { live, slice } = this.#modules
    live.add(id)
    if (slice.due()) await slice.pause()
    if (!this.#known.add(id)) return undefined
    try {
      return await read()
    } catch (thrown) {
      const { code } = toCatalogError(thrown)
      if (code !== 'CONTENT_MISSING' && code !== 'CONTENT_CORRUPT' && code !== 'CONTENT_INVALID') throw thrown
      this.gaps++
      return undefined
    }
  }
}
