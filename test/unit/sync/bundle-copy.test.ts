/** The copy that a bundle of a whole library becomes: made whole or not at all, and never in place of a newer one. */
import { afterEach, describe, expect, test } from 'vitest'
import { GIB } from '../../../base/index.ts'
import { HOME_LIBRARY, KeyFamily, makeKey, readRecordBytes } from '../../../library/index.ts'
import { type BundleOutcome, entryCount, entryHash, iterateEntries } from '../../../sync/index.ts'
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

interface Bundle {
  of: SyncHome
  head: Uint8Array
  records: Uint8Array[]
}

/** Everything in a home, as a bundle has it. */
async function bundleOf(of: SyncHome): Promise<Bundle> {
  return await of.sets.show(of.library, async ({ reader, tree, head }) => {
    const records = [...iterateEntries(tree)].flatMap(entries =>
      Array.from({ length: entryCount(entries) }, (_, at) => readRecordBytes(reader, entryHash(entries, at))!)
    )
    return { of, head: head.bytes, records }
  })
}

/** Takes in what comes before a bundle breaks off. */
async function takeCut(home: SyncHome, { of, head, records }: Bundle, count: number): Promise<void> {
  const id = { library: of.library, writer: of.key.publicKey, name: HOME_LIBRARY }
  const port = await home.sets.openBundle({ ...id, head, records: records.length, ...WIDE })
  try {
    for (let at = 0; at < count; at += 20) await port.take(records.slice(at, at + 20))
  } catch (thrown) {
    // As of a process that was killed there: nothing more is written.
    home.batchesLeft = 0
    throw thrown
  } finally {
    await port.close()
  }
}

const WIDE = { maxRecords: 1_000_000, maxBytes: GIB }

/** Takes a bundle in, of which `records` are there. */
async function take(
  home: SyncHome,
  { of, head, records }: Bundle,
  { part = records, limits = {} }: { part?: readonly Uint8Array[]; limits?: Partial<typeof WIDE> } = {}
): Promise<BundleOutcome> {
  const { library, key } = of
  const id = { library, writer: key.publicKey, name: HOME_LIBRARY }
  const port = await home.sets.openBundle({ ...id, head, records: records.length, ...WIDE, ...limits })
  try {
    for (let at = 0; at < part.length; at += 20) await port.take(part.slice(at, at + 20))
    return await port.end()
  } finally {
    await port.close()
  }
}

/** Rows of followed libraries, and memberships of their copies. */
async function rowsOf(home: SyncHome): Promise<{ followed: number; members: number }> {
  const count = { followed: 0, members: 0 }
  for await (const _ of home.reader.iterate({ prefix: makeKey(KeyFamily.Followed) })) count.followed++
  for await (const _ of home.reader.iterate({ prefix: makeKey(KeyFamily.Membership) })) count.members++
  return count
}

const NOTHING = { followed: 0, members: 0 }
/** What is more than twenty changes is made beside the copy. */
const SMALL = { limits: { batchChanges: 20 } }

