/**
 * The trees of all libraries of a node, in the worker, the only one that writes. Changes of a set come in; what goes out are the
 * operations that bring its tree after them, to be committed in the same batch as the records themselves. So the tree and the set
 * are never apart, whatever fails or is killed in between.
 */
import { toCatalogError } from '../../base/index.ts'
import type { DatabaseWriter, Slice, WriteOperation } from '../../library/index.ts'
import { buildTree } from './build.ts'
import type { Entries } from './entries.ts'
import { type NodeRef, rootOf } from './node.ts'
import type { NodeCache } from './node-cache.ts'
import {
  encodeTreeRow,
  generationOf,
  nodeKey,
  nodePrefix,
  nodesPrefix,
  readTreeRow,
  type TreeRow,
  treeKey
} from './rows.ts'
import { openTree, type StoredTree } from './stored-tree.ts'
import { type TreeChange, type TreeUpdate, updateSteps } from './update.ts'

/** Nodes that are written at once while a tree is built: a megabyte. */
const NODES_PER_BATCH = 1000

export interface TreeStoreModules {
  database: DatabaseWriter
  /** Shared by all trees. */
  cache: NodeCache
}

export interface TreeChanges {
  readonly libraryId: string
  readonly changes: readonly TreeChange[]
  /** Of the library once they are committed. */
  readonly revision: number
}

export interface PlannedTree {
  readonly operations: WriteOperation[]
  /** Of the set once the operations are committed. */
  readonly root: Uint8Array
  /** To be called once they are. */
  committed(): void
}

export class TreeStore {
  readonly #modules: TreeStoreModules

  constructor(modules: TreeStoreModules) {
    this.#modules = modules
  }

  /** The tree as it is now. Throws TREE_DAMAGED. */
  open(libraryId: string): StoredTree {
    const { database, cache } = this.#modules
    return openTree(database, libraryId, cache)
  }

  /** Plans what changes of a set do to its tree, giving way to others between buckets. Throws TREE_DAMAGED. */
  async plan({ libraryId, changes, revision }: TreeChanges, slice: Slice): Promise<PlannedTree> {
    const tree = this.open(libraryId)
    const { top, changed } = await runSteps(updateSteps(tree, changes), slice)
    const { generation } = tree.row
    const prefix = nodePrefix(libraryId, generation)
    const operations: WriteOperation[] = [putRow(libraryId, { generation, revision, top })]
    for (const [path, node] of changed) {
      const key = nodeKey(prefix, path)
      operations.push(node === undefined ? { type: 'del', key } : { type: 'put', key, value: node.bytes })
    }
    const committed = (): void => {
      for (const node of changed.values())
        if (node !== undefined) this.#modules.cache.set(node.hash, node.bytes)
    }
    return { operations, root: rootOf(top), committed }
  }

  /**
   * Builds a tree as `generation`, the next one, from records in the order of their keys, beside the tree that is there, which counts until the
   * last batch puts the new one in its place. Cut off anywhere, it can be begun anew. Nothing else may change the library meanwhile.
   */
  async build(
    { libraryId, generation, revision }: { libraryId: string; generation: number; revision: number },
    entries: AsyncIterable<Entries>,
    slice: Slice
  ): Promise<NodeRef | undefined> {
    const { database } = this.#modules
    await this.clean(libraryId)
    const prefix = nodePrefix(libraryId, generation)
    let operations: WriteOperation[] = []
    const top = await buildTree(entries, async (path, bytes) => {
      operations.push({ type: 'put', key: nodeKey(prefix, path), value: bytes })
      if (operations.length >= NODES_PER_BATCH) {
        // Each is synced: the row that follows may otherwise be on disk before them (docs/disk-format.md, "Limit").
        await database.batch(operations, { sync: true })
        operations = []
      }
      if (slice.due()) await slice.pause()
    })
    operations.push(putRow(libraryId, { generation, revision, top }))
    await database.batch(operations, { sync: true })
    await this.clean(libraryId)
    return top
  }

  /** The number of the next tree that is built anew. */
  nextGeneration(libraryId: string): number {
    return this.#generation(libraryId) + 1
  }

  /** Takes the tree of a library away, its row first, with `operations` in the same batch. */
  async remove(libraryId: string, operations: readonly WriteOperation[]): Promise<void> {
    const { database } = this.#modules
    await database.batch([{ type: 'del', key: treeKey(libraryId) }, ...operations], { sync: true })
    await database.clear(nodesPrefix(libraryId))
  }

  /** Deletes nodes of generations that do not count: of a tree that was replaced, or whose building was cut off. */
  async clean(libraryId: string): Promise<void> {
    const { database } = this.#modules
    const generation = this.#generation(libraryId)
    const prefix = nodesPrefix(libraryId)
    for (const reverse of [false, true])
      for (;;) {
        const other = await this.#generationAt(prefix, libraryId, reverse)
        if (other === undefined || other === generation) break
        await database.clear(nodePrefix(libraryId, other))
      }
  }

  /** The one that counts; 0 when the row that says so is damaged, since what it said of is to be built anew. */
  #generation(libraryId: string): number {
    try {
      return readTreeRow(this.#modules.database, libraryId).generation
    } catch (thrown) {
      if (toCatalogError(thrown).code === 'TREE_DAMAGED') return 0
      throw thrown
    }
  }

  /** The lowest generation that has a node, or the highest. */
  async #generationAt(prefix: Uint8Array, libraryId: string, reverse: boolean): Promise<number | undefined> {
    for await (const [key] of this.#modules.database.iterate({ prefix, limit: 1, reverse }))
      return generationOf(libraryId, key)
    return undefined
  }
}

const putRow = (libraryId: string, row: TreeRow): WriteOperation => ({
  type: 'put',
  key: treeKey(libraryId),
  value: encodeTreeRow(row)
})

async function runSteps(steps: Generator<void, TreeUpdate>, slice: Slice): Promise<TreeUpdate> {
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
    if (slice.due()) await slice.pause()
  }
}
