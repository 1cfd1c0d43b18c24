/** Full disks, real ones: small file systems in memory under the homes and targets of real daemons. Needs root. */
import { readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MIB } from '../../base/index.ts'
import { LevelWriter, openLevel } from '../../library/database/level.ts'
import { compareFolders } from '../../scripts/quickstart/compare.ts'
import { SmallDisk, whyNoSmallDisk } from '../../testnet/drivers/small-disk.ts'
import { differences, type Files, randomFiles, sizeOf, writeFiles } from './support/content.ts'
import { TestNode } from './support/node.ts'
import { chooseSeed, Random } from './support/random.ts'

const DISK_BYTES = 224 * MIB
const SMALL_BYTES = 8 * MIB
/** More than is left beside the ballast, less than without it. */
const LARGE_BYTES = 80 * MIB
const LEFT_BYTES = 72 * MIB
const TEST_TIMEOUT_MS = 120_000

const why = whyNoSmallDisk()
if (why !== undefined) console.log(`full disks are not tested: ${why}`)
const seed = chooseSeed()
const random = new Random(seed)
let folder: string
const disks: SmallDisk[] = []
const nodes: TestNode[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'catalog-disk-'))
})

afterAll(async () => {
  await Promise.all(nodes.map(node => node.kill()))
  for (const disk of disks) disk.unmount()
  await rm(folder, { recursive: true, force: true })
})

function smallDisk(name: string, sizeBytes = DISK_BYTES): SmallDisk {
  const disk = SmallDisk.mount(join(folder, name), sizeBytes)
  disks.push(disk)
  return disk
}

async function node(root: string): Promise<TestNode> {
  const made = await TestNode.create(root)
  nodes.push(made)
  await made.start()
  return made
}

async function source(name: string, sizeBytes: number): Promise<{ path: string; files: Files }> {
  const files = randomFiles(random, sizeBytes, 6)
  const path = join(folder, `source-${name}`)
  await writeFiles(path, files)
  return { path, files }
}

async function held(at: TestNode): Promise<Record<string, string>> {
  const { packages } = await at.daemon.ok('GET', '/v1/packages')
  return Object.fromEntries(packages.map((one: { name: string; local: string }) => [one.name, one.local]))
}

async function expectServed(at: TestNode, content: string, files: Files): Promise<void> {
  const answer = await at.daemon.api('GET', `/v1/contents/${content}/tar`)
  expect(answer.trailers['x-catalog-status']).toBe('ok')
  expect(await differences(answer.bytes, files)).toEqual([])
}

