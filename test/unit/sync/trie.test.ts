import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  applyChanges,
  buildTree,
  childAt,
  childrenOf,
  countUnder,
  decodeNode,
  type Entries,
  entriesOf,
  entryCount,
  entryHash,
  entryKey,
  FAN_OUT,
  findRecord,
  iterateEntries,
  MAX_BUCKET_RECORDS,
  MAX_DEPTH,
  type Path,
  rootOf,
  type Subtree,
  type TreeChange,
  type TreeView,
  topOf,
  updateSteps
} from '../../../sync/index.ts'
import {
  applyToModel,
  crowdedBatches,
  crowdedChanges,
  crowdedKey,
  crowdedKeys,
  hashOf,
  hex,
  MemoryTree,
  type Model,
  modelRoot,
  record
} from './tries.ts'

const treeOf = (changes: readonly TreeChange[]): MemoryTree => {
  const tree = new MemoryTree()
  tree.apply(changes)
  return tree
}
const records = (from: number, to: number): TreeChange[] =>
  Array.from({ length: to - from }, (_, index) => record(from + index))
/** What a tree has below a path, level by level. */
function below(tree: TreeView, path: Path): Subtree | undefined {
  let subtree = topOf(tree)
  for (const digit of path) subtree = subtree && childrenOf(tree, subtree)[Number.parseInt(digit, 16)]
  return subtree
}
const gone = ({ trieKey }: TreeChange): TreeChange => ({ trieKey, recHash: undefined })

/** Everything that is stored is reached from the top, in its canonical form, and says the truth about what is below. */
function expectSound(tree: MemoryTree): void {
  const reached = new Set<Path>()
  const visit = (path: Path, count: number, hash: Uint8Array): void => {
    reached.add(path)
    const bytes = tree.rows.get(path)!
    const node = decodeNode(bytes, path)
    expect(hex(hashOf(bytes))).toBe(hex(hash))
    expect(node.kind === 'bucket').toBe(count <= MAX_BUCKET_RECORDS)
    if (node.kind === 'bucket') expect(entryCount(node.entries)).toBe(count)
    else
      for (let digit = 0; digit < FAN_OUT; digit++) {
        const child = childAt(node.slots, digit)
        if (child !== undefined) visit(path + digit.toString(16), child.count, child.hash)
      }
  }
  if (tree.top !== undefined) visit('', tree.top.count, tree.top.hash)
  expect([...tree.rows.keys()].sort()).toEqual([...reached].sort())
}

function contentsOf(parts: Iterable<Entries>): Model {
  const model: Model = new Map()
  for (const entries of parts)
    for (let index = 0; index < entryCount(entries); index++)
      model.set(hex(entryKey(entries, index)), hex(entryHash(entries, index)))
  return model
}

