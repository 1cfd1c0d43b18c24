/** What every content store must do (content-store.ts), of each that there is: segments in files, in memory, and in a bucket of a real S3 server. */
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CID } from 'multiformats/cid'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { MIB, silentLogger, systemClock } from '../../../base/index.ts'
import { rawCid } from '../../../library/content/blocks.ts'
import { type ContentStore, hashBlock } from '../../../library/index.ts'
import { openTestLibrary } from '../../library.ts'
import { Random } from '../../net/support/random.ts'
import { BucketServer } from './bucket-server.ts'
import { makeBlock, makeTar, type TarEntry } from './fakes.ts'
import { MemorySegments } from './memory-segments.ts'
import { openMemoryStore } from './memory-store.ts'

/** Segments are of 8 MiB then. */
const QUOTA_BYTES = 64 * MIB
/** More than one of them. */
const BIG_BYTES = 12_000_000
const big = new Random('stores').bytes(BIG_BYTES)
const FOLDER: TarEntry[] = [
  { name: 'a.txt', body: 'a line that shrinks\n'.repeat(20_000) },
  { name: 'bin/run', body: '#!/bin/sh\n', mode: 0o755 },
  { name: 'empty', type: 'directory', mode: 0o755 },
  { name: 'nothing', body: '' },
  { name: 'x/big', body: big },
  { name: 'x/twice', body: big.subarray(0, 300_000) },
  { name: 'z-link', type: 'symlink', linkname: 'x/big' }
]
const FOLDER_BYTES = BIG_BYTES + 400_000 + 300_000 + 10

let server: BucketServer
let folderTar: Uint8Array
beforeAll(async () => {
  server = await BucketServer.start()
  folderTar = await makeTar(FOLDER)
})
afterAll(() => server.destroy())

let undo: Array<() => Promise<unknown>> = []
afterEach(async () => {
  for (const step of undo.reverse()) await step()
  undo = []
})

/** A store that can be opened, closed and opened again. */
interface Place {
  /** Of the segments and the index, where they are files. */
  home: string
  open(quotaBytes?: number): Promise<ContentStore>
  close(): Promise<void>
}

async function temporaryHome(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'catalog-stores-'))
  undo.push(() => rm(home, { recursive: true }))
  return home
}

type Opened = { content: ContentStore; close(): Promise<void> }

function placeOf(home: string, openAt: (quotaBytes: number) => Promise<Opened>): Place {
  let opened: Opened | undefined
  const close = async (): Promise<void> => {
    await opened?.close()
    opened = undefined
  }
  undo.push(close)
  return {
    home,
    close,
    open: async (quotaBytes = QUOTA_BYTES) => {
      opened = await openAt(quotaBytes)
      return opened.content
    }
  }
}

async function filesPlace(): Promise<Place> {
  const home = await temporaryHome()
  return placeOf(home, quotaBytes =>
    openTestLibrary({ log: silentLogger, clock: systemClock }, { home, quotaBytes })
  )
}

async function memoryPlace(): Promise<Place> {
  const home = await temporaryHome()
  const segments = new MemorySegments()
  return placeOf(home, quotaBytes => openMemoryStore(home, segments, { quotaBytes }))
}

let prefixes = 0
/** With a cache of nothing: what is sealed stands only in the bucket once it is moved. */
async function bucketPlace(): Promise<Place> {
  const home = await temporaryHome()
  const bucket = { ...server.settings(`stores-${prefixes++}/`), backlogBytes: 128 * MIB, cacheBytes: 0 }
  return placeOf(home, quotaBytes =>
    openTestLibrary({ log: silentLogger, clock: systemClock }, { home, quotaBytes, bucket })
  )
}

/** Does what a node does in the background. */
async function settle({ bucket }: ContentStore): Promise<void> {
  while (bucket !== undefined && (await bucket.step(AbortSignal.timeout(20_000))).isMore);
}

const PLACES: Array<[name: string, make: () => Promise<Place>]> = [
  ['files', filesPlace],
  ['memory', memoryPlace],
  ['a bucket', bucketPlace]
]

async function ingest(store: ContentStore, tar: Uint8Array): Promise<CID> {
  const open = await store.beginIngest({})
  for (let at = 0; at < tar.byteLength; at += MIB)
    await open.write(Uint8Array.from(tar.subarray(at, at + MIB)))
  return (await open.finish()).content
}

const ingestSmall = async (store: ContentStore, body: string): Promise<CID> =>
  await ingest(store, await makeTar([{ name: 'file', body }]))

/** The hash of the whole stream, whose parts are valid only one at a time. */
async function streamed(store: ContentStore, content: CID): Promise<Uint8Array> {
  const parts: Buffer[] = []
  for await (const part of store.exportTar(content)) parts.push(Buffer.from(part))
  return hashBlock(Buffer.concat(parts))
}

const collect = (store: ContentStore) => store.collect({ evictBytes: 0, dryRun: false, fetching: [] })