describe.skipIf(why !== undefined)(`full disks (CATALOG_SEED=${seed})`, () => {
  it(
    'a publish that does not fit leaves nothing half-done, and works once there is room',
    async () => {
      const disk = smallDisk('publisher')
      const [publisher, consumer] = [
        await node(join(disk.folder, 'home')),
        await node(join(folder, 'reader'))
      ]
      const [small, large] = [await source('small', SMALL_BYTES), await source('large', LARGE_BYTES)]
      const publish = (name: string, path: string) =>
        publisher.run('publish', path, '--name', name, '--version', '1.0.0')
      const kept = await publish('kept', small.path)
      expect(kept.error).toBeUndefined()

      disk.fill(LEFT_BYTES)
      const refused = await publish('large', large.path)
      expect(refused).toMatchObject({ code: 1, error: { code: 'DISK_FULL' } })
      expect(await held(publisher)).toEqual({ kept: 'complete' })
      disk.fill()
      expect(await publish('tiny', large.path)).toMatchObject({ code: 1, error: { code: 'DISK_FULL' } })
      expect(await held(publisher)).toEqual({ kept: 'complete' })
      const fetched = await consumer.daemon.operation('/v1/fetches', {
        spec: 'kept',
        from: publisher.daemon.address
      })
      expect(fetched.error).toBeUndefined()
      await expectServed(consumer, kept.json.content, small.files)

      disk.free()
      const published = await publish('large', large.path)
      expect(published).toMatchObject({ code: 0, error: undefined })
      expect(published.json.newBytes, 'what was stored before counts').toBeLessThan(LARGE_BYTES)
      await publisher.kill()
      await publisher.start()
      expect(await held(publisher)).toEqual({ kept: 'complete', large: 'complete' })
      await expectServed(publisher, published.json.content, large.files)
    },
    TEST_TIMEOUT_MS
  )

  it(
    'a fetch that does not fit says so and goes on where it was once there is room',
    async () => {
      const disk = smallDisk('consumer')
      const [publisher, consumer] = [
        await node(join(folder, 'source')),
        await node(join(disk.folder, 'home'))
      ]
      const { files } = await source('fetched', LARGE_BYTES)
      const { record } = await publisher.daemon.publish({ name: 'fetched', version: '1.0.0', files })
      await consumer.connectTo(publisher)

      disk.fill(LEFT_BYTES)
      expect(await consumer.run('fetch', 'fetched')).toMatchObject({ code: 1, error: { code: 'DISK_FULL' } })
      expect((await held(consumer)).fetched).not.toBe('complete')
      disk.fill()
      expect(await consumer.run('fetch', 'fetched')).toMatchObject({ code: 1, error: { code: 'DISK_FULL' } })

      disk.free()
      const again = await consumer.run('fetch', 'fetched')
      expect(again).toMatchObject({ code: 0, error: undefined })
      expect(again.json.bytesReused).toBeGreaterThan(0)
      expect(again.json.bytesFetched + again.json.bytesReused).toBe(sizeOf(files))
      await expectServed(consumer, record.release.content.toString(), files)
    },
    TEST_TIMEOUT_MS
  )

  it(
    'an install that does not fit leaves the target as it was',
    async () => {
      const disk = smallDisk('target', 5 * SMALL_BYTES)
      const publisher = await node(join(folder, 'installer'))
      const versions = [await source('old', SMALL_BYTES), await source('new', 2 * SMALL_BYTES)]
      for (const [index, { files }] of versions.entries())
        await publisher.daemon.publish({ name: 'app', version: `${index + 1}.0.0`, files })
      const install = (version: string) => publisher.run('install', `app@${version}`, '--to', disk.folder)
      const differs = async (index: number) =>
        (await compareFolders(versions[index]!.path, join(disk.folder, 'app'))).differences
      expect(await install('1.0.0')).toMatchObject({ code: 0 })

      for (const leftBytes of [SMALL_BYTES, 0]) {
        disk.fill(leftBytes)
        expect(await install('2.0.0')).toMatchObject({ code: 1, error: { code: 'DISK_FULL' } })
        expect(await differs(0)).toEqual([])
      }
      disk.free()
      expect(await install('2.0.0')).toMatchObject({ code: 0, error: undefined })
      expect(await differs(1)).toEqual([])
      expect(readdirSync(join(disk.folder, '.catalog')), 'no leftovers').toEqual(['installed.json'])
    },
    TEST_TIMEOUT_MS
  )

  it('a write to the database that fails half-way costs nothing that is acknowledged later', async () => {
    const disk = smallDisk('database')
    const path = join(disk.folder, 'db')
    let isMeasured = false
    const level = await openLevel(path)
    const writer = new LevelWriter(level, {
      freeBytes: () => (isMeasured ? disk.freeBytes : Number.POSITIVE_INFINITY)
    })
    const acknowledged: Buffer[] = []
    const put = async (index: number): Promise<void> => {
      const key = Buffer.from(`key ${index}`)
      await writer.batch([{ type: 'put', key, value: random.bytes(3000) }], { sync: true })
      acknowledged.push(key)
    }
    for (let index = 0; index < 50; index++) await put(index)
    // Another program fills the disk between the look at it and the write; the last page may still take a few.
    disk.fill()
    const failure = await (async () => {
      for (;;) await put(acknowledged.length)
    })().catch(error => error)
    expect(failure).toMatchObject({ code: 'DISK_FULL' })
    isMeasured = true
    await expect(put(99)).rejects.toMatchObject({ code: 'DISK_FULL' })
    disk.free()
    for (let index = 100; index < 200; index++) await put(index)
    await level.close()

    const reopened = await openLevel(path)
    const reader = new LevelWriter(reopened)
    const lost = acknowledged.filter(key => reader.get(key) === undefined)
    await reopened.close()
    expect(acknowledged.length).toBeGreaterThanOrEqual(150)
    expect(lost).toEqual([])
  })
})
