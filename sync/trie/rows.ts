/**
 * The rows of a library's tree in the database (docs/disk-format.md). Nodes stand under their path, so that an update
 * overwrites what it replaces and nothing has to be collected; a tree that is built anew is a new generation beside the one
 * that is read, until the row of the tree says that it counts.
 */
import { type DatabaseReader, KeyFamily, makeKey } from '../../library/index.ts'
import { asBuffer, HASH_BYTES } from './entries.ts'
import { damaged, type NodeRef } from './node.ts'
import type { Path } from './path.ts'

export interface TreeRow {
  readonly generation: number
  /** Of the library, when the tree was last changed. */
  readonly revision: number
  /** Undefined while the set is empty. */
  readonly top: NodeRef | undefined
}

const ROW_VERSION = 1
const GENERATION_AT = 1
const REVISION_AT = GENERATION_AT + 4
const COUNT_AT = REVISION_AT + 8
const HASH_AT = COUNT_AT + 4
const ROW_BYTES = HASH_AT + HASH_BYTES
const GENERATION_BYTES = 4

/** A library of which nothing was written yet. */
const NEW_TREE: TreeRow = { generation: 0, revision: 0, top: undefined }

export const treeKey = (libraryId: string): Uint8Array => makeKey(KeyFamily.Tree, Buffer.from(libraryId))

/** The libraries that have a tree. */
export async function* readLibraryIds(reader: DatabaseReader): AsyncGenerator<string> {
  const prefix = makeKey(KeyFamily.Tree)
  for await (const [key] of reader.iterate({ prefix }))
    yield asBuffer(key).toString('utf8', prefix.byteLength)
}

export function encodeTreeRow({ generation, revision, top }: TreeRow): Uint8Array {
  const bytes = Buffer.alloc(ROW_BYTES)
  bytes[0] = ROW_VERSION
  bytes.writeUInt32BE(generation, GENERATION_AT)
  bytes.writeBigUInt64BE(BigInt(revision), REVISION_AT)
  bytes.writeUInt32BE(top?.count ?? 0, COUNT_AT)
  if (top !== undefined) bytes.set(top.hash, HASH_AT)
  return bytes
}

/** Where the tree of a library stands. Throws TREE_DAMAGED. */
export function readTreeRow(reader: DatabaseReader, libraryId: string): TreeRow {
  const stored = reader.get(treeKey(libraryId))
  if (stored === undefined) return NEW_TREE
  const bytes = asBuffer(stored)
  if (bytes.byteLength !== ROW_BYTES || bytes[0] !== ROW_VERSION)
    throw damaged('has a row that cannot be read', '')
  const count = bytes.readUInt32BE(COUNT_AT)
  return {
    generation: bytes.readUInt32BE(GENERATION_AT),
    revision: Number(bytes.readBigUInt64BE(REVISION_AT)),
    top: count === 0 ? undefined : { count, hash: Uint8Array.from(bytes.subarray(HASH_AT)) }
  }
}

/** Prefix of everything of one generation in a family. */
function generationPrefix(family: KeyFamily, libraryId: string, generation: number): Uint8Array {
  const number = Buffer.alloc(GENERATION_BYTES)
  number.writeUInt32BE(generation)
  return makeKey(family, libraryPart(libraryId), number)
}

const libraryPart = (libraryId: string): Uint8Array => Buffer.from(`${libraryId}\0`)

/** Prefix of all nodes of a library, of whatever generation. */
export const nodesPrefix = (libraryId: string): Uint8Array =>
  makeKey(KeyFamily.TreeNode, libraryPart(libraryId))

/** Prefix of the nodes of one generation. */
export const nodePrefix = (libraryId: string, generation: number): Uint8Array =>
  generationPrefix(KeyFamily.TreeNode, libraryId, generation)

export const nodeKey = (prefix: Uint8Array, path: Path): Uint8Array =>
  Buffer.concat([prefix, Buffer.from(path, 'latin1')])

/** The generation of a node, by its key. */
export const generationOf = (libraryId: string, key: Uint8Array): number =>
  asBuffer(key).readUInt32BE(nodesPrefix(libraryId).byteLength)

/** Prefix of the rows that sort a library's records for a generation that is being built. */
export const sortPrefix = (libraryId: string, generation: number): Uint8Array =>
  generationPrefix(KeyFamily.TreeSort, libraryId, generation)
