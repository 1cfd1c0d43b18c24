import type { CID } from 'multiformats/cid'
import { CatalogError, LruCache } from '../../base/index.ts'
import {
  type BlockId,
  blockIdOf,
  type ContentStore,
  decodeNode,
  decodePage,
  expectChild,
  idKey,
  isSingleChunk,
  MANIFEST_FANOUT,
  type ManifestEntry,
  type NodeExpectation,
  TREE_FANOUT,
  type TreeNode
} from '../../library/index.ts'
import { Part, type Run } from './frames.ts'
import { MAX_ANSWER_BLOCKS, MAX_ANSWER_BYTES, MAX_ANSWER_NODES, RESOLVER_CACHE_BYTES } from './limits.ts'

/** A block that a position names. */
export interface ResolvedBlock {
  readonly id: BlockId
  /** What the tree or entry above says of a chunk or page; undefined for a node. */
  readonly rawLengthBytes: number | undefined
}

/** A cached child of a node or entry of a page, with the objects around it: measured, not exact. */
const CHILD_COST_BYTES = 250
const ENTRY_COST_BYTES = 700

/** What is known of the root of a manifest's tree. */
const MANIFEST: NodeExpectation = { root: true, fanout: MANIFEST_FANOUT }

/**
 * Turns positions of a release into block ids: down the manifest's tree to a page, to an entry, down its file's tree.
 * Positions are enough because a tree is filled from the left: index i of a level is below child floor(i / fan-out^n).
 * What is decoded on the way is kept, bounded in bytes, because the next request mostly needs the same nodes.
 */
