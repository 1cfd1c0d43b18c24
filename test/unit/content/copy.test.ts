/** How a content is copied into another store: what is read and written when, and what is left by a copy that fails. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CID } from 'multiformats/cid'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { MIB } from '../../../base/index.ts'
import { COPY_FLUSH_BYTES, copyContent } from '../../../library/content/copy.ts'
import type { CopyTarget, IncomingBlock, StoredBlock } from '../../../library/index.ts'
import { Random } from '../../net/support/random.ts'
import { makeTar } from './fakes.ts'
import { MemorySegments } from './memory-segments.ts'
import { type OpenedStore, openMemoryStore } from './memory-store.ts'

/** Two flushes, and some more. */
const SIZE_BYTES = 2.5 * COPY_FLUSH_BYTES

let folder: string
let source: OpenedStore
let target: OpenedStore
let content: CID

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'catalog-copy-'))
  source = await openMemoryStore(join(folder, 'source'), new MemorySegments())
  target = await openMemoryStore(join(folder, 'target'), new MemorySegments())
  const ingest = await source.content.beginIngest({})
  const tar = await makeTar([{ name: 'data', body: new Random('copy').bytes(SIZE_BYTES) }])
  for (let at = 0; at < tar.byteLength; at += MIB) await ingest.write(tar.slice(at, at + MIB))
  content = (await ingest.finish()).content
})

afterEach(async () => {
  await source.close()
  await target.close()
  await rm(folder, { recursive: true })
})

/** The target, with its writes seen, and changed, by the test. */
function watched(
  onWrite: (blocks: IncomingBlock[], write: () => Promise<void>) => Promise<void>
): CopyTarget {
  const { content: store } = target
  return {
    hasBlock: id => store.hasBlock(id),
    localState: cid => store.localState(cid),
    hold: cid => store.hold(cid),
    beginReceive: () => {
      const receive = store.beginReceive()
      const writeBlocks: typeof receive.writeBlocks = (blocks, signal) =>
        onWrite(blocks, () => receive.writeBlocks(blocks, signal))
      return {
        writeBlocks,
        flush: signal => receive.flush(signal),
        markComplete: (...args) => receive.markComplete(...args),
        end: () => receive.end()
      }
    }
  }
}

const isWhole = async (): Promise<boolean> => (await target.content.verify(content)).ok

test('reads the next piece while one is written, and no more than that', async () => {
  let writing = 0
  let mostBytes = 0
  const to = watched(async (blocks, write) => {
    expect(++writing).toBe(1)
    mostBytes = Math.max(
      mostBytes,
      blocks.reduce((sum, { bytes }) => sum + bytes.byteLength, 0)
    )
    await write()
    writing--
  })
  await source.content.copyTo(to, content)
  expect(mostBytes).toBeLessThan(1.3 * MIB)
  expect(await isWhole()).toBe(true)
  // What is whole there is not even looked at.
  const beginReceive = (): never => expect.unreachable()
  const again = await source.content.copyTo({ ...to, beginReceive }, content)
  expect(again).toEqual({ copiedBytes: 0, reusedBytes: SIZE_BYTES })
})

test('tells what is on disk there, and waits for who wants it to; a collection there meanwhile takes none of it', async () => {
  const told: number[] = []
  const report = await source.content.copyTo(target.content, content, {
    onFlushed: async ({ copiedBytes }) => {
      told.push(copiedBytes)
      await target.content.collect({ evictBytes: 0, dryRun: false, fetching: [] })
      expect(target.content.stats().bytes).toBeGreaterThanOrEqual(copiedBytes)
    }
  })
  expect(told).toHaveLength(2)
  expect(told[0]).toBeGreaterThanOrEqual(COPY_FLUSH_BYTES)
  expect(told[0]).toBeLessThan(COPY_FLUSH_BYTES + 2 * MIB)
  expect(report).toMatchObject({ reusedBytes: 0 })
  expect(report.copiedBytes).toBeGreaterThan(SIZE_BYTES)
  expect(await isWhole()).toBe(true)
})

test('what was copied before an abort stays, and is not copied again', async () => {
  const abort = new AbortController()
  let writes = 0
  const to = watched(async (_, write) => {
    if (++writes === 20) abort.abort(new Error('enough'))
    await write()
  })
  await expect(source.content.copyTo(to, content, { signal: abort.signal })).rejects.toThrow('enough')
  expect(target.content.localState(content)).not.toBe('complete')
  const { copiedBytes, reusedBytes } = await source.content.copyTo(target.content, content)
  expect(reusedBytes).toBeGreaterThan(18 * MIB)
  expect(copiedBytes + reusedBytes).toBeLessThan(1.01 * SIZE_BYTES)
  expect(await isWhole()).toBe(true)
})

test('a failed write ends it with that error, though more is on its way', async () => {
  let writes = 0
  const to = watched(async (_, write) => {
    if (++writes === 5) throw new Error('no')
    await write()
  })
  await expect(source.content.copyTo(to, content)).rejects.toThrow('no')
  expect(writes).toBe(5)
})

test('bytes that are wrong are refused by the store they go to', async () => {
  let reads = 0
  const { content: store } = source
  const lying = {
    has: (id: Uint8Array) => store.hasBlock(id),
    read: (id: Uint8Array) => store.readBlock(id),
    readStoredMany: async (
      ids: readonly Uint8Array[],
      memoryOf: (size: number) => Uint8Array
    ): Promise<StoredBlock[]> => {
      const blocks = await store.readStoredMany(ids, memoryOf)
      if (++reads === 10) blocks[3]!.bytes[100]! ^= 1
      return blocks
    }
  }
  const summary = store.summary(content)!
  await expect(
    copyContent({ source: lying, target: target.content }, { content, summary }, {})
  ).rejects.toMatchObject({ code: 'BYTES_WRONG' })
  expect(target.content.localState(content)).not.toBe('complete')
  await store.copyTo(target.content, content)
  expect(await isWhole()).toBe(true)
})
