/** Copies of other nodes' libraries: made, kept exact, made in parts, taken from whoever has them, and let go of. */
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import {
  createStatusRecord,
  KeyFamily,
  makeKey,
  type ReleaseRecord,
  recordHash
} from '../../../library/index.ts'
import { readHead, SYNC_STRATEGIES, signHead } from '../../../sync/index.ts'
import { keyOf, NOW_MS } from '../records/examples.ts'
import { follow, type HomeOptions, numbered, range, SyncHome } from './homes.ts'

const homes: SyncHome[] = []
afterEach(async () => {
  await Promise.all(homes.splice(0).map(home => home.close()))
})

async function open(name: string, options?: HomeOptions): Promise<SyncHome> {
  const home = await SyncHome.open(name, options)
  homes.push(home)
  return home
}

async function versions(home: SyncHome, number: number): Promise<number[]> {
  return (await home.registry.versions(`package-${number}`)).map(({ sequence }) => sequence)
}

async function rowsOf(home: SyncHome, family: string): Promise<number> {
  let rows = 0
  for await (const _ of home.reader.iterate({ prefix: makeKey(family) })) rows++
  return rows
}

/** Changes a byte of what is stored of a record. */
async function damage(home: SyncHome, { bytes }: ReleaseRecord): Promise<void> {
  const key = makeKey(KeyFamily.Record, recordHash(bytes))
  const value = Uint8Array.from(home.reader.get(key)!)
  value[value.byteLength >> 1]! ^= 1
  await home.write([{ type: 'put', key, value }])
}

const ada = keyOf('ada')

