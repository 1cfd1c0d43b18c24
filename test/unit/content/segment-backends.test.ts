/** What every place for segments must do, of each of them: files, memory, and a bucket of a real S3 server. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { silentLogger } from '../../../base/index.ts'
import { BucketOwner, openBucket } from '../../../library/content/bucket.ts'
import { BucketSegments } from '../../../library/content/bucket-segments.ts'
import { nodeDisk } from '../../../library/content/disk.ts'
import { LocalSegments } from '../../../library/content/local-segments.ts'
import { RECORD_HEAD_BYTES } from '../../../library/content/record.ts'
import type { SegmentBackend } from '../../../library/content/segment-backend.ts'
import { SegmentFiles } from '../../../library/content/segment-files.ts'
import { SegmentStore } from '../../../library/content/segments.ts'
import { WriteSession } from '../../../library/content/stage.ts'
import { storeId } from '../../../library/content/store-id.ts'
import { Random } from '../../net/support/random.ts'
import { BucketServer } from './bucket-server.ts'
import { FakeIndex, makeBlock, pseudoRandom } from './fakes.ts'
import { MemorySegments } from './memory-segments.ts'

const MB = 1_000_000
/** More than one part of a bucket. */
const SIZE = 1_500_000
let server: BucketServer
beforeAll(async () => {
  server = await BucketServer.start()
})
afterAll(() => server.destroy())

let undo: Array<() => Promise<unknown>> = []
afterEach(async () => {
  for (const step of undo.reverse()) await step()
  undo = []
})

async function homeFolder(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'catalog-backend-'))
  undo.push(() => rm(home, { recursive: true }))
  return join(home, 'segments')
}

const localIn = (folder: string): LocalSegments =>
  new LocalSegments({ disk: nodeDisk, reads: new SegmentFiles(folder) }, folder)

/** Opens a backend; again with what the first left behind. `settle` does what is due in the background. */
interface Place {
  open(): Promise<SegmentBackend>
  settle(backend: SegmentBackend): Promise<void>
}

let prefixes = 0
/** With a cache of nothing: what is sealed stands only in the bucket once `settle` is over. */
async function bucketPlace(cacheBytes = 0): Promise<Place & { index: FakeIndex }> {
  const folder = await homeFolder()
  const index = new FakeIndex()
  const settings = server.settings(`test-${prefixes++}/`)
  return {
    index,
    open: async () => {
      const bucket = await openBucket(settings)
      const owner = new BucketOwner(bucket, await storeId(folder))
      const modules = { local: localIn(folder), bucket, owner, index, log: silentLogger }
      return new BucketSegments(modules, { backlogBytes: 100 * MB, cacheBytes })
    },
    settle: async backend => {
      while ((await (backend as BucketSegments).step(AbortSignal.timeout(20_000))).isMore);
    }
  }
}

const PLACES: Array<[name: string, make: () => Promise<Place>]> = [
  [
    'files',
    async () => {
      const folder = await homeFolder()
      return { open: async () => localIn(folder), settle: async () => {} }
    }
  ],
  [
    'memory',
    async () => {
      const memory = new MemorySegments()
      return { open: async () => memory, settle: async () => {} }
    }
  ],
  ['a bucket', () => bucketPlace()],
  ['a bucket, all of it cached', () => bucketPlace(100 * MB)]
]

