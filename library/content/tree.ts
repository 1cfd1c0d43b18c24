/**
 * File trees: how a file of many chunks is named by one hash, so that any chunk can be verified alone.
 *
 * The chunks of a file are the leaves of a Merkle tree. A node lists up to 1,024 children, each with the
 * number of file bytes below it and its hash; nodes of level 1 list chunks, nodes of level n list nodes of
 * level n-1. (The pages of a manifest are the leaves of a tree of the same kind, with 32 children to a node.)
 * Whoever knows the root's hash can check a node when it arrives, from it the next, down to the
 * chunk, and knows the position of every byte from the lengths alone. 20 GiB are 328,000 chunks, 321 nodes
 * and one root: 0.06 % on top.
 *
 * A file has exactly one tree: it is filled from the left, so all nodes but the last of each level are full,
 * and the root has at least two children. A file of one chunk has no node: its root is the chunk (CIDv1
 * `raw`), and the empty file's root is the raw CID of no bytes. A longer file's root is the CIDv1 `dag-cbor`
 * of its root node.
 *
 * A node is the canonical DAG-CBOR of {count, entries, level, size}; `entries` packs count times (length,
 * hash): the length is a little-endian u32 in nodes of level 1, a u64 (at most 2^53-1) above.
 */
import { decode, encode } from '@ipld/dag-cbor'
import type { CID } from 'multiformats/cid'
import { CatalogError } from '../../base/index.ts'
import {
  BLOCK_ID_BYTES,
  blockIdOf,
  EMPTY_ROOT,
  hashBlock,
  MAX_BLOCK_BYTES,
  nodeCid,
  RAW_CODE,
  rawCid
} from './blocks.ts'
import { MIN_CHUNK_BYTES } from './chunker.ts'
import type { BlockId, ChunkRef, TreeNode } from './types.ts'

/** Children of a full node in the tree of a file. */
export const TREE_FANOUT = 1024
/**
 * And in the tree of a manifest's pages. An update sends the nodes above each changed page: with 1,024 children a node
 * would be larger than all the pages below it that have changed (docs/disk-format.md has figures).
 */
export const MANIFEST_FANOUT = 32
/** 32^4 pages are 12 million entries, 1,024^3 chunks of 16 KiB are 16 TiB: nothing that Catalog carries needs more. */
export const MAX_TREE_LEVEL = 4
/** A full node of level 2 is 40,960 bytes of entries and 34 of CBOR around them. */
export const MAX_NODE_BYTES = TREE_FANOUT * (8 + BLOCK_ID_BYTES) + 64

const lengthBytesAt = (level: number): number => (level === 1 ? 4 : 8)

/** An encoded node, ready to be stored. */
export interface NodeBlock {
  id: BlockId
  bytes: Uint8Array
}

/** Canonical bytes of a node. */
export function encodeNode(level: number, children: ChunkRef[]): Uint8Array {
  const lengthBytes = lengthBytesAt(level)
  const width = lengthBytes + BLOCK_ID_BYTES
  const entries = Buffer.allocUnsafe(children.length * width)
  let size = 0
  children.forEach((child, i) => {
    if (lengthBytes === 4) entries.writeUInt32LE(child.lengthBytes, i * width)
    else entries.writeBigUInt64LE(BigInt(child.lengthBytes), i * width)
    entries.set(child.id, i * width + lengthBytes)
    size += child.lengthBytes
  })
  return encode({ count: children.length, entries, level, size })
}

/** What the parent (or the manifest) says of a node, to be checked against the node itself. */
export interface NodeExpectation {
  /** Level of the node; undefined for a root, whose level nobody states. */
  level?: number
  /** File bytes below the node. */
  sizeBytes?: number
  /** A node that has a right neighbour must be full; undefined when not known. */
  full?: boolean
  /** Children of a full node in this tree; those of a file's unless given. */
  fanout?: number
  root: boolean
}

/**
 * Decodes a node from a peer or the disk. Anything that is not the one canonical encoding of a possible node,
 * or does not fit what the parent says, is CONTENT_INVALID.
 */