describe('a copy', () => {
  test('is made of everything, and found by name', async () => {
    const [writer, reader] = [await open('writer'), await open('reader')]
    await writer.publish(...range(0, 200))
    const result = await follow(reader, writer)
    expect(result).toMatchObject({ state: 'updated', received: 200, removed: 0, records: 200 })
    expect(await reader.followedWhole()).toEqual([await writer.root()])
    expect(await versions(reader, 77)).toEqual([NOW_MS])
    expect(await follow(reader, writer)).toMatchObject({ state: 'equal', received: 0 })
  })

  test('follows every change of its library, whatever it is', async () => {
    const [writer, reader] = [await open('writer'), await open('reader')]
    const change = fc.oneof(
      { weight: 5, arbitrary: fc.record({ kind: fc.constant('publish'), number: fc.nat(80) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('revise'), number: fc.nat(80) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove'), number: fc.nat(80) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('yank'), number: fc.nat(80) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('follow'), number: fc.constant(0) }) }
    )
    let sequence = NOW_MS
    const make = async (kind: string, number: number): Promise<void> => {
      const [known] = await writer.registry.versions(`package-${number}`)
      if (kind === 'publish') return await writer.publish(numbered(number))
      if (known === undefined) return
      if (kind === 'remove') return await writer.registry.remove(known.id)
      if (kind === 'revise') return void (await writer.registry.revise(numbered(number, ++sequence).bytes))
      const state = { ...known.release, state: 'yanked', sequence: ++sequence } as const
      await writer.registry.publishStatement(createStatusRecord(state, ada).bytes)
    }
    let follows = 0
    const followNow = async (): Promise<void> => {
      const strategy = SYNC_STRATEGIES[follows++ % SYNC_STRATEGIES.length]!
      await follow(reader, writer, { strategy })
      expect(await reader.followedWhole()).toEqual([await writer.root()])
    }
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 40, size: 'max' }), async changes => {
        for (const { kind, number } of changes)
          if (kind === 'follow') await followNow()
          else await make(kind, number)
        await followNow()
      }),
      { numRuns: 8, endOnFailure: true, seed: 20261129 }
    )
  })

  test('too large for one batch is made in parts, and shown when it is whole', async () => {
    const limits = { batchChanges: 50 }
    const [writer, reader] = [await open('writer'), await open('reader', { limits })]
    await writer.publish(...range(0, 400))
    const first = await follow(reader, writer)
    expect(first).toMatchObject({ state: 'updated', received: 400, removed: 0, records: 400 })
    expect(await reader.followedWhole()).toEqual([await writer.root()])
    expect(await versions(reader, 399)).toEqual([NOW_MS])
    // The next change that is too large is made beside the copy that is there.
    for (const { id } of (await writer.registry.list({ limit: 120 })).releases)
      await writer.registry.remove(id)
    await writer.publish(...range(400, 480))
    const second = await follow(reader, writer)
    expect(second).toMatchObject({ received: 80, removed: 120, records: 360 })
    expect(await reader.followedWhole()).toEqual([await writer.root()])
    expect(await rowsOf(reader, KeyFamily.Membership), 'of the copy before nothing is left').toBe(360)
    expect(await rowsOf(reader, KeyFamily.Tree)).toBe(1)
  })

  test('that was cut off goes on with what is missing', async () => {
    const limits = { batchChanges: 50 }
    const [writer, reader] = [await open('writer'), await open('reader', { limits })]
    await writer.publish(...range(0, 2500))
    const lost = follow(reader, writer, { cutAfterFrames: 4 })
    await expect(lost).rejects.toMatchObject({ message: 'the connection was lost' })
    expect(await reader.followedWhole(), 'nothing counts yet').toHaveLength(1)
    expect((await reader.followed())[0]).toMatchObject({ records: 0, row: { head: undefined } })
    expect(await versions(reader, 1), 'no name leads to what is incomplete').toEqual([])
    const { received, records } = await follow(reader, writer)
    expect(received).toBeLessThan(2500)
    expect(records).toBe(2500)
    expect(await reader.followedWhole()).toEqual([await writer.root()])
  })

  test.each([
    ['in one batch', 10_000],
    ['in parts', 25]
  ])('made %s is whole, or as it was, whichever write fails', async (_, batchChanges) => {
    const [writer, reader] = [await open('writer'), await open('reader', { limits: { batchChanges } })]
    await writer.publish(...range(0, 60))
    await follow(reader, writer)
    let next = 60
    for (let batches = 0; ; batches++) {
      const before = await writer.root()
      // As many go as come, so that both are of every kind.
      for (const { id } of (await writer.registry.list({ limit: 30 })).releases)
        await writer.registry.remove(id)
      await writer.publish(...range(next, next + 30))
      next += 30
      reader.batchesLeft = batches
      const error = await follow(reader, writer).then(
        () => undefined,
        ({ code }) => code
      )
      expect([undefined, 'DISK_IO']).toContain(error)
      reader.batchesLeft = undefined
      if (error !== undefined)
        expect([before, await writer.root()]).toContain((await reader.followedWhole())[0])
      await follow(reader, writer)
      expect(await reader.followedWhole()).toEqual([await writer.root()])
      expect(await rowsOf(reader, KeyFamily.Membership)).toBe(60)
      expect(await rowsOf(reader, KeyFamily.Tree)).toBe(1)
      expect(await versions(reader, next - 1)).toEqual([NOW_MS])
      if (error === undefined) return
    }
  })

  test('that was cut off between counting and its names is finished without a peer', async () => {
    const [writer, reader] = [await open('writer'), await open('reader', { limits: { batchChanges: 25 } })]
    await writer.publish(...range(0, 60))
    await follow(reader, writer)
    await writer.publish(...range(60, 120))
    const stateOf = async () => (await reader.followed())[0]!.row
    const { copy } = await stateOf()
    // One write succeeds in each session; the last one is that after which the new copy counts.
    while ((await stateOf()).copy === copy) {
      reader.batchesLeft = 1
      await follow(reader, writer).catch(({ code }) => expect(code).toBe('DISK_IO'))
      reader.batchesLeft = undefined
    }
    expect(await stateOf()).toMatchObject({ isIndexing: true, retiring: copy })
    expect(await versions(reader, 119)).toEqual([])
    await reader.sets.finishCopies()
    expect(await versions(reader, 119)).toEqual([NOW_MS])
    expect(await stateOf()).toMatchObject({ isIndexing: false, retiring: 0 })
    expect(await rowsOf(reader, KeyFamily.Membership)).toBe(120)
    expect(await rowsOf(reader, KeyFamily.Tree)).toBe(1)
    const again = [reader.sets.finishCopies(), follow(reader, writer)]
    expect(await Promise.all(again)).toMatchObject([undefined, { state: 'equal' }])
  })

  test('can be taken from who follows the library too, but never an older one', async () => {
    const [writer, mirror, reader] = [await open('writer'), await open('mirror'), await open('reader')]
    await writer.publish(...range(0, 60))
    await follow(mirror, writer)
    expect(await follow(reader, mirror, { of: writer })).toMatchObject({ received: 60 })
    await writer.publish(...range(60, 70))
    await follow(reader, writer)
    expect(await follow(reader, mirror, { of: writer })).toMatchObject({ state: 'behind', received: 0 })
    expect(await reader.followedWhole()).toEqual([await writer.root()])
    await expect(follow(reader, mirror)).resolves.toMatchObject({ records: 0 })
  })

  test('of an earlier state than the newest head that was ever heard of is refused, also where nothing of the library is here', async () => {
    const [writer, mirror, reader] = [await open('writer'), await open('mirror'), await open('reader')]
    await writer.publish(...range(0, 40))
    await follow(mirror, writer)
    await writer.publish(...range(40, 45))
    await reader.sets.take((await writer.sets.headOf(writer.library))!)
    const behind = { state: 'behind', received: 0, records: 0 }
    expect(await follow(reader, mirror, { of: writer }), 'told as a head').toMatchObject(behind)
    await follow(reader, writer)
    await reader.sets.forget(writer.library)
    expect(await follow(reader, mirror, { of: writer }), 'let go of').toMatchObject(behind)
    expect(await follow(reader, mirror, { of: writer, isDryRun: true })).toMatchObject(behind)
    expect(await reader.followed()).toEqual([])
    expect(await follow(reader, writer)).toMatchObject({ state: 'updated', records: 45 })
  })

  test('that was let go of is remembered by its last head, as are the latest of others that are not here', async () => {
    const writers = await Promise.all(['one', 'two', 'three', 'four'].map(name => open(name)))
    const reader = await open('reader', { limits: { remembered: 2 } })
    await reader.publish(numbered(9))
    for (const [index, writer] of writers.entries()) {
      writer.nowMs = NOW_MS + index
      reader.nowMs = writer.nowMs
      await writer.publish(numbered(index))
      await follow(reader, writer)
    }
    const known = (): boolean[] =>
      [...writers, reader].map(
        ({ library, key }) => readHead(reader.reader, library, key.publicKey) !== undefined
      )
    for (const { library } of writers.slice(0, 2).reverse()) await reader.sets.forget(library)
    expect(known(), 'as many as are remembered').toEqual([true, true, true, true, true])
    await reader.sets.forget(writers[2]!.library)
    expect(known(), 'the earliest is not').toEqual([false, true, true, true, true])
  })

  test('is not hidden by another one of which nothing can be read any more', async () => {
    const [one, two, reader] = [await open('one'), await open('two'), await open('reader')]
    for (const [index, writer] of [one, two].entries()) {
      await writer.publish(numbered(index))
      await follow(reader, writer)
    }
    await reader.write([{ type: 'put', key: makeKey(KeyFamily.Followed, one.library), value: Buffer.of(9) }])
    const unreadable: Uint8Array[] = []
    const followed = await reader.sets.followed(library => void unreadable.push(library))
    expect(followed.map(({ row }) => row.writer)).toEqual([two.key.publicKey])
    expect(unreadable.map(id => Buffer.compare(id, one.library))).toEqual([0])
    await expect(reader.sets.finishCopies(), 'told, after the others').rejects.toMatchObject({
      code: 'CONTENT_CORRUPT'
    })
    await expect(reader.sets.headOf(one.library)).rejects.toMatchObject({ code: 'CONTENT_CORRUPT' })
  })

  test('is brought back to a library that is empty, once its node has seen a head that it does not remember', async () => {
    const [writer, reader] = [await open('writer'), await open('reader')]
    const shown = await follow(reader, writer)
    const epoch = shown.head.epoch + 1000
    const statement = { library: writer.library, epoch, revision: 1, root: shown.root, time: NOW_MS }
    const later = signHead({ ...statement, expires: NOW_MS + 1000 }, writer.key)
    expect(await writer.sets.take(later.bytes)).toBe('forgotten')
    expect((await follow(reader, writer)).head.epoch).toBe(epoch + 1)
    expect(await writer.sets.take(later.bytes)).toBe('known')
  })

  test('keeps what its library has, where a newer record is known from another', async () => {
    const [old, fresh, reader] = [await open('old'), await open('fresh'), await open('reader')]
    await old.publish(...range(0, 3))
    await fresh.publish(numbered(1, NOW_MS + 1))
    await follow(reader, old)
    await follow(reader, fresh)
    expect(await versions(reader, 1), 'the newest is found').toEqual([NOW_MS + 1])
    expect((await reader.followedWhole()).sort()).toEqual([await old.root(), await fresh.root()].sort())
    expect(await follow(reader, old)).toMatchObject({ state: 'equal' })
    // Own releases give way to newer words of their owner like any other.
    await reader.publish(numbered(2))
    await fresh.publish(numbered(2, NOW_MS + 2))
    await follow(reader, fresh)
    expect(await versions(reader, 2)).toEqual([NOW_MS + 2])
    expect((await reader.sets.check('home')).ok).toBe(true)
    await old.registry.remove((await old.registry.versions('package-1'))[0]!.id)
    await follow(reader, old)
    expect((await reader.followedWhole()).sort()).toEqual([await old.root(), await fresh.root()].sort())
  })

  test('is not touched by a dry run, which says what would come', async () => {
    const [writer, reader] = [await open('writer'), await open('reader')]
    await writer.publish(...range(0, 90))
    const dry = await follow(reader, writer, { isDryRun: true })
    expect(dry).toMatchObject({ state: 'updated', received: 90, records: 90 })
    expect(dry.bytes, 'of which none came').toBeLessThan(1500 + 90 * 40)
    expect(Buffer.from(dry.root).toString('hex')).toBe(await writer.root())
    const refused = follow(reader, writer, { isDryRun: true, maxRecords: 89 })
    await expect(refused).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    expect(await reader.followed()).toEqual([])
    expect(await rowsOf(reader, KeyFamily.Record)).toBe(0)
    expect(await rowsOf(reader, KeyFamily.Head)).toBe(0)
    await follow(reader, writer)
    await writer.publish(...range(90, 92))
    expect(await follow(reader, writer, { isDryRun: true })).toMatchObject({ received: 2, records: 92 })
    expect(await follow(reader, writer, { isDryRun: true, strategy: 'full' })).toMatchObject({ received: 92 })
    expect(await rowsOf(reader, KeyFamily.Record)).toBe(90)
  })

  test('that is damaged is built anew from its records, and gets what it lacks', async () => {
    const [writer, reader, other] = [await open('writer'), await open('reader'), await open('other')]
    await writer.publish(...range(0, 90))
    await follow(reader, writer)
    const [copy] = await reader.sets.copies()
    const lost: Uint8Array[] = []
    for await (const [key] of reader.reader.iterate({ prefix: makeKey(KeyFamily.Membership), limit: 5 }))
      lost.push(Uint8Array.from(key))
    for await (const [key] of reader.reader.iterate({ prefix: makeKey(KeyFamily.TreeNode), limit: 2 }))
      lost.push(Uint8Array.from(key))
    await reader.write(lost.map(key => ({ type: 'del', key })))
    expect((await reader.sets.check(copy!)).ok).toBe(false)
    expect(await reader.sets.rebuild(copy!)).toEqual({ records: 85, unreadable: 0 })
    expect((await reader.sets.check(copy!)).ok).toBe(true)
    await expect(follow(other, reader, { of: writer }), 'not what its head is of').rejects.toMatchObject({
      code: 'TREE_DAMAGED'
    })
    expect(await follow(reader, writer)).toMatchObject({ received: 5, records: 90 })
    expect(await reader.followedWhole({ isRepaired: true })).toEqual([await writer.root()])
    expect(await rowsOf(reader, KeyFamily.Head), 'nothing was signed for it here').toBe(1)
  })

  test('whose tree cannot be read leaves nothing open', async () => {
    const [writer, reader] = [await open('writer'), await open('reader')]
    await writer.publish(...range(0, 60))
    await follow(reader, writer)
    expect(reader.openSnapshots).toBe(0)
    const [copy] = await reader.sets.copies()
    const key = makeKey(KeyFamily.Tree, Buffer.from(copy!))
    const row = Uint8Array.from(reader.reader.get(key)!)
    await reader.write([{ type: 'put', key, value: row.subarray(1) }])
    await expect(follow(reader, writer)).rejects.toMatchObject({ code: 'TREE_DAMAGED' })
    expect(reader.openSnapshots).toBe(0)
    await reader.write([{ type: 'put', key, value: row }])
    expect(await follow(reader, writer)).toMatchObject({ state: 'equal' })
  })

  test('with records that are damaged changes all the same, and lets go of them', async () => {
    const [writer, reader] = [await open('writer'), await open('reader')]
    await writer.publish(...range(0, 20))
    await follow(reader, writer)
    for (const number of [1, 2, 3]) await damage(reader, numbered(number))
    await writer.registry.revise(numbered(1, NOW_MS + 1).bytes)
    await writer.registry.remove(numbered(2).id)
    await follow(reader, writer)
    expect(await versions(reader, 1)).toEqual([NOW_MS + 1])
    expect(await versions(reader, 2)).toEqual([])
    await expect(versions(reader, 3)).rejects.toMatchObject({ code: 'CONTENT_CORRUPT' })
    expect(await reader.sets.forget(writer.library)).toBe(true)
    expect(await versions(reader, 3)).toEqual([])
    expect(await rowsOf(reader, KeyFamily.Membership)).toBe(0)
    expect(await rowsOf(reader, KeyFamily.Record), 'of 2 and 3 nothing is left').toBe(18)
    await follow(reader, writer)
    expect(await versions(reader, 3)).toEqual([NOW_MS])
  })

  test('made anew in parts gets what was damaged in the one before', async () => {
    const limits = { batchChanges: 25 }
    const [writer, reader] = [await open('writer'), await open('reader', { limits })]
    await writer.publish(...range(0, 60))
    await follow(reader, writer)
    for (const number of [1, 2]) await damage(reader, numbered(number))
    await writer.registry.remove(numbered(2).id)
    await writer.publish(...range(60, 120))
    await expect(follow(reader, writer), 'the copy lacks one').rejects.toMatchObject({ code: 'TREE_DAMAGED' })
    await follow(reader, writer)
    expect(await reader.followedWhole()).toEqual([await writer.root()])
    expect(await versions(reader, 1)).toEqual([NOW_MS])
    expect(await rowsOf(reader, KeyFamily.Membership)).toBe(119)
    expect(await rowsOf(reader, KeyFamily.Record)).toBe(119)
  })

  test('made anew in parts does not bring back names that were taken out here', async () => {
    const limits = { batchChanges: 25 }
    const [writer, reader] = [await open('writer'), await open('reader', { limits })]
    await writer.publish(...range(0, 60))
    await follow(reader, writer)
    await reader.registry.remove(numbered(3).id)
    await writer.publish(...range(60, 120))
    await follow(reader, writer)
    expect(await reader.followedWhole()).toEqual([await writer.root()])
    expect(await versions(reader, 3)).toEqual([])
    expect(await versions(reader, 4)).toEqual([NOW_MS])
    expect(await versions(reader, 119)).toEqual([NOW_MS])
  })

  test('is let go of whole', async () => {
    const [writer, reader] = [await open('writer'), await open('reader')]
    await writer.publish(...range(0, 90))
    await follow(reader, writer)
    expect(await reader.sets.forget(writer.library)).toBe(true)
    expect(await reader.sets.forget(writer.library)).toBe(false)
    for (const family of [KeyFamily.Membership, KeyFamily.Tree, KeyFamily.TreeNode, KeyFamily.Followed])
      expect(await rowsOf(reader, family)).toBe(0)
    expect(await versions(reader, 5)).toEqual([NOW_MS])
    await follow(reader, writer)
    expect(await reader.followedWhole()).toEqual([await writer.root()])
  })
})
