/** The tree of the home library on a real LevelDB, beside the records that it is of. */
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  createReleaseRecord,
  createStatusRecord,
  HOME_LIBRARY,
  KeyFamily,
  makeKey,
  type NewRelease,
  type ReleaseRecord,
  readMembers,
  trieKey
} from '../../../library/index.ts'
import { openTree, proveRecord, verifyProof } from '../../../sync/index.ts'
import { contentOf, keyOf, NOW_MS, small } from '../records/examples.ts'
import { PoweredHome } from '../worker/power.ts'
import { hex, MemoryTree } from './tries.ts'

const ada = keyOf('ada')
let machine: PoweredHome
/** Thrown in place of the next batches that this lets through. */
let failure: ((rows: string[]) => boolean) | undefined

const failing = (batch: { operations: Array<{ key: Uint8Array }> }): void => {
  const rows = batch.operations.map(({ key }) => Buffer.from(key).toString('latin1'))
  if (failure?.(rows)) throw Object.assign(new Error('the disk fails'), { code: 'LEVEL_IO_ERROR' })
}

beforeEach(async () => {
  failure = undefined
  machine = await PoweredHome.open([], failing)
})
afterEach(() => machine.close())

const release = (number: number, over: Partial<NewRelease> = {}): ReleaseRecord =>
  createReleaseRecord(
    small({ name: `package-${number}`, content: contentOf(`content ${number}`), ...over }),
    ada
  )

async function publish(from: number, to: number): Promise<ReleaseRecord[]> {
  const records = Array.from({ length: to - from }, (_, index) => release(from + index))
  for (const { bytes } of records) await machine.registry.publish(bytes)
  return records
}

/** What the tree must be, from the records alone. */
async function expectedRoot(): Promise<string> {
  const tree = new MemoryTree()
  for await (const member of readMembers(machine.database, HOME_LIBRARY))
    tree.apply([{ trieKey: member.trieKey!, recHash: member.recHash }])
  return tree.root
}

async function expectWhole(): Promise<void> {
  const report = await machine.sets.check(HOME_LIBRARY)
  expect(report).toMatchObject({ ok: true, problems: [], problemCount: 0, root: await expectedRoot() })
  const { root, head } = await machine.sets.state(HOME_LIBRARY)
  expect([hex(root), head && hex(head.root)]).toEqual([report.root, report.root])
}

async function rows(family: string): Promise<Map<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>()
  for await (const [key, value] of machine.database.iterate({ prefix: makeKey(family) }))
    found.set(hex(key), Uint8Array.from(value))
  return found
}

describe('with every change of a library its tree and head are committed', () => {
  test('in the same batch as the record, whatever the change', async () => {
    const [one] = await publish(0, 2)
    await expectWhole()
    await machine.registry.revise(release(0, { description: 'new words', sequence: NOW_MS + 1 }).bytes)
    await expectWhole()
    const status = createStatusRecord({ ...one!.release, state: 'yanked', sequence: NOW_MS }, ada)
    await machine.registry.publishStatement(status.bytes)
    expect((await machine.sets.state(HOME_LIBRARY)).records).toBe(3)
    await machine.registry.add(release(1, { description: 'from a peer', sequence: NOW_MS + 1 }).bytes)
    await expectWhole()
    await machine.registry.add(release(5).bytes)
    expect((await machine.sets.state(HOME_LIBRARY)).records, 'not a member of it').toBe(3)
    await machine.registry.remove((await current(0)).id)
    await expectWhole()
    expect((await machine.sets.state(HOME_LIBRARY)).records, 'its status goes with it').toBe(1)
  })

  test('and of many records that are added at once all of it or nothing', async () => {
    await publish(0, 2)
    const { revision } = (await machine.sets.state(HOME_LIBRARY)).head!
    const newer = [1, 2, 3].map(at => release(1, { description: `${at}`, sequence: NOW_MS + at }))
    const records = [release(7), ...newer, release(8)]
    failure = () => true
    await expect(machine.registry.addAll(records)).rejects.toMatchObject({ code: 'DISK_IO' })
    failure = undefined
    machine = await machine.cutPower()
    await expectWhole()
    expect(machine.registry.get(records[0]!.id), 'nothing of it').toBeUndefined()
    expect((await current(1)).sequence, 'and what it replaces is here').toBe(NOW_MS)
    expect(await machine.registry.addAll(records)).toEqual(Array(5).fill('added'))
    machine = await machine.cutPower()
    await expectWhole()
    expect(machine.registry.get(records.at(-1)!.id)).toBeDefined()
    expect((await current(1)).sequence).toBe(NOW_MS + 3)
    const { head, records: count } = await machine.sets.state(HOME_LIBRARY)
    expect([head!.revision, count], 'one head, of the same members').toEqual([revision + 1, 2])
  })

  test('over any series of changes, power cuts included', async () => {
    const action = fc.oneof(
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('publish'), number: fc.nat(60) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('revise'), number: fc.nat(60) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove'), number: fc.nat(60) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('power'), number: fc.constant(0) }) }
    )
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 60, size: 'max' }), async actions => {
        let sequence = NOW_MS
        // Before its first change a library has no head.
        await machine.registry.publish(release(0).bytes)
        for (const { kind, number } of actions) {
          const [known] = await machine.registry.versions(`package-${number}`)
          if (kind === 'publish') await machine.registry.publish(release(number).bytes)
          else if (kind === 'power') machine = await machine.cutPower()
          else if (known === undefined) continue
          else if (kind === 'remove') await machine.registry.remove(known.id)
          else await machine.registry.revise(release(number, { sequence: ++sequence }).bytes)
        }
        await expectWhole()
      }),
      // Smaller cases would take minutes to find: the seed is enough.
      { numRuns: 4, endOnFailure: true }
    )
  })
})