describe.each(PLACES)('a store in %s', (_, make) => {
  test('stores a folder, says what it has, streams it and gives its blocks; also when it is opened again', async () => {
    const place = await make()
    let store = await place.open()
    expect(store.stats()).toEqual({ bytes: 0, chunks: 0 })
    const content = await ingest(store, folderTar)
    const stream = await streamed(store, content)
    await settle(store)
    const check = async (): Promise<void> => {
      expect(store.localState(content)).toBe('complete')
      expect(store.isKept(content)).toBe(true)
      expect(store.summary(content)).toEqual({ sizeBytes: FOLDER_BYTES, files: 5 })
      expect(store.stats().bytes).toBeGreaterThan(BIG_BYTES)
      expect(store.stats().bytes).toBeLessThan(1.03 * BIG_BYTES)
      expect(await store.holdings()).toEqual({ complete: 1, damaged: 0, isUnchecked: false })
      expect(await streamed(store, content)).toEqual(stream)
      const manifest = await store.openManifest(content)
      const entries = await Array.fromAsync(manifest.entries())
      expect(entries.map(({ path }) => path)).toEqual(FOLDER.map(({ name }) => name))
      const file = entries.find(({ path }) => path === 'x/big')
      if (file?.kind !== 'file') throw new Error('x/big is no file')
      const chunks = await Array.fromAsync(store.chunks(file.root, file.sizeBytes))
      const ids = chunks.slice(0, 40).map(({ id }) => id)
      expect(ids.every(id => store.hasBlock(id))).toBe(true)
      const blocks = await store.readStoredMany(ids, sizeBytes => new Uint8Array(sizeBytes))
      expect(blocks.map(({ bytes }) => hashBlock(bytes))).toEqual(ids)
      expect(hashBlock(await store.readBlock(ids[7]!))).toEqual(ids[7])
      expect((await store.readStored(ids[7]!)).bytes).toHaveLength(chunks[7]!.lengthBytes)
      expect(await store.verify(content)).toMatchObject({ ok: true, bad: [] })
    }
    await check()
    await place.close()
    store = await place.open()
    await check()
    expect(await ingest(store, folderTar)).toEqual(content)
    await check()
  })

  test('knows what it has not', async () => {
    const store = await (await make()).open()
    const { id } = makeBlock(1, 100)
    const absent = rawCid(id)
    expect([store.hasBlock(id), store.localState(absent), store.isKept(absent)]).toEqual([
      false,
      'none',
      false
    ])
    expect(store.summary(absent)).toBeUndefined()
    expect(await store.list({ limit: 10 })).toEqual({ contents: [], hasMore: false })
    const missing = { code: 'CONTENT_MISSING' }
    await expect(store.readBlock(id)).rejects.toMatchObject(missing)
    await expect(store.readStoredMany([id], size => new Uint8Array(size))).rejects.toMatchObject(missing)
    await expect(store.openManifest(absent)).rejects.toMatchObject(missing)
    await expect(streamed(store, absent)).rejects.toMatchObject(missing)
    await expect(store.remove(absent)).rejects.toMatchObject(missing)
    await expect(store.copyTo(store, absent)).rejects.toMatchObject(missing)
    expect(await store.verify(absent)).toMatchObject({ ok: false, missing: 1 })
  })

  test('stores blocks that are what their ids say, and no others', async () => {
    const store = await (await make()).open()
    const receive = store.beginReceive()
    const blocks = [makeBlock(1, 5000), makeBlock(2, 100_000)]
    await receive.writeBlocks(blocks.map(block => ({ ...block, bytes: Uint8Array.from(block.bytes) })))
    const wrong = { ...makeBlock(3, 5000), id: makeBlock(4, 10).id }
    await expect(receive.writeBlocks([wrong])).rejects.toMatchObject({ code: 'BYTES_WRONG' })
    await receive.end()
    for (const { id, bytes } of blocks) expect(Buffer.compare(await store.readBlock(id), bytes)).toBe(0)
    expect(store.hasBlock(wrong.id)).toBe(false)
    expect(store.stats().chunks).toBe(2)
  })

  test('lists what is kept page by page, with sizes, last uses and pins', async () => {
    const store = await (await make()).open()
    const contents: CID[] = []
    for (const body of ['one', 'two', 'three', 'four', 'five']) contents.push(await ingestSmall(store, body))
    const pinned = {
      content: contents[2]!,
      name: '@a/b',
      version: '1.0.0',
      owner: new Uint8Array(32).fill(7)
    }
    await store.pin(pinned)
    const listed: CID[] = []
    for (let after: CID | undefined, hasMore = true; hasMore; after = listed.at(-1)) {
      const page = await store.list({ limit: 2, after })
      for (const { content, summary, usedMs, pins } of page.contents) {
        listed.push(content)
        expect(summary).toMatchObject({ files: 1 })
        expect(usedMs).toBeGreaterThan(0)
        const { content: _, ...release } = pinned
        expect(pins).toEqual(content.equals(pinned.content) ? [release] : [])
      }
      expect(page.contents.length).toBe(page.hasMore ? 2 : 1)
      hasMore = page.hasMore
    }
    expect(new Set(listed.map(String))).toEqual(new Set(contents.map(String)))
    expect(listed).toHaveLength(5)
    for (const limit of [0, 1001, 1.5])
      await expect(store.list({ limit })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  test('deletes a content unless it is pinned or read, and gives its room back', async () => {
    const store = await (await make()).open()
    const kept = await ingestSmall(store, 'kept')
    const content = await ingest(store, folderTar)
    await settle(store)
    const release = { content, name: 'pack', version: '1.0.0', owner: new Uint8Array(32) }
    await store.pin(release)
    await expect(store.remove(content)).rejects.toMatchObject({ code: 'RELEASE_PINNED' })
    await store.unpin(release)
    const done = store.hold(content)
    await expect(store.remove(content)).rejects.toMatchObject({ code: 'BUSY' })
    done()
    await store.remove(content)
    await expect(store.remove(content)).rejects.toMatchObject({ code: 'CONTENT_MISSING' })
    expect([store.isKept(content), store.summary(content)]).toEqual([false, undefined])
    const { contents } = await store.list({ limit: 10 })
    expect(contents.map(held => held.content.toString())).toEqual([kept.toString()])
    await collect(store)
    await settle(store)
    expect(store.localState(content)).toBe('none')
    expect(store.stats().bytes).toBeLessThan(10_000)
    expect(await store.verify(kept)).toMatchObject({ ok: true })
    expect(await ingest(store, folderTar)).toEqual(content)
    expect(await store.verify(content)).toMatchObject({ ok: true })
  })

  test.each(PLACES)('is copied to one in %s, once', async (_, makeTarget) => {
    const source = await (await make()).open()
    const content = await ingest(source, folderTar)
    await settle(source)
    const place = await makeTarget()
    let target = await place.open()
    // A part of it is there already.
    const half = await makeTar(FOLDER.filter(({ name }) => name !== 'x/big' && name !== 'z-link'))
    await ingest(target, half)
    const { copiedBytes, reusedBytes } = await source.copyTo(target, content)
    expect(reusedBytes).toBeGreaterThan(300_000)
    expect(copiedBytes).toBeGreaterThan(BIG_BYTES - 300_000)
    expect(copiedBytes + reusedBytes).toBeLessThan(1.03 * FOLDER_BYTES)
    const { bytes } = target.stats()
    expect(await source.copyTo(target, content)).toEqual({ copiedBytes: 0, reusedBytes: FOLDER_BYTES })
    await settle(target)
    await place.close()
    target = await place.open()
    expect(target.stats().bytes).toBe(bytes)
    expect(target.summary(content)).toEqual(source.summary(content))
    expect((await target.list({ limit: 10 })).contents).toHaveLength(2)
    expect(await target.verify(content)).toMatchObject({ ok: true })
    expect(await streamed(target, content)).toEqual(await streamed(source, content))
  })

  test('is copied no further than the quota of the other allows, and on when that allows more', async () => {
    const source = await (await make()).open()
    const content = await ingest(source, folderTar)
    const place = await filesPlace()
    let target = await place.open(10 * MIB)
    const full = { code: 'QUOTA_EXCEEDED' }
    await expect(source.copyTo(target, content)).rejects.toMatchObject(full)
    expect(target.stats().bytes).toBeLessThanOrEqual(8.75 * MIB)
    expect(target.localState(content)).not.toBe('complete')
    await expect(source.copyTo(target, content)).rejects.toMatchObject(full)
    await place.close()
    target = await place.open()
    const { reusedBytes } = await source.copyTo(target, content)
    expect(reusedBytes).toBeGreaterThan(7 * MIB)
    expect(await target.verify(content)).toMatchObject({ ok: true })
  })
})

test('an empty folder is copied too', async () => {
  const [source, target] = [await (await memoryPlace()).open(), await (await memoryPlace()).open()]
  const content = await ingest(source, await makeTar([]))
  await source.copyTo(target, content)
  expect(target.summary(content)).toEqual({ sizeBytes: 0, files: 0 })
})

test('a damaged block is not copied, and a damaged content is listed as one', async () => {
  const place = await filesPlace()
  const source = await place.open()
  const content = await ingest(source, await makeTar(FOLDER.slice(0, 5)))
  const path = join(place.home, 'segments', '0')
  const at = (await readFile(path)).indexOf(big.subarray(2_000_000, 2_000_100))
  const file = await open(path, 'r+')
  await file.write(Buffer.from([1, 2, 3]), 0, 3, at + 10)
  await file.close()
  const target = await (await memoryPlace()).open()
  await expect(source.copyTo(target, content)).rejects.toMatchObject({ code: 'CONTENT_CORRUPT' })
  expect(target.localState(content)).not.toBe('complete')
  expect(await source.verify(content)).toMatchObject({ ok: false })
  expect((await source.list({ limit: 1 })).contents).toMatchObject([{ content, summary: undefined }])
  await expect(source.copyTo(target, content)).rejects.toMatchObject({ code: 'CONTENT_MISSING' })
})
