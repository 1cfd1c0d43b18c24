/**
 * Changing a set, and with it the trie, in one pass.
 *
 * The trie is canonical: a path has an interior node exactly when more than 32 keys begin with it, and a bucket stands at the
 * first path on the way down where 32 or fewer do. So the shape follows from the set alone, and two nodes with the same
 * records have the same root, whatever came and went in between. An update has to restore just that:
 *
 * - a bucket takes its changes by merging two sorted lists. With more than 32 records afterwards it splits into an interior
 *   node and, below it, what follows from the same rule; with none it goes.
 * - an interior node hands each child the changes that belong there. When 32 or fewer records are left below it, all
 *   its children are buckets by then, and it becomes one bucket of their records.
 *
 * Changes are sorted first, so each node is read and written once, however many changes go through it, and a batch of ten
 * thousand costs one pass. Nothing is written here: the result is the set of nodes that came, changed or went, and the new top;
 * until they are committed the old trie is whole.
 */
import {
  asBuffer,
  compareEntry,
  ENTRY_BYTES,
  type Entries,
  endOfDigit,
  entryCount,
  HASH_BYTES,
  NO_ENTRIES,
  sliceEntries
} from './entries.ts'
import {
  childAt,
  countOf,
  encodeBucket,
  encodeInterior,
  isBucket,
  MAX_BUCKET_RECORDS,
  type NodeRef,
  refOf,
  type Slots,
  setChild,
  slotsOf
} from './node.ts'
import { childPath, digitAt, FAN_OUT, type Path } from './path.ts'
import { type NodeSource, readNode, type TreeView } from './view.ts'

/** The record under a key comes or is replaced, or, without a recHash, goes. */
export interface TreeChange {
  readonly trieKey: Uint8Array
  readonly recHash: Uint8Array | undefined
}

export interface ChangedNode {
  readonly bytes: Uint8Array
  readonly hash: Uint8Array
}

export interface TreeUpdate {
  /** Undefined when no record is left. */
  readonly top: NodeRef | undefined
  /** The nodes that came or changed; undefined for those that went. */
  readonly changed: ReadonlyMap<Path, ChangedNode | undefined>
}

/** As many bytes as a number holds exactly. */
const HEAD_BYTES = 6

/** Applies changes in any order; of two for one key the later counts. Throws what the source throws. */
export function applyChanges(view: TreeView, changes: readonly TreeChange[]): TreeUpdate {
  const steps = updateSteps(view, changes)
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}

/** The same in steps of one bucket, for a caller that must give way between them. */
export function* updateSteps(view: TreeView, changes: readonly TreeChange[]): Generator<void, TreeUpdate> {
  const pass = new Pass(view.nodes)
  const sorted = sortChanges(changes)
  const top = yield* updateSubtree(pass, '', view.top, sorted, { from: 0, to: sorted.length })
  return { top, changed: pass.changed }
}

/** By key, each key once. Numbers compare faster than bytes, and the first six of two keys hardly ever are the same. */
function sortChanges(changes: readonly TreeChange[]): TreeChange[] {
  const sorted = changes
    .map(change => ({ change, head: asBuffer(change.trieKey).readUIntBE(0, HEAD_BYTES) }))
    .sort((a, b) => a.head - b.head || Buffer.compare(a.change.trieKey, b.change.trieKey))
    .map(({ change }) => change)
  return sorted.filter((change, index) => {
    const next = sorted[index + 1]
    return next === undefined || Buffer.compare(change.trieKey, next.trieKey) !== 0
  })
}

/** The nodes of one update: those it has changed before those that were there. */
class Pass implements NodeSource {
  readonly changed = new Map<Path, ChangedNode | undefined>()
  readonly #before: NodeSource

  constructor(before: NodeSource) {
    this.#before = before
  }

  get(path: Path, hash: Uint8Array): Uint8Array {
    return this.changed.get(path)?.bytes ?? this.#before.get(path, hash)
  }

  put(path: Path, count: number, bytes: Uint8Array): NodeRef {
    const ref = refOf(count, bytes)
    this.changed.set(path, { bytes, hash: ref.hash })
    return ref
  }

  remove(path: Path): void {
    this.changed.set(path, undefined)
  }
}