export function decodeNode(bytes: Uint8Array, expected: NodeExpectation): TreeNode {
  if (bytes.byteLength > MAX_NODE_BYTES) throw invalid(`a node of ${bytes.byteLength} bytes`)
  const fields = decodeFields(bytes, expected.fanout ?? TREE_FANOUT)
  const { level, count, entries, size } = fields
  const width = lengthBytesAt(level) + BLOCK_ID_BYTES
  if (entries.byteLength !== count * width) throw invalid('entries and count disagree')
  const children = unpack(entries, level, count)
  const sizeBytes = children.reduce((sum, child) => sum + child.lengthBytes, 0)
  if (sizeBytes !== size) throw invalid('size is not the sum of the lengths')
  if (Buffer.compare(encode({ count, entries, level, size }), bytes) !== 0) throw invalid('not canonical')
  checkExpected({ level, sizeBytes, children }, expected)
  return { level, sizeBytes, children }
}

function decodeFields(
  bytes: Uint8Array,
  fanout: number
): {
  level: number
  count: number
  entries: Uint8Array
  size: number
} {
  let node: unknown
  try {
    node = decode(bytes)
  } catch (cause) {
    throw invalid('not DAG-CBOR', cause)
  }
  if (typeof node !== 'object' || node === null) throw invalid('not a map')
  const { level, count, entries, size } = node as Record<string, unknown>
  if (!isWhole(level, 1, MAX_TREE_LEVEL)) throw invalid('level out of bounds')
  if (!isWhole(count, 1, fanout)) throw invalid('count out of bounds')
  if (!isWhole(size, 1, Number.MAX_SAFE_INTEGER)) throw invalid('size out of bounds')
  if (!(entries instanceof Uint8Array)) throw invalid('entries are not bytes')
  return { level, count, entries, size }
}

function unpack(entries: Uint8Array, level: number, count: number): ChunkRef[] {
  const view = Buffer.from(entries.buffer, entries.byteOffset, entries.byteLength)
  const lengthBytes = lengthBytesAt(level)
  const width = lengthBytes + BLOCK_ID_BYTES
  const children: ChunkRef[] = new Array(count)
  for (let i = 0; i < count; i++) {
    const at = i * width
    const length = level === 1 ? view.readUInt32LE(at) : Number(view.readBigUInt64LE(at))
    if (length < 1 || length > (level === 1 ? MAX_BLOCK_BYTES : Number.MAX_SAFE_INTEGER))
      throw invalid(`child ${i} has ${length} bytes`)
    children[i] = { id: entries.subarray(at + lengthBytes, at + width), lengthBytes: length }
  }
  return children
}

function checkExpected(node: TreeNode, expected: NodeExpectation): void {
  if (expected.level !== undefined && node.level !== expected.level)
    throw invalid(`level ${node.level} below a node that needs level ${expected.level}`)
  if (expected.sizeBytes !== undefined && node.sizeBytes !== expected.sizeBytes)
    throw invalid(`${node.sizeBytes} bytes where ${expected.sizeBytes} were stated`)
  if (expected.full === true && node.children.length !== (expected.fanout ?? TREE_FANOUT))
    throw invalid('a node with a right neighbour is not full')
  if (expected.root && node.children.length < 2) throw invalid('a root with one child')
  if (node.level === 1 && (expected.fanout ?? TREE_FANOUT) === TREE_FANOUT)
    checkChunks(node, expected.full === true)
}

/** Only the last chunk of a file may be short: a file of millions of chunks of a byte each would take hours to read. */
function checkChunks({ children }: TreeNode, hasRightNeighbour: boolean): void {
  const mayBeShort = hasRightNeighbour ? -1 : children.length - 1
  const short = children.findIndex(({ lengthBytes }, i) => lengthBytes < MIN_CHUNK_BYTES && i !== mayBeShort)
  if (short >= 0)
    throw invalid(
      `chunk ${short} of a node has ${children[short]!.lengthBytes} bytes, and only a file's last one may have fewer than ${MIN_CHUNK_BYTES}`
    )
}

