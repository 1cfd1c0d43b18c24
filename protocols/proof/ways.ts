/**
 * Ways down a content to one byte: from the CID over the nodes of the manifest's tree to a page, and from the page over the nodes of a
 * file's tree to a chunk. Each block is named by the one before it, so who goes the way with blocks whose hashes it has checked knows that
 * the chunk is of that content and at that place. A holder goes it with what is on its disk, who challenges it with what came in the
 * answer: the code is the same.
 */
import type { CID } from 'multiformats/cid'
import { CatalogError } from '../../base/index.ts'
import {
  type BlockId,
  type BlockSource,
  blockIdOf,
  type ChunkRef,
  decodeNode,
  decodePage,
  expectChild,
  isSingleChunk,
  MANIFEST_FANOUT,
  type ManifestEntry,
  type NodeExpectation,
  singleChunk,
  type TreeNode
} from '../../library/index.ts'

/** Gives blocks whose hashes are right. */
export type Blocks = Pick<BlockSource, 'read'>

/** A node of a manifest's tree, and where it stands. */
export interface FoundNode {
  readonly level: number
  readonly index: number
  readonly block: Uint8Array
  readonly node: TreeNode
}

/** A byte, by the page of the manifest that it is under. */
export interface BytePlace {
  readonly page: number
  readonly offset: number
}

/** Of the bytes under a page those from `startBytes` to before `endBytes`. */
export interface BytesOfPage {
  readonly page: number
  readonly startBytes: number
  readonly endBytes: number
}

/** A block, and which bytes of its page it has. */
export interface FoundBytes extends Omit<BytesOfPage, 'page'> {
  readonly block: Uint8Array
}

export const isAmong = ({ page, offset }: BytePlace, bytes: BytesOfPage): boolean =>
  page === bytes.page && offset >= bytes.startBytes && offset < bytes.endBytes

/** What is known of the root of a manifest's tree. */
export const MANIFEST_ROOT: NodeExpectation = { root: true, fanout: MANIFEST_FANOUT }

/** Bytes of the files of a page. */
export const fileBytesOf = (entries: readonly ManifestEntry[]): number =>
  entries.reduce((sum, entry) => sum + (entry.kind === 'file' ? entry.sizeBytes : 0), 0)

/** Node number `index` of a level of the manifest's tree; the root for level 0. NOT_FOUND where there is none. */
export async function findNode(
  blocks: Blocks,
  content: CID,
  { level, index }: { level: number; index: number },
  signal: AbortSignal
): Promise<FoundNode> {
  if (isSingleChunk(content)) throw nowhere('the manifest is one page')
  let block = await blocks.read(blockIdOf(content), signal)
  let expected = MANIFEST_ROOT
  let node = decodeNode(block, expected)
  const wanted = level === 0 ? node.level : level
  let rest = index
  while (node.level > wanted) {
    const span = MANIFEST_FANOUT ** (node.level - 1 - wanted)
    const at = Math.floor(rest / span)
    const child = node.children[at]
    if (child === undefined) break
    rest -= at * span
    expected = expectChild(node, at, expected)
    block = await blocks.read(child.id, signal)
    node = decodeNode(block, expected)
  }
  if (node.level !== wanted || rest !== 0) throw nowhere(`level ${level} has no node ${index}`)
  return { level: wanted, index, block, node }
}

/** The id of page `index`. NOT_FOUND. */
export async function findPage(
  blocks: Blocks,
  content: CID,
  index: number,
  signal: AbortSignal
): Promise<BlockId> {
  if (isSingleChunk(content)) {
    if (index !== 0) throw nowhere('the manifest has one page')
    return blockIdOf(content)
  }
  const place = { level: 1, index: Math.floor(index / MANIFEST_FANOUT) }
  const { node } = await findNode(blocks, content, place, signal)
  const page = node.children[index % MANIFEST_FANOUT]
  if (page === undefined) throw nowhere(`the manifest has no page ${index}`)
  return page.id
}

/** The chunk with byte `offset` of the files of a page; the page itself where it is the pages that are looked at. NOT_FOUND. */
export async function findBytes(
  blocks: Blocks,
  page: BlockId,
  { offset, isOfPages }: { offset: number; isOfPages: boolean },
  signal: AbortSignal
): Promise<FoundBytes> {
  const block = await blocks.read(page, signal)
  if (isOfPages) return { block, startBytes: 0, endBytes: block.byteLength }
  let startBytes = 0
  for (const entry of decodePage(block)) {
    if (entry.kind !== 'file') continue
    if (offset < startBytes + entry.sizeBytes) {
      const found = await findChunk(blocks, entry, offset - startBytes, signal)
      return {
        block: found.block,
        startBytes: startBytes + found.startBytes,
        endBytes: startBytes + found.endBytes
      }
    }
    startBytes += entry.sizeBytes
  }
  throw nowhere(`the page has ${startBytes} bytes under it`)
}

/** The chunk of a file with byte `offset`, which it has. */
async function findChunk(
  blocks: Blocks,
  { root, sizeBytes }: ManifestEntry & { kind: 'file' },
  offset: number,
  signal: AbortSignal
): Promise<FoundBytes> {
  let startBytes = 0
  let chunk: ChunkRef
  if (isSingleChunk(root)) chunk = singleChunk(root, sizeBytes)!
  else {
    let expected: NodeExpectation = { sizeBytes, root: true }
    chunk = { id: blockIdOf(root), lengthBytes: sizeBytes }
    for (let level = 1; level > 0; ) {
      const node = decodeNode(await blocks.read(chunk.id, signal), expected)
      const at = childWith(
        node.children.map(({ lengthBytes }) => lengthBytes),
        offset - startBytes
      )
      startBytes += at.startBytes
      chunk = node.children[at.index]!
      expected = expectChild(node, at.index, expected)
      level = node.level - 1
    }
  }
  const block = await blocks.read(chunk.id, signal)
  if (block.byteLength !== chunk.lengthBytes)
    throw new CatalogError('CONTENT_INVALID', 'a chunk is not as long as its tree says')
  return { block, startBytes, endBytes: startBytes + chunk.lengthBytes }
}

/** Which of several parts, one behind another, byte `offset` is in, and where that begins. The offset is below their sum. */
export function childWith(weights: readonly number[], offset: number): { index: number; startBytes: number } {
  let startBytes = 0
  let index = 0
  while (offset >= startBytes + weights[index]!) startBytes += weights[index++]!
  return { index, startBytes }
}

const nowhere = (what: string): CatalogError => new CatalogError('NOT_FOUND', `no such place: ${what}`)
