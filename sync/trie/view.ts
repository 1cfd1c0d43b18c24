/**
 * Reading a trie: a view is the top of a trie and a way to its nodes, and everything here is a function of one. It stays good
 * as long as its source gives the nodes of that moment, which a snapshot of the database does.
 *
 * What is asked for need not be a node of its own. A subtree is all records whose keys begin with one path, and where that lies
 * inside a bucket, its hash is what the node would have if it stood there: a node says nothing of its place, so both
 * sides of a comparison compute the same hash, whichever of them has a deeper trie.
 */
import {
  ENTRY_BYTES,
  type Entries,
  endOfDigit,
  entryCount,
  entryKey,
  findEntry,
  lowerBound,
  NO_ENTRIES,
  sliceEntries
} from './entries.ts'
import { childAt, decodeNode, encodeBucket, isBucket, type NodeRef, refOf, type TreeNode } from './node.ts'
import { childPath, digitAt, FAN_OUT, MAX_DEPTH, type Path, pathDigit, pathOf } from './path.ts'

/** Where nodes come from. */
export interface NodeSource {
  /** Bytes of the node at `path`, of which the parent says that they hash to `hash`. Throws TREE_DAMAGED when they are not there. */
  get(path: Path, hash: Uint8Array): Uint8Array
}

export interface TreeView {
  /** Undefined when the set is empty. */
  readonly top: NodeRef | undefined
  readonly nodes: NodeSource
}

/** All records whose keys begin with `path`. */
export interface Subtree extends NodeRef {
  readonly path: Path
  /** What stands below, where that is a part of a bucket and no node of its own. */
  readonly entries?: Entries
}

export const readNode = (nodes: NodeSource, path: Path, { hash }: NodeRef): TreeNode =>
  decodeNode(nodes.get(path, hash), path)

export const topOf = ({ top }: TreeView): Subtree | undefined => top && { ...top, path: '' }

/** What stands below a subtree, by digit. */
export function childrenOf({ nodes }: TreeView, subtree: Subtree): Array<Subtree | undefined> {
  const node = contentOf(nodes, subtree)
  if (node.kind === 'bucket') return partsOf(node.entries, subtree.path)
  return Array.from({ length: FAN_OUT }, (_, digit) => {
    const child = childAt(node.slots, digit)
    return child && { ...child, path: childPath(subtree.path, digit) }
  })
}

/** The records of a subtree, all at once: for one of so few that the caller can hold them. */
export function entriesOf(view: TreeView, subtree: Subtree): Entries {
  const node = contentOf(view.nodes, subtree)
  if (node.kind === 'bucket') return node.entries
  return Buffer.concat(childrenOf(view, subtree).map(child => (child ? entriesOf(view, child) : NO_ENTRIES)))
}

/** Number of records whose keys begin with `path`. */
export function countUnder(view: TreeView, path: Path): number {
  const node = nodeOver(view, path)
  if (node === undefined || node.path.length === path.length) return node?.count ?? 0
  return entryCount(entriesUnder(entriesOf(view, node), path))
}

/**
 * The node with all records whose keys begin with `path`: the one that stands there, or the bucket above. Unlike a subtree inside a
 * bucket it needs no hash to be computed.
 */
function nodeOver(view: TreeView, path: Path): Subtree | undefined {
  let node = topOf(view)
  while (node !== undefined && node.path.length < path.length && !isBucket(node))
    node = childrenOf(view, node)[pathDigit(path, node.path.length)]
  return node
}

/** Of the entries of a bucket those whose keys begin with `path`. */
function entriesUnder(entries: Entries, path: Path): Entries {
  const from = lowerBound(entries, Buffer.from(path.padEnd(MAX_DEPTH, '0'), 'hex'))
  let to = from
  while (to < entryCount(entries) && pathOf(entryKey(entries, to), path.length) === path) to++
  return sliceEntries(entries, from, to)
}

/** The recHash under a key; undefined when there is no such record. */
export function findRecord({ top, nodes }: TreeView, trieKey: Uint8Array): Uint8Array | undefined {
  let ref = top
  for (let depth = 0; ref !== undefined; depth++) {
    const node = readNode(nodes, pathOf(trieKey, depth), ref)
    if (node.kind === 'bucket') return findEntry(node.entries, trieKey)
    ref = childAt(node.slots, digitAt(trieKey, depth))
  }
  return undefined
}

/**
 * All records below `under` in the order of their keys, a bucket at a time; only those behind the key `after` when it is
 * given, so that what was cut off can go on.
 */
export function* iterateEntries(
  view: TreeView,
  { under = '', after }: { under?: Path; after?: Uint8Array } = {}
): Generator<Entries> {
  const node = nodeOver(view, under)
  if (node === undefined) return
  for (const entries of below(view, node, after)) {
    const wanted = node.path.length < under.length ? entriesUnder(entries, under) : entries
    if (wanted.byteLength > 0) yield wanted
  }
}

function* below(view: TreeView, subtree: Subtree, after: Uint8Array | undefined): Generator<Entries> {
  if (after !== undefined && isBefore(subtree.path, after)) return
  const node = contentOf(view.nodes, subtree)
  if (node.kind === 'bucket') {
    const rest = after === undefined ? node.entries : entriesAfter(node.entries, after)
    if (rest.byteLength > 0) yield rest
    return
  }
  for (const child of childrenOf(view, subtree)) if (child !== undefined) yield* below(view, child, after)
}

/** Whether all keys that begin with `path` come before `trieKey`. */
const isBefore = (path: Path, trieKey: Uint8Array): boolean => path < pathOf(trieKey, path.length)

function entriesAfter(entries: Entries, after: Uint8Array): Entries {
  const from = lowerBound(entries, after)
  const isThere = findEntry(entries, after) !== undefined
  return sliceEntries(entries, isThere ? from + 1 : from, entryCount(entries))
}

function contentOf(nodes: NodeSource, subtree: Subtree): TreeNode {
  const { path, entries } = subtree
  return entries === undefined ? readNode(nodes, path, subtree) : { kind: 'bucket', entries }
}

/** A bucket cut by the digit behind `path`. */
function partsOf(entries: Entries, path: Path): Array<Subtree | undefined> {
  const parts = new Array<Subtree | undefined>(FAN_OUT).fill(undefined)
  const depth = path.length
  // Two keys differ somewhere, so a part at the full depth is one record and has no parts of its own.
  if (depth === MAX_DEPTH) return parts
  for (let from = 0; from < entryCount(entries); ) {
    const digit = digitAt(entries, depth, from * ENTRY_BYTES)
    const end = endOfDigit(entries, from, depth, digit)
    const part = sliceEntries(entries, from, end)
    parts[digit] = { ...refOf(end - from, encodeBucket(part)), path: childPath(path, digit), entries: part }
    from = end
  }
  return parts
}