const prove = (record: ReleaseRecord): Promise<Uint8Array> =>
  machine.sets.show(machine.sets.idOf(HOME_LIBRARY), async ({ tree }) => proveRecord(tree, trieKey(record)))

const current = async (number: number): Promise<ReleaseRecord> =>
  (await machine.registry.versions(`package-${number}`))[0]!

describe('a batch that fails', () => {
  test('leaves every proof as it was, and is made again', async () => {
    const records = await publish(0, 60)
    const before = await machine.sets.state(HOME_LIBRARY)
    const proofs = await Promise.all(records.map(record => prove(record)))
    const next = Array.from({ length: 20 }, (_, index) => release(100 + index))
    failure = keys => keys.some(key => key.startsWith(KeyFamily.TreeNode))
    for (const { bytes } of next)
      await expect(machine.registry.publish(bytes)).rejects.toMatchObject({ code: 'DISK_IO' })
    expect(await machine.sets.state(HOME_LIBRARY)).toEqual(before)
    for (const [index, record] of records.entries()) {
      const proof = await prove(record)
      expect(proof).toEqual(proofs[index])
      expect(verifyProof(proof, before.root).recHash).toBeDefined()
    }
    for (const record of next) {
      const proof = await prove(record)
      expect(verifyProof(proof, before.root).recHash).toBeUndefined()
    }
    failure = undefined
    // The others first, so that what the failed ones would have left in a cache is met.
    for (const { bytes } of next.toReversed()) await machine.registry.publish(bytes)
    await expectWhole()
  })
})