describe('a bundle of a whole library', () => {
  test.each([
    ['at once', {}],
    ['in parts', SMALL]
  ])('becomes its copy %s, and the next session brings only what is new', async (_how, options) => {
    const [writer, reader] = [await open('writer'), await open('reader', options)]
    await writer.publish(...range(0, 80))
    const { records, ...bundle } = await bundleOf(writer)
    // In any order, and some twice.
    const shuffled = [...records.slice(40), ...records, ...records.slice(0, 10)]
    const outcome = await take(reader, { ...bundle, records }, { part: shuffled })
    expect(outcome).toEqual({ state: 'updated', received: 80, removed: 0, records: 80 })
    expect(await reader.followedWhole()).toEqual([await writer.root()])
    expect(await reader.registry.versions('package-70')).toHaveLength(1)
    expect(await rowsOf(reader)).toEqual({ followed: 1, members: 80 })
    await writer.publish(...range(80, 83))
    const session = await follow(reader, writer, { strategy: 'incremental' })
    expect(session).toMatchObject({ state: 'updated', way: 'log', received: 3, removed: 0, records: 83 })
    expect(reader.openSnapshots).toBe(0)
  })

  test.each([
    ['at once', {}],
    ['in parts', SMALL]
  ])('makes an earlier copy what it has %s, with what went', async (_how, options) => {
    const [writer, reader] = [await open('writer'), await open('reader', options)]
    await writer.publish(...range(0, 80))
    await follow(reader, writer)
    for (const { id } of (await writer.registry.list({ limit: 30 })).releases)
      await writer.registry.remove(id)
    await writer.publish(...range(80, 120))
    const bundle = await bundleOf(writer)
    expect(await take(reader, bundle)).toEqual({ state: 'updated', received: 40, removed: 30, records: 90 })
    expect(await reader.followedWhole()).toEqual([await writer.root()])
    expect(await take(reader, bundle)).toMatchObject({ state: 'equal', received: 0 })
    expect(await rowsOf(reader)).toEqual({ followed: 1, members: 90 })
  })

  test('goes on with what a session that was cut off has brought', async () => {
    const [writer, reader] = [await open('writer'), await open('reader', SMALL)]
    await writer.publish(...range(0, 400))
    await expect(follow(reader, writer, { cutAfterFrames: 3 })).rejects.toThrow('the connection was lost')
    const bundle = await bundleOf(writer)
    expect(await take(reader, bundle, { part: bundle.records.slice(0, 100) })).toMatchObject({
      state: 'part'
    })
    const { received } = await take(reader, bundle)
    expect(received).toBeLessThan(400)
    expect(await reader.followedWhole()).toEqual([await writer.root()])
  })

  test('never takes the place of a newer state, in the copy or only known of', async () => {
    const [writer, reader, other] = [await open('writer'), await open('reader'), await open('other')]
    await writer.publish(...range(0, 10))
    const before = await bundleOf(writer)
    await writer.publish(numbered(10))
    await follow(reader, writer)
    expect(await take(reader, before)).toMatchObject({ state: 'behind' })
    expect(await reader.followedWhole()).toEqual([await writer.root()])
    await other.sets.take((await bundleOf(writer)).head)
    expect(await take(other, before)).toMatchObject({ state: 'behind' })
    expect(await rowsOf(other)).toEqual(NOTHING)
  })
})

