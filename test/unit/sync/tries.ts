/** Tries in memory, sets of records to fill them with, and what a set's root must be, written down a second time. */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import {
  applyChanges,
  type NodeRef,
  type NodeSource,
  type Path,
  rootOf,
  type TreeChange,
  type TreeUpdate,
  type TreeView
} from '../../../sync/index.ts'

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
export const unhex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))
export const hashOf = (input: string | Uint8Array): Uint8Array =>
  Uint8Array.from(createHash('sha256').update(input).digest())

/** A trie whose nodes are kept in a map. */
export class MemoryTree implements TreeView, NodeSource {
  top: NodeRef | undefined
  readonly rows = new Map<Path, Uint8Array>()
  reads = 0

  get nodes(): NodeSource {
    return this
  }

  get root(): string {
    return hex(rootOf(this.top))
  }

  get(path: Path): Uint8Array {
    this.reads++
    const bytes = this.rows.get(path)
    if (bytes === undefined) throw new Error(`there is no node ${path}`)
    return bytes
  }

  apply(changes: readonly TreeChange[]): TreeUpdate {
    const update = applyChanges(this, changes)
    for (const [path, node] of update.changed) {
      if (node === undefined) this.rows.delete(path)
      else this.rows.set(path, node.bytes)
    }
    this.top = update.top
    return update
  }
}

/** trieKey -> recHash, in hex. */
export type Model = Map<string, string>

export function applyToModel(model: Model, changes: readonly TreeChange[]): Model {
  for (const { trieKey, recHash } of changes) {
    if (recHash === undefined) model.delete(hex(trieKey))
    else model.set(hex(trieKey), hex(recHash))
  }
  return model
}

/** The root by the definition alone: the set is cut by its digits from the top down, with nothing kept from before. */
export function modelRoot(model: Model): string {
  const keys = [...model.keys()].sort()
  const sha = (...parts: Buffer[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest()
  const node = (below: string[], depth: number): Buffer => {
    if (below.length <= 32)
      return sha(Buffer.from([0]), ...below.map(key => Buffer.from(key + model.get(key)!, 'hex')))
    const slots = [...'0123456789abcdef'].map(digit => {
      const part = below.filter(key => key[depth] === digit)
      const count = Buffer.alloc(4)
      count.writeUInt32BE(part.length)
      return Buffer.concat([count, part.length === 0 ? Buffer.alloc(32) : node(part, depth + 1)])
    })
    return sha(Buffer.from([1]), ...slots)
  }
  const numbers = Buffer.from('0000001000000020', 'hex')
  const count = Buffer.alloc(4)
  count.writeUInt32BE(keys.length)
  const top = keys.length === 0 ? Buffer.alloc(32) : node(keys, 0)
  return sha(Buffer.from('catalog/root/1\0'), numbers, count, top).toString('hex')
}

/** A record whose key is spread as those of real records are. */
export const record = (number: number, version = 0): TreeChange => ({
  trieKey: hashOf(`key ${number}`),
  recHash: hashOf(version === 0 ? `record ${number}` : `record ${number} version ${version}`)
})

/**
 * A key out of few: the first digits are all alike, up to a depth that differs from key to key, and the last two vary. So buckets
 * fill, split and collapse at every depth, the deepest too.
 */
export const crowdedKey: fc.Arbitrary<Uint8Array> = fc
  .tuple(fc.constantFrom(0, 0, 1, 2, 15, 30), fc.integer({ min: 0, max: 59 }), fc.boolean())
  .map(([at, byte, isLast]) => {
    const key = new Uint8Array(32)
    key[at] = byte
    if (isLast) key[31] = byte
    return key
  })

export const crowdedChange: fc.Arbitrary<TreeChange> = fc.record({
  trieKey: crowdedKey,
  recHash: fc.option(
    fc.integer({ min: 0, max: 3 }).map(number => hashOf(`record ${number}`)),
    { nil: undefined, freq: 3 }
  )
})

/** `size`: without it fast-check stays at some ten elements, and no bucket would ever split. */
export const crowdedChanges: fc.Arbitrary<TreeChange[]> = fc.array(crowdedChange, {
  maxLength: 300,
  size: 'max'
})

export const crowdedKeys: fc.Arbitrary<Uint8Array[]> = fc.uniqueArray(crowdedKey, {
  selector: hex,
  maxLength: 100,
  size: 'max'
})

const crowdedRemovals: fc.Arbitrary<TreeChange[]> = fc
  .array(crowdedKey, { maxLength: 400, size: 'max' })
  .map(keys => keys.map(trieKey => ({ trieKey, recHash: undefined })))

export const crowdedBatches: fc.Arbitrary<TreeChange[][]> = fc.array(
  fc.oneof(crowdedChanges, crowdedRemovals),
  { maxLength: 6 }
)
