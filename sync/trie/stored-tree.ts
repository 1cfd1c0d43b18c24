import type { DatabaseReader } from '../../library/index.ts'
import { bytesEqual, sha256 } from '../../trust/index.ts'
import { damaged, rootOf } from './node.ts'
import type { NodeCache } from './node-cache.ts'
import type { Path } from './path.ts'
import { nodeKey, nodePrefix, readTreeRow, type TreeRow } from './rows.ts'
import type { NodeSource, TreeView } from './view.ts'

/** The tree of a library as the database has it. */
export interface StoredTree extends TreeView {
  readonly row: TreeRow
  readonly root: Uint8Array
}

/**
 * Opens the tree of a library for reading; one that nothing was written to is empty. It stays good for as long as `reader` shows one
 * state: give a snapshot where others write meanwhile. Throws TREE_DAMAGED, as reading its nodes does.
 */
export function openTree(reader: DatabaseReader, libraryId: string, cache?: NodeCache): StoredTree {
  const row = readTreeRow(reader, libraryId)
  const { generation, top } = row
  const nodes = new StoredNodes({ reader, ...(cache && { cache }) }, nodePrefix(libraryId, generation))
  return { row, top, nodes, root: rootOf(top) }
}

/** Nodes of one generation. Every node that is read from disk is hashed: a tree that rots is noticed before it proves anything. */
class StoredNodes implements NodeSource {
  readonly #reader: DatabaseReader
  readonly #cache: NodeCache | undefined
  readonly #prefix: Uint8Array

  constructor({ reader, cache }: { reader: DatabaseReader; cache?: NodeCache }, prefix: Uint8Array) {
    this.#reader = reader
    this.#cache = cache
    this.#prefix = prefix
  }

  get(path: Path, hash: Uint8Array): Uint8Array {
    const cached = this.#cache?.get(hash)
    if (cached !== undefined) return cached
    const bytes = this.#reader.get(nodeKey(this.#prefix, path))
    if (bytes === undefined) throw damaged('is missing', path)
    if (!bytesEqual(sha256(bytes), hash)) throw damaged('has other bytes than the node above says', path)
    this.#cache?.set(hash, bytes)
    return bytes
  }
}