/** What to expect of child `index` of a node, of which `expected` was: its level, its size, whether it must be full. */
export function expectChild(
  parent: TreeNode,
  index: number,
  { full = false, fanout = TREE_FANOUT }: Pick<NodeExpectation, 'full' | 'fanout'>
): NodeExpectation {
  return {
    level: parent.level - 1,
    sizeBytes: parent.children[index]!.lengthBytes,
    full: full || index < parent.children.length - 1,
    fanout,
    root: false
  }
}

const NO_NODES: NodeBlock[] = []

/**
 * Builds the tree of one file while its chunks come in order. Holds at most `fanout` children per level. Nodes
 * come out as soon as they are full; store them in any order.
 */
export class TreeBuilder {
  readonly #fanout: number
  readonly #levels: ChunkRef[][] = [[]]
  #sizeBytes = 0
  #leaves = 0

  constructor(fanout = TREE_FANOUT) {
    this.#fanout = fanout
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** Chunks so far. */
  get leaves(): number {
    return this.#leaves
  }

  /** Takes the next chunk; returns the nodes that are now complete (mostly none). */
  push(chunk: ChunkRef): NodeBlock[] {
    this.#sizeBytes += chunk.lengthBytes
    this.#leaves++
    if (this.#levels[0]!.length < this.#fanout) {
      this.#levels[0]!.push(chunk)
      return NO_NODES
    }
    const nodes: NodeBlock[] = []
    this.#add(0, chunk, nodes)
    return nodes
  }

  /**
   * The root, and the nodes that were still open. The builder is empty afterwards and can take the next file.
   */
  finish(): { root: CID; sizeBytes: number; nodes: NodeBlock[] } {
    const nodes: NodeBlock[] = []
    const sizeBytes = this.#sizeBytes
    let level = 0
    while (level < this.#levels.length - 1 || this.#levels[level]!.length > 1) this.#close(level++, nodes)
    const last = this.#levels[level]![0]
    const root = last === undefined ? EMPTY_ROOT : level === 0 ? rawCid(last.id) : nodeCid(last.id)
    this.#levels.length = 1
    this.#levels[0] = []
    this.#sizeBytes = 0
    this.#leaves = 0
    return { root, sizeBytes, nodes }
  }

  #add(level: number, child: ChunkRef, nodes: NodeBlock[]): void {
    if (this.#levels[level] === undefined) this.#levels[level] = []
    if (this.#levels[level].length === this.#fanout) this.#close(level, nodes)
    this.#levels[level].push(child)
  }

  /** Makes a node of level+1 of what is open at `level`, and hands it to the level above. */
  #close(level: number, nodes: NodeBlock[]): void {
    if (level >= MAX_TREE_LEVEL)
      throw new CatalogError('LIMIT_EXCEEDED', `a file of ${this.#sizeBytes} bytes has too many chunks`)
    const children = this.#levels[level]!
    const bytes = encodeNode(level + 1, children)
    const id = hashBlock(bytes)
    nodes.push({ id, bytes })
    this.#levels[level] = []
    this.#add(
      level + 1,
      { id, lengthBytes: children.reduce((sum, child) => sum + child.lengthBytes, 0) },
      nodes
    )
  }
}

/** Whether a root names its only chunk instead of a tree. */
export function isSingleChunk(root: CID): boolean {
  return root.code === RAW_CODE
}

/**
 * The one chunk of a file whose root is raw; nothing for the empty file. CONTENT_INVALID when the size cannot
 * be.
 */
export function singleChunk(root: CID, sizeBytes: number): ChunkRef | undefined {
  if (sizeBytes > MAX_BLOCK_BYTES) throw invalid(`a file of one chunk with ${sizeBytes} bytes`)
  if (root.equals(EMPTY_ROOT) !== (sizeBytes === 0)) throw invalid('only the empty file has no bytes')
  return sizeBytes === 0 ? undefined : { id: blockIdOf(root), lengthBytes: sizeBytes }
}

function isWhole(value: unknown, min: number, max: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max
}

function invalid(what: string, cause?: unknown): CatalogError {
  return new CatalogError('CONTENT_INVALID', `file tree refused: ${what}`, { cause })
}