/** A part of the sorted changes: those whose keys begin with one path. */
interface Range {
  from: number
  to: number
}

/** Returns the very `ref` that was given when nothing has changed below it. */
function* updateSubtree(
  pass: Pass,
  path: Path,
  ref: NodeRef | undefined,
  changes: readonly TreeChange[],
  range: Range
): Generator<void, NodeRef | undefined> {
  const node = ref === undefined ? undefined : readNode(pass, path, ref)
  if (ref !== undefined && node?.kind === 'interior')
    return yield* updateInterior(pass, path, { ref, slots: Buffer.from(node.slots) }, changes, range)
  yield
  const before = node?.kind === 'bucket' ? node.entries : NO_ENTRIES
  const after = merge(before, changes, range)
  if (after.equals(before)) return ref
  if (after.byteLength > 0) return build(pass, path, after)
  pass.remove(path)
  return undefined
}

function* updateInterior(
  pass: Pass,
  path: Path,
  { ref, slots }: { ref: NodeRef; slots: Slots },
  changes: readonly TreeChange[],
  { from, to }: Range
): Generator<void, NodeRef | undefined> {
  const depth = path.length
  let isChanged = false
  for (let at = from; at < to; ) {
    const digit = digitAt(changes[at]!.trieKey, depth)
    let end = at + 1
    while (end < to && digitAt(changes[end]!.trieKey, depth) === digit) end++
    const before = childAt(slots, digit)
    const range = { from: at, to: end }
    const after = yield* updateSubtree(pass, childPath(path, digit), before, changes, range)
    if (after !== before) {
      setChild(slots, digit, after)
      isChanged = true
    }
    at = end
  }
  if (!isChanged) return ref
  const count = countOf(slots)
  return count > MAX_BUCKET_RECORDS
    ? pass.put(path, count, encodeInterior(slots))
    : collapse(pass, path, slots)
}

/** The children, all of them buckets, become one; undefined when they are all gone. */
function collapse(pass: Pass, path: Path, slots: Slots): NodeRef | undefined {
  const parts: Entries[] = []
  for (let digit = 0; digit < FAN_OUT; digit++) {
    const child = childAt(slots, digit)
    if (child === undefined) continue
    const at = childPath(path, digit)
    const node = readNode(pass, at, child)
    if (node.kind === 'bucket') parts.push(node.entries)
    pass.remove(at)
  }
  if (parts.length > 0) return build(pass, path, Buffer.concat(parts))
  pass.remove(path)
  return undefined
}

/** Puts the nodes for entries that begin with `path`: one bucket, or an interior node and what stands below it. */
function build(pass: Pass, path: Path, entries: Entries): NodeRef {
  const count = entryCount(entries)
  if (isBucket({ count })) return pass.put(path, count, encodeBucket(entries))
  const children = new Array<NodeRef | undefined>(FAN_OUT).fill(undefined)
  for (let from = 0; from < count; ) {
    const digit = digitAt(entries, path.length, from * ENTRY_BYTES)
    const end = endOfDigit(entries, from, path.length, digit)
    children[digit] = build(pass, childPath(path, digit), sliceEntries(entries, from, end))
    from = end
  }
  return pass.put(path, count, encodeInterior(slotsOf(children)))
}

/** The entries with the changes made. */
function merge(entries: Entries, changes: readonly TreeChange[], { from, to }: Range): Entries {
  const count = entryCount(entries)
  const merged = Buffer.allocUnsafe((count + to - from) * ENTRY_BYTES)
  let length = 0
  let kept = 0
  const keepBefore = (end: number): void => {
    length += entries.copy(merged, length, kept * ENTRY_BYTES, end * ENTRY_BYTES)
    kept = end
  }
  for (let at = from; at < to; at++) {
    const { trieKey, recHash } = changes[at]!
    let next = kept
    while (next < count && compareEntry(entries, next, trieKey) < 0) next++
    keepBefore(next)
    if (next < count && compareEntry(entries, next, trieKey) === 0) kept++
    if (recHash === undefined) continue
    length += asBuffer(trieKey).copy(merged, length, 0, HASH_BYTES)
    length += asBuffer(recHash).copy(merged, length, 0, HASH_BYTES)
  }
  keepBefore(count)
  return merged.subarray(0, length)
}