describe('a tree that is damaged', () => {
  beforeEach(() => publish(0, 80))

  const damage = async (
    family: string,
    change: (keys: string[], all: Map<string, Uint8Array>) => Array<{ key: string; value?: Uint8Array }>
  ): Promise<void> => {
    const all = await rows(family)
    const operations = change([...all.keys()], all).map(({ key, value }) => {
      const bytes = Buffer.from(key, 'hex')
      return value === undefined
        ? ({ type: 'del', key: bytes } as const)
        : ({ type: 'put', key: bytes, value } as const)
    })
    await machine.database.write(operations, { sync: true })
  }
  const flipped = (bytes: Uint8Array): Uint8Array => {
    const changed = Uint8Array.from(bytes)
    changed[changed.byteLength - 1]! ^= 1
    return changed
  }
  const problemsOf = async (): Promise<string[]> => {
    const report = await machine.sets.check(HOME_LIBRARY)
    expect(report.ok).toBe(false)
    expect(report.problemCount).toBe(report.problems.length)
    return report.problems
  }

  test.each([
    ['a bucket lost', (keys: string[]) => [{ key: keys[3]! }], /^the node . of the tree is missing$/],
    [
      'a bucket changed',
      (keys: string[], all: Map<string, Uint8Array>) => [
        { key: keys[3]!, value: flipped(all.get(keys[3]!)!) }
      ],
      /^the node . of the tree has other bytes than the node above says$/
    ],
    ['the top lost', (keys: string[]) => [{ key: keys[0]! }], /^the top node of the tree is missing$/],
    [
      'a node too many',
      (keys: string[], all: Map<string, Uint8Array>) => [{ key: `${keys[3]!}30`, value: all.get(keys[3]!)! }],
      /^nothing leads to 1 node$/
    ]
  ])('is found and built anew: %s', async (_, change, problem) => {
    const { root } = await machine.sets.state(HOME_LIBRARY)
    await damage(KeyFamily.TreeNode, change)
    expect((await problemsOf())[0]).toMatch(problem)
    expect(await machine.sets.rebuild(HOME_LIBRARY)).toEqual({ records: 80, unreadable: 0 })
    await expectWhole()
    expect((await machine.sets.state(HOME_LIBRARY)).root).toEqual(root)
    expect((await rows(KeyFamily.TreeSort)).size).toBe(0)
  })

  test('names the records that a lost bucket takes with it', async () => {
    await damage(KeyFamily.TreeNode, keys => [{ key: keys[3]! }])
    const missing = (await problemsOf()).filter(text =>
      /^the record [0-9a-f]{64} is not in the tree$/.test(text)
    )
    expect(missing.length).toBeGreaterThan(0)
  })

  test('names records that are no members, members that are lost, and a row that cannot be read', async () => {
    await damage(KeyFamily.Membership, keys => [{ key: keys[0]! }])
    expect(await problemsOf()).toEqual([expect.stringMatching(/^the record .* is not in the library$/)])
    await machine.sets.rebuild(HOME_LIBRARY)
    await expectWhole()
    await damage(KeyFamily.Record, (keys, all) => [{ key: keys[5]!, value: flipped(all.get(keys[5]!)!) }])
    expect((await problemsOf())[0]).toMatch(/is lost or damaged$/)
    expect(await machine.sets.rebuild(HOME_LIBRARY)).toEqual({ records: 78, unreadable: 1 })
    await damage(KeyFamily.Tree, (keys, all) => [{ key: keys[0]!, value: all.get(keys[0]!)!.subarray(1) }])
    expect(await problemsOf()).toEqual(['the top node of the tree has a row that cannot be read'])
    await machine.sets.rebuild(HOME_LIBRARY)
    expect((await machine.sets.state(HOME_LIBRARY)).records).toBe(78)
  })

  test('is told by who needs it, and nothing of the change is written', async () => {
    await damage(KeyFamily.TreeNode, keys => keys.slice(1).map(key => ({ key })))
    machine = await machine.cutPower()
    const { bytes, id } = release(200)
    await expect(machine.registry.publish(bytes)).rejects.toMatchObject({ code: 'TREE_DAMAGED' })
    expect(machine.registry.get(id)).toBeUndefined()
    await machine.sets.rebuild(HOME_LIBRARY)
    await machine.registry.publish(bytes)
    await expectWhole()
  })

  test('is built of the records of now, also when some came after the building was cut off', async () => {
    failure = keys => keys.some(key => key.startsWith(KeyFamily.TreeNode))
    await expect(machine.sets.rebuild(HOME_LIBRARY)).rejects.toMatchObject({ code: 'DISK_IO' })
    failure = undefined
    await publish(400, 420)
    await machine.registry.remove((await current(3)).id)
    expect(await machine.sets.rebuild(HOME_LIBRARY)).toEqual({ records: 99, unreadable: 0 })
    await expectWhole()
  })

  test('is neither checked nor built on when nobody waits for it any more', async () => {
    const before = await machine.sets.state(HOME_LIBRARY)
    const gone = AbortSignal.abort()
    for (const method of ['checkTree', 'rebuildTree']) {
      const parameters = { libraryId: HOME_LIBRARY, nowMs: NOW_MS }
      const call = machine.host.handle('companion', { method, parameters }, gone)
      await expect(call).rejects.toMatchObject({ code: 'ABORTED' })
    }
    expect(await machine.sets.state(HOME_LIBRARY)).toEqual(before)
    await expectWhole()
  })

  test('stays in force until the new one is whole, wherever the building is cut off', async () => {
    const before = await machine.sets.state(HOME_LIBRARY)
    const nodes = await rows(KeyFamily.TreeNode)
    for (const family of [KeyFamily.TreeSort, KeyFamily.TreeNode, KeyFamily.Tree]) {
      failure = keys => keys.some(key => key.startsWith(family))
      await expect(machine.sets.rebuild(HOME_LIBRARY)).rejects.toMatchObject({ code: 'DISK_IO' })
      failure = undefined
      expect(await machine.sets.state(HOME_LIBRARY)).toEqual(before)
      machine = await machine.cutPower()
      expect((await machine.sets.check(HOME_LIBRARY)).problems).toEqual([])
      expect(await rows(KeyFamily.TreeNode)).toEqual(nodes)
      expect((await rows(KeyFamily.TreeSort)).size).toBe(0)
    }
    await machine.sets.rebuild(HOME_LIBRARY)
    await expectWhole()
    machine = await machine.cutPower()
    await publish(300, 301)
    await expectWhole()
  })
})

test('a view on a snapshot shows its set, whatever is published meanwhile', async () => {
  const records = await publish(0, 50)
  const { root } = await machine.sets.state(HOME_LIBRARY)
  const snapshot = machine.snapshot()
  await publish(100, 150)
  await machine.sets.rebuild(HOME_LIBRARY)
  await publish(200, 220)
  const view = openTree(snapshot, HOME_LIBRARY)
  expect(view.root).toEqual(root)
  for (const record of records)
    expect(verifyProof(proveRecord(view, trieKey(record)), root).recHash).toBeDefined()
  expect(verifyProof(proveRecord(view, trieKey(release(100))), root).recHash).toBeUndefined()
  await snapshot.close()
})