describe('the same set has the same root', () => {
  test('after any batches, with nothing left over from before', () => {
    const seen = { splits: 0, collapses: 0 }
    fc.assert(
      fc.property(crowdedBatches, batches => {
        const tree = new MemoryTree()
        const model: Model = new Map()
        for (const changes of batches) {
          const before = tree.rows.size
          tree.apply(changes)
          applyToModel(model, changes)
          expect(tree.root).toBe(modelRoot(model))
          expectSound(tree)
          if (tree.rows.size > before && before > 0) seen.splits++
          if (tree.rows.size < before) seen.collapses++
        }
      }),
      { numRuns: 50 }
    )
    expect(Math.min(seen.splits, seen.collapses), 'what the batches are for').toBeGreaterThan(5)
  })

  test('in any order, one by one, at once, or beside others that come and go', () => {
    const keysInTwoOrders = crowdedKeys.chain(keys =>
      fc.tuple(fc.constant(keys), fc.shuffledSubarray(keys, { minLength: keys.length }))
    )
    fc.assert(
      fc.property(keysInTwoOrders, crowdedKeys, ([keys, shuffled], passing) => {
        const add = (trieKey: Uint8Array): TreeChange => ({ trieKey, recHash: hashOf(trieKey) })
        const others = passing.filter(key => !keys.some(one => hex(one) === hex(key)))
        const oneByOne = new MemoryTree()
        for (const key of shuffled) oneByOne.apply([add(key)])
        const crowded = treeOf([...others, ...keys].map(add))
        crowded.apply(others.map(add).map(gone))
        const atOnce = treeOf(keys.map(add))
        expect([oneByOne.root, crowded.root]).toEqual([atOnce.root, atOnce.root])
        expect(crowded.rows).toEqual(atOnce.rows)
      })
    )
  })

  test('built from a stream, in parts of any size', async () => {
    await fc.assert(
      fc.asyncProperty(crowdedChanges, fc.integer({ min: 1, max: 50 }), async (changes, partSize) => {
        const tree = treeOf(changes)
        const all = tree.top === undefined ? [] : [entriesOf(tree, topOf(tree)!)]
        async function* parts(): AsyncGenerator<Entries> {
          for (const entries of all)
            for (let at = 0; at < entries.byteLength; at += partSize * 64)
              yield entries.subarray(at, at + partSize * 64)
        }
        const rows = new Map<Path, Uint8Array>()
        const top = await buildTree(parts(), async (path, bytes) => void rows.set(path, bytes))
        expect(hex(rootOf(top))).toBe(tree.root)
        expect(rows).toEqual(tree.rows)
      })
    )
  })

  test('a bucket splits above 32 records and is whole again at 32', () => {
    const tree = treeOf(records(0, 32))
    const [full, rows] = [tree.root, new Map(tree.rows)]
    expect([...tree.rows.keys()]).toEqual([''])
    tree.apply([record(32)])
    expect(tree.rows.size).toBeGreaterThan(10)
    tree.apply([gone(record(32))])
    expect(tree.root).toBe(full)
    expect(tree.rows).toEqual(rows)
    tree.apply(records(0, 32).map(gone))
    expect([tree.top, tree.rows.size, tree.root]).toEqual([undefined, 0, modelRoot(new Map())])
  })

  test('records that share all digits but the last stand side by side at the full depth', () => {
    const keys = Array.from({ length: 16 * 16 }, (_, byte) =>
      Uint8Array.from({ length: 32 }, (_, at) => (at === 31 ? byte : 7))
    )
    const tree = treeOf(keys.map(trieKey => ({ trieKey, recHash: hashOf(trieKey) })))
    expectSound(tree)
    expect(Math.max(...[...tree.rows.keys()].map(path => path.length))).toBe(MAX_DEPTH - 1)
    expect(countUnder(tree, hex(keys[5]!))).toBe(1)
  })
})

describe('an update', () => {
  test('reads and writes only what lies above its changes, each node once', () => {
    const tree = treeOf(records(0, 20_000))
    tree.reads = 0
    const { changed } = tree.apply(records(20_000, 20_001))
    expect(changed.size).toBe(tree.reads)
    expect(changed.size).toBeLessThanOrEqual(5)
    tree.reads = 0
    const batch = tree.apply(records(30_000, 31_000))
    expect(tree.reads).toBeLessThanOrEqual(batch.changed.size)
  })

  test('that changes nothing writes nothing', () => {
    const tree = treeOf(records(0, 5000))
    const { top } = tree
    const update = tree.apply([...records(0, 100), ...records(6000, 6100).map(gone)])
    expect(update.top).toBe(top)
    expect(update.changed.size).toBe(0)
  })

  test('leaves the trie it began from as it was', () => {
    const tree = treeOf(records(0, 3000))
    const [before, rows] = [tree.root, new Map(tree.rows)]
    const update = applyChanges(tree, [...records(1000, 2000).map(gone), ...records(4000, 5000)])
    expect(hex(rootOf(update.top))).not.toBe(before)
    expect([tree.root, tree.rows]).toEqual([before, rows])
    expect(contentsOf(iterateEntries(tree)).size).toBe(3000)
  })

  test('of two changes for one key takes the later, and can be made in steps', () => {
    const [first, second] = [record(1, 1), record(1, 2)]
    expect(treeOf([first, second]).root).toBe(treeOf([second]).root)
    expect(treeOf([first, gone(second)]).root).toBe(treeOf([]).root)
    const steps = updateSteps(treeOf(records(0, 5000)), records(5000, 5100))
    let count = 0
    for (;;) {
      const { done, value } = steps.next()
      if (done) {
        expect(hex(rootOf(value.top))).toBe(treeOf(records(0, 5100)).root)
        break
      }
      count++
    }
    expect(count).toBeGreaterThan(50)
  })
})

