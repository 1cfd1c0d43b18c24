import { LruCache } from '../../base/index.ts'
import {
  type BlockId,
  type ChunkRef,
  type ContentStore,
  decodeNode,
  expectChild,
  idKey,
  type NodeExpectation
} from '../../library/index.ts'
import { Part } from './frames.ts'
import type { Position } from './planner.ts'
import { invalid } from './walk-entries.ts'
import type { StepStack, Steps, Tree, WalkWant } from './walk-steps.ts'

/**
 * Nodes that a walk remembers, 10 MB at most: three nodes can stand for 2^30 chunks by naming each other again and
 * again, and a walk that looked into each anew would take hours.
 */
const MAX_KNOWN_NODES = 65_536

export interface TreeWalkModules {
  readonly store: Pick<ContentStore, 'hasBlock'>
  /** Where the steps below a node go when it is here. */
  readonly stack: StepStack
  /** Asked for, or written and not yet in the index. */
  readonly isUnderWay: (key: string) => boolean
}

/** Walks down the trees of a release, the manifest's and those of files, from node to node as their bytes come. */
export class TreeWalk {
  readonly #modules: TreeWalkModules
  /** Nodes that are asked for or were looked into: what is below them need not be walked again. */
  readonly #known = new LruCache<string, true>({ maxEntries: MAX_KNOWN_NODES })

  constructor(modules: TreeWalkModules) {
    this.#modules = modules
  }

  /**
   * The children of a node, from its verified bytes. `firstIndex`: of its first child, counted over the child's level;
   * `start`: where its bytes begin in the release.
   */
  *below(tree: Tree, raw: Uint8Array, expected: NodeExpectation, firstIndex: number, start: number): Steps {
    const node = decodeNode(raw, expected)
    if (node.sizeBytes > tree.maxBytes) throw invalid(`a tree of ${node.sizeBytes} bytes`)
    let offset = start
    for (const [i, child] of node.children.entries()) {
      const index = firstIndex + i
      if (node.level === 1) yield* tree.leaf(child, index, offset)
      else yield* this.#childNode(tree, child, index, expectChild(node, i, expected), offset)
      offset += child.lengthBytes
    }
  }

  *#childNode(tree: Tree, child: ChunkRef, index: number, expected: NodeExpectation, start: number): Steps {
    const { id, lengthBytes } = child
    const use = (raw: Uint8Array): void => {
      const below = this.below(tree, raw, expected, index * expected.fanout!, start)
      this.#modules.stack.push(below, tree.isFile ? start : undefined)
    }
    if (tree.isRevisited) yield { held: id, use }
    else {
      const position = tree.position(expected.level!, index)
      yield* this.metadata(position, start, id, () => tree.onKnown(lengthBytes), use)
    }
  }

  /** A node or page: wanted when missing, looked into when here, `onKnown` when this fetch has it in hand elsewhere. */
  *metadata(
    position: Position,
    offset: number,
    id: BlockId,
    onKnown: (() => void) | undefined,
    use: (raw: Uint8Array) => void
  ): Steps {
    const key = idKey(id)
    const offsetBytes = position.part === Part.Manifest ? undefined : offset
    const want: WalkWant = { position, offsetBytes, id, rawLengthBytes: undefined, isUsed: false, use }
    const isKnown = this.#known.get(key) ?? this.#modules.isUnderWay(key)
    this.#known.set(key, true)
    if (isKnown) onKnown?.()
    else if (this.#modules.store.hasBlock(id)) yield { held: id, use, lost: want }
    else yield want
  }
}