describe.each(PLACES)('segments in %s', (_, make) => {
  const bytesOf = async (backend: SegmentBackend, segment: number, at: number, sizes: number[]) => {
    const targets = sizes.map(size => Buffer.alloc(size))
    const filled = await backend.readInto(segment, targets, at)
    return Buffer.concat(targets).subarray(0, filled)
  }

  test('append, seal, range read, list, size, delete', async () => {
    const place = await make()
    const backend = await place.open()
    undo.push(() => backend.close())
    await backend.prepare()
    expect(await backend.list()).toEqual([])
    const first = new Random('first').bytes(SIZE)
    const second = pseudoRandom('second', 100_000)
    await backend.append(0, 0, first.subarray(0, 5000))
    await backend.append(0, 5000, first.subarray(5000))
    await backend.append(1, 0, second)
    backend.seal(0)
    expect([backend.isSealed(0), backend.isSealed(1)]).toEqual([true, false])
    await place.settle(backend)
    expect(await backend.list()).toEqual([0, 1])
    expect(await backend.sizeOf(0)).toBe(SIZE)
    expect(await backend.sizeOf(2)).toBeUndefined()
    expect(await bytesOf(backend, 0, 0, [SIZE])).toEqual(Buffer.from(first))
    expect(await bytesOf(backend, 0, 4990, [20, 5, 1_060_000])).toEqual(
      Buffer.from(first.subarray(4990, 4990 + 25 + 1_060_000))
    )
    expect(await bytesOf(backend, 0, SIZE - 10, [4, 100])).toEqual(Buffer.from(first.subarray(SIZE - 10)))
    expect(await bytesOf(backend, 0, 2 * MB, [10])).toHaveLength(0)
    await expect(backend.readInto(7, [Buffer.alloc(1)], 0)).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(backend.append(0, SIZE, second)).rejects.toMatchObject({ code: 'INTERNAL' })
    await backend.remove(0)
    await backend.remove(0)
    await place.settle(backend)
    expect(await backend.list()).toEqual([1])
    expect(await backend.sizeOf(0)).toBeUndefined()
    await expect(backend.readInto(0, [Buffer.alloc(1)], 0)).rejects.toMatchObject({ code: 'ENOENT' })
    expect(await bytesOf(backend, 1, 0, [100_000])).toEqual(Buffer.from(second))
  })

  test('what is cut off is gone, and written anew', async () => {
    const backend = await (await make()).open()
    undo.push(() => backend.close())
    await backend.prepare()
    await backend.append(0, 0, pseudoRandom('a', 5000))
    await backend.cut(0, 3000)
    await backend.sync(0)
    expect(await backend.sizeOf(0)).toBe(3000)
    await backend.append(0, 3000, pseudoRandom('b', 100))
    expect(await bytesOf(backend, 0, 3000, [200])).toEqual(Buffer.from(pseudoRandom('b', 100)))
  })

  test('a store on it finds its blocks again when it is opened anew, with its index and without', async () => {
    const place = await make()
    const index = (place as { index?: FakeIndex }).index ?? new FakeIndex()
    const all = Array.from({ length: 40 }, (_, i) => makeBlock(i, 100_000))
    const open = async (): Promise<{ backend: SegmentBackend; store: SegmentStore }> => {
      const backend = await place.open()
      const modules = { backend, index, log: silentLogger }
      return { backend, store: await SegmentStore.open(modules, { segmentBytes: MB }) }
    }
    const check = async (backend: SegmentBackend, store: SegmentStore): Promise<void> => {
      for (const { id, bytes } of all) {
        const { segment, offsetBytes, lengthBytes } = store.locate(id)!
        const found = await bytesOf(backend, segment, offsetBytes + RECORD_HEAD_BYTES, [lengthBytes])
        expect(found.equals(bytes)).toBe(true)
      }
    }
    const { backend, store } = await open()
    for (const block of all) {
      const session = new WriteSession()
      await store.put(block, session)
      await store.flush(session)
    }
    const { totalBytes, blocks } = store.tail
    await place.settle(backend)
    await check(backend, store)
    await store.close()
    const again = await open()
    expect(again.store.tail).toMatchObject({ totalBytes, blocks })
    await check(again.backend, again.store)
    await again.store.close()
    await index.clear(new Uint8Array())
    const anew = await open()
    expect(anew.store.tail).toMatchObject({ totalBytes, blocks })
    await check(anew.backend, anew.store)
    const session = new WriteSession()
    await anew.store.put(makeBlock(1000, 5000), session)
    await anew.store.flush(session)
    await anew.store.close()
  })
})

test('another store, or one with another prefix, is refused, and nothing counts as lost', async () => {
  const settings = server.settings('owned/')
  const bucket = await openBucket(settings)
  undo.push(async () => bucket.close())
  await new BucketOwner(bucket, 'a'.repeat(32)).claim()
  await expect(new BucketOwner(bucket, 'b'.repeat(32)).claim()).rejects.toMatchObject({
    code: 'BUCKET_CONFLICT'
  })
  const index = new FakeIndex()
  const folder = await homeFolder()
  const open = async (prefix: string): Promise<BucketSegments> => {
    const there = await openBucket(server.settings(prefix))
    const owner = new BucketOwner(there, await storeId(folder))
    const modules = { local: localIn(folder), bucket: there, owner, index, log: silentLogger }
    return new BucketSegments(modules, { backlogBytes: 100 * MB, cacheBytes: 0 })
  }
  const backend = await open('right/')
  await backend.prepare()
  await backend.append(0, 0, pseudoRandom('a', 5000))
  backend.seal(0)
  while ((await backend.step(AbortSignal.timeout(20_000))).isMore);
  await backend.close()
  const wrong = await open('wrong/')
  undo.push(() => wrong.close())
  await expect(wrong.readInto(0, [Buffer.alloc(10)], 0)).rejects.toMatchObject({ code: 'BUCKET_CONFLICT' })
})