describe('a view', () => {
  test('finds and counts what the set has', () => {
    fc.assert(
      fc.property(crowdedChanges, crowdedKey, (changes, key) => {
        const tree = treeOf(changes)
        const model = applyToModel(new Map(), changes)
        const found = findRecord(tree, key)
        expect(found && hex(found)).toBe(model.get(hex(key)))
        for (let depth = 0; depth <= MAX_DEPTH; depth++) {
          const prefix = hex(key).slice(0, depth)
          const expected = [...model.keys()].filter(one => one.startsWith(prefix)).length
          expect(countUnder(tree, prefix)).toBe(expected)
        }
      }),
      { numRuns: 25 }
    )
  })

  test('goes through a range in order, and goes on behind any key', () => {
    fc.assert(
      fc.property(crowdedChanges, crowdedKey, fc.integer({ min: 0, max: 64 }), (changes, after, depth) => {
        const tree = treeOf(changes)
        const model = applyToModel(new Map(), changes)
        const under = hex(after).slice(0, depth)
        const seen = [...contentsOf(iterateEntries(tree, { under, after }))]
        const expected = [...model]
          .filter(([key]) => key.startsWith(under) && key > hex(after))
          .sort(([a], [b]) => (a < b ? -1 : 1))
        expect(seen).toEqual(expected)
      })
    )
  })

  test('gives a part of a bucket the hash that it has as a node of its own', () => {
    fc.assert(
      fc.property(crowdedChanges, changes => {
        const tree = treeOf(changes)
        const visit = (subtree: Subtree): void => {
          const entries = entriesOf(tree, subtree)
          const alone = treeOf(
            Array.from({ length: entryCount(entries) }, (_, index) => ({
              trieKey: entryKey(entries, index),
              recHash: entryHash(entries, index)
            }))
          )
          const same = below(alone, subtree.path)
          expect([same?.count, same && hex(same.hash)]).toEqual([subtree.count, hex(subtree.hash)])
          if (subtree.count > 1)
            for (const child of childrenOf(tree, subtree)) if (child !== undefined) visit(child)
        }
        const top = topOf(tree)
        if (top !== undefined) visit(top)
      }),
      { numRuns: 3 }
    )
  })

  test('passes on what its source says of a node that is not there', () => {
    const tree = treeOf(records(0, 2000))
    const view: TreeView = {
      top: tree.top,
      nodes: {
        get: path => {
          if (path === '7') throw new Error('no node 7')
          return tree.get(path)
        }
      }
    }
    expect(() => [...iterateEntries(view)]).toThrow('no node 7')
    expect(countUnder(view, '8')).toBeGreaterThan(0)
  })
})

test('a stream out of order builds nothing', async () => {
  const [low, high] = [Buffer.alloc(64, 1), Buffer.alloc(64, 2)]
  for (const parts of [
    [high, low],
    [low, low],
    [Buffer.concat([low, high]), high]
  ]) {
    async function* stream(): AsyncGenerator<Entries> {
      yield* parts
    }
    await expect(buildTree(stream(), async () => {})).rejects.toMatchObject({ code: 'INTERNAL' })
  }
})
