/**
 * Building a trie from nothing, from records that come in the order of their keys. That order makes it a single pass with next to no
 * memory: the records below any path stand next to each other, and 33 of them in view are enough to know whether a bucket
 * or an interior node belongs there. Nodes come out children first; a few hundred thousand records a second.
 */
import { CatalogError } from '../../base/index.ts'
import { compareEntry, type Entries, entryCount, entryKey, NO_ENTRIES, sliceEntries } from './entries.ts'
import {
  countOf,
  encodeBucket,
  encodeInterior,
  MAX_BUCKET_RECORDS,
  type NodeRef,
  refOf,
  slotsOf
} from './node.ts'
import { childPath, FAN_OUT, type Path, pathOf } from './path.ts'

/** Takes each node once; the next is made when it resolves. */
export type NodeSink = (path: Path, bytes: Uint8Array) => Promise<void>

/**
 * Builds the trie of a stream of entries and returns its top, undefined when there are none. `entries` come in parts of any
 * size, keys rising over all of them: throws INTERNAL when they do not, and whatever `sink` and the stream throw.
 */
export async function buildTree(
  entries: AsyncIterable<Entries>,
  sink: NodeSink
): Promise<NodeRef | undefined> {
  const ahead = new Lookahead(entries[Symbol.asyncIterator]())
  return await buildBelow('', ahead, sink)
}

async function buildBelow(path: Path, ahead: Lookahead, sink: NodeSink): Promise<NodeRef | undefined> {
  const few = await ahead.under(path, MAX_BUCKET_RECORDS + 1)
  const count = entryCount(few)
  if (count === 0) return undefined
  if (count <= MAX_BUCKET_RECORDS) {
    ahead.skip(count)
    return await put(path, count, encodeBucket(few), sink)
  }
  const children: Array<NodeRef | undefined> = []
  for (let digit = 0; digit < FAN_OUT; digit++)
    children.push(await buildBelow(childPath(path, digit), ahead, sink))
  const slots = slotsOf(children)
  return await put(path, countOf(slots), encodeInterior(slots), sink)
}

async function put(path: Path, count: number, bytes: Uint8Array, sink: NodeSink): Promise<NodeRef> {
  await sink(path, bytes)
  return refOf(count, bytes)
}

/** The next entries of a stream, as many as somebody wants to see before they are taken. */
class Lookahead {
  readonly #parts: AsyncIterator<Entries>
  #entries: Entries = NO_ENTRIES
  #lastKey: Uint8Array | undefined

  constructor(parts: AsyncIterator<Entries>) {
    this.#parts = parts
  }

  /** Those of the next `most` entries whose keys begin with `path`. */
  async under(path: Path, most: number): Promise<Entries> {
    while (entryCount(this.#entries) < most) {
      const { done, value } = await this.#parts.next()
      if (done === true) break
      this.#checkOrder(value)
      this.#entries = Buffer.concat([this.#entries, value])
    }
    const seen = Math.min(most, entryCount(this.#entries))
    let count = 0
    while (count < seen && pathOf(entryKey(this.#entries, count), path.length) === path) count++
    return sliceEntries(this.#entries, 0, count)
  }

  skip(count: number): void {
    this.#entries = sliceEntries(this.#entries, count, entryCount(this.#entries))
  }

  #checkOrder(part: Entries): void {
    for (let index = 0; index < entryCount(part); index++) {
      if (this.#lastKey !== undefined && compareEntry(part, index, this.#lastKey) <= 0)
        throw new CatalogError('INTERNAL', 'the records of a tree do not come in the order of their keys')
      this.#lastKey = entryKey(part, index)
    }
  }
}
