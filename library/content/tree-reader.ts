/**
 * Walks over file trees whose nodes are in a block source: from root to chunks, each node verified against
 * its parent.
 */
import type { CID } from 'multiformats/cid'
import { CatalogError } from '../../base/index.ts'
import { blockIdOf } from './blocks.ts'
import type { BlockSource } from './reader.ts'
import {
  decodeNode,
  expectChild,
  isSingleChunk,
  MANIFEST_FANOUT,
  type NodeExpectation,
  singleChunk
} from './tree.ts'
import type { BlockId, ChunkRef, TreeNode } from './types.ts'

/** A node, verified and as its parent says. */
export async function readNode(
  source: BlockSource,
  id: BlockId,
  expected: NodeExpectation,
  signal?: AbortSignal
): Promise<TreeNode> {
  return decodeNode(await source.read(id, signal), expected)
}

/** Called with the id of each node before its children, for walks that check what is there; false leaves them out. */
export type OnNode = (id: BlockId) => boolean

/** The chunks of a file in order. Holds one node per level. */
export async function* fileChunks(
  source: BlockSource,
  root: CID,
  sizeBytes: number,
  signal?: AbortSignal,
  onNode?: OnNode
): AsyncGenerator<ChunkRef> {
  if (!isSingleChunk(root)) {
    yield* leavesBelow(source, blockIdOf(root), { sizeBytes, root: true }, signal, onNode)
    return
  }
  const chunk = singleChunk(root, sizeBytes)
  if (chunk !== undefined) yield chunk
}

/** The leaves below a node in order. */
export async function* leavesBelow(
  source: BlockSource,
  id: BlockId,
  expected: NodeExpectation,
  signal?: AbortSignal,
  onNode?: OnNode
): AsyncGenerator<ChunkRef> {
  const node = await readNode(source, id, expected, signal)
  if (onNode?.(id) === false) return
  if (node.level === 1) {
    yield* node.children
    return
  }
  for (const [index, child] of node.children.entries()) {
    yield* leavesBelow(source, child.id, expectChild(node, index, expected), signal, onNode)
  }
}

/**
 * Pages of a manifest's tree by position, in logarithmic time: all nodes but the last of a level are full, so the
 * position says the way. Keeps the nodes of the last way.
 */
export class PageIndex {
  readonly #source: BlockSource
  /** Nodes from the root down to the one last used, with their ids. */
  readonly #path: Array<{ id: BlockId; node: TreeNode }>
  readonly leafCount: number

  private constructor(source: BlockSource, root: { id: BlockId; node: TreeNode }, leafCount: number) {
    this.#source = source
    this.#path = [root]
    this.leafCount = leafCount
  }

  /** Reads the right edge of the tree: what is needed to count its leaves. */
  static async open(source: BlockSource, root: CID, signal?: AbortSignal): Promise<PageIndex> {
    const id = blockIdOf(root)
    const expected = { root: true, fanout: MANIFEST_FANOUT }
    const top = await readNode(source, id, expected, signal)
    let node = top
    let leaves = 0
    while (node.level > 1) {
      const last = node.children.length - 1
      leaves += last * MANIFEST_FANOUT ** (node.level - 1)
      node = await readNode(source, node.children[last]!.id, expectChild(node, last, expected), signal)
    }
    return new PageIndex(source, { id, node: top }, leaves + node.children.length)
  }

  get sizeBytes(): number {
    return this.#path[0]!.node.sizeBytes
  }

  /** Leaf number `index`. INVALID_ARGUMENT outside the tree. */
  async leaf(index: number, signal?: AbortSignal): Promise<ChunkRef> {
    if (!Number.isSafeInteger(index) || index < 0 || index >= this.leafCount)
      throw new CatalogError(
        'INVALID_ARGUMENT',
        `there are ${this.leafCount} leaves, none has number ${index}`
      )
    let { node } = this.#path[0]!
    let rest = index
    let expected: NodeExpectation = { root: true, fanout: MANIFEST_FANOUT }
    for (let depth = 1; node.level > 1; depth++) {
      const span = MANIFEST_FANOUT ** (node.level - 1)
      const at = Math.floor(rest / span)
      rest -= at * span
      expected = expectChild(node, at, expected)
      node = await this.#child(depth, node.children[at]!.id, expected, signal)
    }
    return node.children[rest]!
  }

  async #child(
    depth: number,
    id: BlockId,
    expected: NodeExpectation,
    signal?: AbortSignal
  ): Promise<TreeNode> {
    const known = this.#path[depth]
    if (known !== undefined && known.id === id) return known.node
    const node = await readNode(this.#source, id, expected, signal)
    this.#path.length = Math.min(this.#path.length, depth)
    if (this.#path.length === depth) this.#path.push({ id, node })
    return node
  }
}