export class ContentResolver {
  readonly #store: Pick<ContentStore, 'readBlock'>
  readonly #nodes = new LruCache<string, TreeNode>({
    maxBytes: RESOLVER_CACHE_BYTES / 2,
    sizeBytes: node => node.children.length * CHILD_COST_BYTES
  })
  readonly #pages = new LruCache<string, ManifestEntry[]>({
    maxBytes: RESOLVER_CACHE_BYTES / 2,
    sizeBytes: entries => entries.length * ENTRY_COST_BYTES
  })

  constructor(store: Pick<ContentStore, 'readBlock'>) {
    this.#store = store
  }

  /**
   * All blocks the runs name, in order. NOT_FOUND for a position that does not exist or lies below a missing
   * block; LIMIT_EXCEEDED for more blocks, bytes or nodes than one answer holds.
   */
  async resolve(content: CID, runs: readonly Run[], signal: AbortSignal): Promise<ResolvedBlock[]> {
    const answer = new AnswerBudget()
    for (const run of runs) {
      if (run.part === Part.Manifest) await this.#manifest(content, run, answer, signal)
      else if (run.part === Part.Roots) await this.#roots(content, run, answer, signal)
      else await this.#file(content, run, answer, signal)
    }
    return answer.blocks
  }

  async #manifest(content: CID, run: Run, answer: AnswerBudget, signal: AbortSignal): Promise<void> {
    if (run.top || isSingleChunk(content)) {
      const isRoot = run.count === 1 && (run.top || (run.level === 0 && run.first === 0))
      if (!isRoot) throw nowhere('the manifest has one block there')
      answer.addNode(blockIdOf(content))
      return
    }
    await this.#below(content, MANIFEST, run, answer, signal)
  }

  async #roots(content: CID, run: Run, answer: AnswerBudget, signal: AbortSignal): Promise<void> {
    const entries = await this.#page(content, run.page, signal)
    if (run.slot + run.count > entries.length) throw nowhere(`page ${run.page} has ${entries.length} entries`)
    for (const entry of entries.slice(run.slot, run.slot + run.count)) {
      if (entry.kind !== 'file' || entry.sizeBytes === 0) continue
      if (isSingleChunk(entry.root)) answer.addLeaf(blockIdOf(entry.root), entry.sizeBytes)
      else answer.addNode(blockIdOf(entry.root))
    }
  }

  async #file(content: CID, run: Run, answer: AnswerBudget, signal: AbortSignal): Promise<void> {
    const entry = (await this.#page(content, run.page, signal))[run.slot]
    if (entry?.kind !== 'file' || isSingleChunk(entry.root)) throw nowhere('there is no file with a tree')
    await this.#below(entry.root, { sizeBytes: entry.sizeBytes, root: true }, run, answer, signal)
  }

  /** Blocks `first` to `first + count - 1` of a level below the root. */
  async #below(
    root: CID,
    expected: NodeExpectation,
    run: Run,
    answer: AnswerBudget,
    signal: AbortSignal
  ): Promise<void> {
    const { level, first, count } = run
    const { fanout = TREE_FANOUT } = expected
    const top = await this.#node(blockIdOf(root), expected, signal)
    if (level >= top.level) throw nowhere(`the tree has no level ${level} below its root`)
    const end = first + count
    for (let index = first; index < end; ) {
      const parent = await this.#descend(top, fanout, level + 1, Math.floor(index / fanout), signal)
      const from = index % fanout
      const to = Math.min(parent.children.length, from + end - index)
      if (to <= from) throw nowhere(`level ${level} ends before index ${index}`)
      for (const { id, lengthBytes } of parent.children.slice(from, to))
        if (level === 0) answer.addLeaf(id, lengthBytes)
        else answer.addNode(id)
      index += to - from
    }
  }

  /** Node number `index` of a level. */
  async #descend(
    top: TreeNode,
    fanout: number,
    level: number,
    index: number,
    signal: AbortSignal
  ): Promise<TreeNode> {
    let node = top
    let rest = index
    while (node.level > level) {
      const span = fanout ** (node.level - 1 - level)
      const at = Math.floor(rest / span)
      const child = node.children[at]
      if (child === undefined) throw nowhere(`level ${level} has no node ${index}`)
      rest -= at * span
      node = await this.#node(child.id, expectChild(node, at, { fanout }), signal)
    }
    if (rest !== 0) throw nowhere(`level ${level} has no node ${index}`)
    return node
  }

  async #node(id: BlockId, expected: NodeExpectation, signal: AbortSignal): Promise<TreeNode> {
    const key = idKey(id)
    const known = this.#nodes.get(key)
    if (known !== undefined) return known
    const node = decodeNode(await this.#read(id, signal), expected)
    this.#nodes.set(key, node)
    return node
  }

  async #page(content: CID, index: number, signal: AbortSignal): Promise<ManifestEntry[]> {
    const id = await this.#pageId(content, index, signal)
    const key = idKey(id)
    const known = this.#pages.get(key)
    if (known !== undefined) return known
    const entries = decodePage(await this.#read(id, signal))
    this.#pages.set(key, entries)
    return entries
  }

  async #pageId(content: CID, index: number, signal: AbortSignal): Promise<BlockId> {
    if (isSingleChunk(content)) {
      if (index !== 0) throw nowhere('the manifest has one page')
      return blockIdOf(content)
    }
    const top = await this.#node(blockIdOf(content), MANIFEST, signal)
    const parent = await this.#descend(top, MANIFEST_FANOUT, 1, Math.floor(index / MANIFEST_FANOUT), signal)
    const page = parent.children[index % MANIFEST_FANOUT]
    if (page === undefined) throw nowhere(`the manifest has no page ${index}`)
    return page.id
  }

  async #read(id: BlockId, signal: AbortSignal): Promise<Uint8Array> {
    return await this.#store.readBlock(id, signal)
  }
}

/** The blocks of one answer, held to its limits before anything is read. */
class AnswerBudget {
  readonly blocks: ResolvedBlock[] = []
  #leafBytes = 0
  #nodes = 0

  /** A chunk or a page: its length is known. */
  addLeaf(id: BlockId, lengthBytes: number): void {
    this.#leafBytes += lengthBytes
    if (this.#leafBytes > MAX_ANSWER_BYTES) throw tooLarge(`${MAX_ANSWER_BYTES} bytes`)
    this.#add(id, lengthBytes)
  }

  addNode(id: BlockId): void {
    if (++this.#nodes > MAX_ANSWER_NODES) throw tooLarge(`${MAX_ANSWER_NODES} tree nodes`)
    this.#add(id, undefined)
  }

  #add(id: BlockId, rawLengthBytes: number | undefined): void {
    if (this.blocks.length >= MAX_ANSWER_BLOCKS) throw tooLarge(`${MAX_ANSWER_BLOCKS} blocks`)
    this.blocks.push({ id, rawLengthBytes })
  }
}

function nowhere(what: string): CatalogError {
  return new CatalogError('NOT_FOUND', `no such position: ${what}`)
}

function tooLarge(limit: string): CatalogError {
  return new CatalogError('LIMIT_EXCEEDED', `one answer holds at most ${limit}`)
}