describe('no copy', () => {
  test.each([
    ['small', {}],
    ['large', SMALL]
  ])('is made of a %s part, and nothing is left of it', async (_how, options) => {
    const [writer, reader] = [await open('writer'), await open('reader', options)]
    await writer.publish(...range(0, 80))
    const bundle = await bundleOf(writer)
    for (const part of [bundle.records.slice(1), bundle.records.slice(0, 1), []])
      expect(await take(reader, bundle, { part })).toMatchObject({ state: 'part' })
    expect(await rowsOf(reader)).toEqual(NOTHING)
    // Nor is a copy that is here touched.
    await follow(reader, writer)
    const root = await writer.root()
    await writer.publish(...range(80, 120))
    const newer = await bundleOf(writer)
    expect(await take(reader, newer, { part: newer.records.slice(3) })).toMatchObject({ state: 'part' })
    expect(await reader.followedWhole()).toEqual([root])
    expect(await rowsOf(reader)).toEqual({ followed: 1, members: 80 })
  })

  test('is made of what is too large for one, and nothing is left of it', async () => {
    const [writer, reader] = [await open('writer'), await open('reader', SMALL)]
    await writer.publish(...range(0, 80))
    const bundle = await bundleOf(writer)
    const sizeBytes = bundle.records.reduce((sum, { byteLength }) => sum + byteLength, 0)
    for (const limits of [{ maxRecords: 79 }, { maxBytes: sizeBytes - 1 }])
      await expect(take(reader, bundle, { limits })).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    expect(await rowsOf(reader)).toEqual(NOTHING)
    const limits = { maxRecords: 80, maxBytes: sizeBytes }
    expect(await take(reader, bundle, { limits })).toMatchObject({ state: 'updated' })
  })

  test('is made of a library of this node, nor beside a session that changes it', async () => {
    const [writer, reader] = [await open('writer'), await open('reader')]
    await writer.publish(...range(0, 10))
    const bundle = await bundleOf(writer)
    await expect(take(writer, bundle)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    const id = { library: writer.library, writer: writer.key.publicKey, name: HOME_LIBRARY }
    const port = await reader.sets.openBundle({ ...id, head: bundle.head, records: 10, ...WIDE })
    await expect(take(reader, bundle)).rejects.toMatchObject({ code: 'BUSY' })
    await expect(follow(reader, writer)).rejects.toMatchObject({ code: 'BUSY' })
    await port.close()
    expect(await take(reader, bundle)).toMatchObject({ state: 'updated' })
  })

  test('is left of a bundle that breaks off, and what was here stays as it was', async () => {
    const [writer, reader] = [await open('writer'), await open('reader', SMALL)]
    await writer.publish(...range(0, 80))
    await takeCut(reader, await bundleOf(writer), 60)
    expect(await rowsOf(reader)).toEqual(NOTHING)
    await follow(reader, writer)
    const root = await writer.root()
    await writer.publish(...range(80, 150))
    await takeCut(reader, await bundleOf(writer), 140)
    expect(await reader.followedWhole()).toEqual([root])
    expect(await rowsOf(reader)).toEqual({ followed: 1, members: 80 })
    expect(reader.openSnapshots).toBe(0)
  })

  test.each([
    ['nothing', 0],
    ['an earlier copy', 30]
  ])('is left after a kill, whenever it was, where %s was before', async (_what, before) => {
    const [writer, reader] = [await open('writer'), await open('reader', SMALL)]
    if (before > 0) {
      await writer.publish(...range(0, before))
      await follow(reader, writer)
    }
    const roots = before > 0 ? [await writer.root()] : []
    await writer.publish(...range(before, 80))
    const bundle = await bundleOf(writer)
    const kept = { followed: roots.length, members: before }
    let kills = 0
    for (let isDone = false; !isDone && kills < 50; kills++) {
      // What is written last is what a process was killed behind.
      reader.batchesLeft = kills
      isDone = await takeCut(reader, bundle, 80).then(
        () => true,
        () => false
      )
      reader.batchesLeft = undefined
      await reader.sets.finishCopies()
      expect(await rowsOf(reader)).toEqual(kept)
      expect(await reader.followedWhole()).toEqual(roots)
    }
    expect(kills).toBeGreaterThan(5)
  })

  test('is left of a bundle that a kill cut off when the next one is a part, and a session goes on with it', async () => {
    const [writer, reader] = [await open('writer'), await open('reader', SMALL)]
    await writer.publish(...range(0, 400))
    const bundle = await bundleOf(writer)
    const kill = async (): Promise<void> => {
      const cut = takeCut(reader, bundle, 200)
      await expect(cut).rejects.toThrow('the disk fails')
      expect((await rowsOf(reader)).members).toBeGreaterThan(100)
    }
    reader.batchesLeft = 5
    await kill()
    expect(await take(reader, bundle, { part: bundle.records.slice(0, 10) })).toMatchObject({ state: 'part' })
    expect(await rowsOf(reader)).toEqual(NOTHING)
    reader.batchesLeft = 5
    await kill()
    // What a session has gone on with is its own, and stays when that is cut off too.
    await expect(follow(reader, writer, { cutAfterFrames: 3 })).rejects.toThrow('the connection was lost')
    await reader.sets.finishCopies()
    expect((await rowsOf(reader)).members).toBeGreaterThan(100)
    const { received } = await follow(reader, writer)
    expect(received).toBeLessThan(300)
    expect(await reader.followedWhole()).toEqual([await writer.root()])
  })

  test('counts of records that are as many as the head has, and others', async () => {
    const [writer, reader] = [await open('writer'), await open('reader', SMALL)]
    await writer.publish(...range(0, 60))
    const { records, ...bundle } = await bundleOf(writer)
    const others = [...records.slice(1), numbered(99).bytes]
    await expect(take(reader, { ...bundle, records: others })).rejects.toMatchObject({
      code: 'SYNC_DIVERGED'
    })
    expect(await rowsOf(reader)).toEqual(NOTHING)
  })

  test('is half done where the disk fails at any write, and the next import makes it', async () => {
    const [writer, reader] = [await open('writer'), await open('reader', SMALL)]
    await writer.publish(...range(0, 60))
    await follow(reader, writer)
    const before = await writer.root()
    for (const { id } of (await writer.registry.list({ limit: 30 })).releases)
      await writer.registry.remove(id)
    await writer.publish(...range(200, 240))
    const bundle = await bundleOf(writer)
    let failures = 0
    for (let isDone = false; !isDone; failures++) {
      reader.batchesLeft = failures
      const made = take(reader, bundle).then(
        () => 'made',
        ({ code }) => code
      )
      isDone = (await made) === 'made'
      if (!isDone) expect(await made).toBe('DISK_IO')
      reader.batchesLeft = undefined
      await reader.sets.finishCopies()
      const root = isDone ? await writer.root() : expect.toBeOneOf([before, await writer.root()])
      expect(await reader.followedWhole()).toEqual([root])
      expect(reader.openSnapshots).toBe(0)
    }
    expect(failures).toBeGreaterThan(3)
    expect(await rowsOf(reader)).toEqual({ followed: 1, members: 70 })
  })
})
