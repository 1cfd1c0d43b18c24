import { describe, expect, test } from 'vitest'
import { silentLogger } from '../../../base/index.ts'
import { type IngestLimits, TarIngest } from '../../../library/content/ingest.ts'
import { LocalSegments } from '../../../library/content/local-segments.ts'
import { SegmentStore } from '../../../library/content/segments.ts'
import type { IngestResult } from '../../../library/content/types.ts'
import { DiskReads, FakeDisk, FakeIndex, makeTar, pseudoRandom, type TarEntry } from './fakes.ts'

const slice = { due: () => false, pause: async () => {} }

async function openStore(): Promise<{ segments: SegmentStore; disk: FakeDisk; index: FakeIndex }> {
  const disk = new FakeDisk()
  const index = new FakeIndex()
  disk.folders.set('/home', true)
  const folder = '/home/segments'
  const backend = new LocalSegments({ disk, reads: new DiskReads(disk, folder) }, folder)
  const segments = await SegmentStore.open({ backend, index, log: silentLogger }, {})
  return { segments, disk, index }
}

async function ingest(
  tar: Uint8Array,
  options: { segments?: SegmentStore; limits?: IngestLimits; pieceBytes?: number } = {}
): Promise<IngestResult> {
  const segments = options.segments ?? (await openStore()).segments
  const job = new TarIngest({ segments, slice }, { compression: 'zstd', ...options })
  const piece = options.pieceBytes ?? 100_000
  try {
    for (let at = 0; at < tar.byteLength; at += piece) await job.write(tar.subarray(at, at + piece))
    return await job.finish()
  } catch (thrown) {
    await job.abort()
    throw thrown
  }
}

const some: TarEntry[] = [
  { name: 'a.txt', body: 'hello' },
  { name: 'big', body: pseudoRandom('big', 300_000), mode: 0o4755 },
  { name: 'empty', type: 'directory', mode: 0o755 },
  { name: 'link', type: 'symlink', linkname: '../outside' },
  { name: `long/${'ü'.repeat(100)}/name`, body: '' }
]

describe('ingest', () => {
  test('the same folder gives the same content however the stream is cut, and nothing new the second time', async () => {
    const tar = await makeTar(some)
    const { segments } = await openStore()
    const first = await ingest(tar, { segments })
    expect(first).toMatchObject({ sizeBytes: 300_005, files: 3 })
    expect(first.newBytes).toBeGreaterThan(300_005)
    const again = await ingest(tar, { segments, pieceBytes: 777 })
    expect(again.content.toString()).toBe(first.content.toString())
    expect(again.newBytes).toBe(0)
  })

  test.each([64 * 1024, 10_000, 513])(
    'memory that is given, %i bytes at a time, is free again once a file has been read from it',
    async pieceBytes => {
      const entries = [...some, { name: 'm', body: pseudoRandom('m', 700_000) }, { name: 'z', body: 'end' }]
      const tar = await makeTar(entries)
      const { segments } = await openStore()
      const job = new TarIngest({ segments, slice }, { compression: 'zstd' })
      const given: Uint8Array[] = []
      for (let at = 0; at < tar.byteLength; at += pieceBytes) {
        given.push(Uint8Array.from(tar.subarray(at, at + pieceBytes)))
        await job.write(given.at(-1)!, { isGiven: true })
      }
      const { content } = await job.finish()
      expect(content.toString()).toBe((await ingest(tar)).content.toString())
      const left = given.reduce((sum, { byteLength }) => sum + byteLength, 0)
      // What ends in a header or in padding is left to the collector.
      expect(left).toBeLessThan(tar.byteLength / 4)
    }
  )

  test('two that run at once share their blocks', async () => {
    const tar = await makeTar(some)
    const { segments } = await openStore()
    const [one, two] = await Promise.all([ingest(tar, { segments }), ingest(tar, { segments })])
    expect(one.content.toString()).toBe(two.content.toString())
    expect(one.newBytes + two.newBytes).toBe((await ingest(tar)).newBytes)
  })

  test('a folder of nothing is a content too', async () => {
    expect(await ingest(await makeTar([]))).toMatchObject({ sizeBytes: 0, files: 0, newBytes: 1 })
  })

  test('an abort while it pauses between two entries ends it', async () => {
    const { segments } = await openStore()
    const turn = Promise.withResolvers<void>()
    const paused = Promise.withResolvers<void>()
    const pause = (): Promise<void> => {
      paused.resolve()
      return turn.promise
    }
    const job = new TarIngest({ segments, slice: { due: () => true, pause } }, { compression: 'zstd' })
    const tar = await makeTar([{ name: 'a' }, { name: 'b' }])
    const write = job.write(tar.subarray(0, 512)).catch((error: { code: string }) => error.code)
    await paused.promise
    const abort = job.abort()
    // The stream closes some turns of the loop after it is destroyed; only then did the next entry hang.
    for (let i = 0; i < 5; i++) await new Promise(setImmediate)
    turn.resolve()
    await abort
    expect(['ABORTED', undefined]).toContain(await write)
    await expect(job.finish()).rejects.toMatchObject({ code: 'ABORTED' })
    await segments.close()
  })

  test.each<[string, TarEntry[], string]>([
    ['a path that climbs', [{ name: '../x', body: 'x' }], 'PATH_REFUSED'],
    ['an absolute path', [{ name: '/etc/passwd', body: 'x' }], 'PATH_REFUSED'],
    ['a path twice', [{ name: 'a' }, { name: 'a' }], 'PATH_REFUSED'],
    ['no order', [{ name: 'b' }, { name: 'a' }], 'PATH_REFUSED'],
    [
      'a file below a symlink',
      [{ name: 'a', type: 'symlink', linkname: '/etc' }, { name: 'a/x' }],
      'PATH_REFUSED'
    ],
    ['a file below a file', [{ name: 'a', body: '1' }, { name: 'a/x' }], 'PATH_REFUSED'],
    ['a folder that is not empty', [{ name: 'a', type: 'directory' }, { name: 'a/x' }], 'PATH_REFUSED'],
    ['a symlink without target', [{ name: 'a', type: 'symlink', linkname: '' }], 'PATH_REFUSED'],
    ['a fifo', [{ name: 'a', type: 'fifo' }], 'ENTRY_REFUSED'],
    ['a device', [{ name: 'a', type: 'character-device' }], 'ENTRY_REFUSED'],
    ['a hard link', [{ name: 'a', type: 'link', linkname: 'b' }], 'ENTRY_REFUSED']
  ])('%s is refused, and nothing of it is indexed', async (_what, entries, code) => {
    const { segments, index } = await openStore()
    await expect(ingest(await makeTar(entries), { segments })).rejects.toMatchObject({ code })
    expect(index.keys()).toEqual(['T'])
  })

  test.each<[string, (tar: Uint8Array) => Uint8Array, string]>([
    ['inside a file', tar => tar.subarray(0, 2000), 'STREAM_TRUNCATED'],
    ['between two entries', tar => tar.subarray(0, 1024), 'STREAM_TRUNCATED'],
    ['with half an end marker', tar => tar.subarray(0, tar.byteLength - 512), 'STREAM_TRUNCATED'],
    ['at once', () => new Uint8Array(0), 'STREAM_TRUNCATED'],
    ['with other bytes after the end', tar => Buffer.concat([tar, Buffer.alloc(512, 1)]), 'INVALID_ARGUMENT'],
    ['as no tar at all', () => new Uint8Array(5000).fill(65), 'INVALID_ARGUMENT']
  ])('a stream that ends %s', async (_how, change, code) => {
    await expect(ingest(change(await makeTar(some)))).rejects.toMatchObject({ code })
  })

  test('a stream that ends early is to be sent again: nothing of it resumes', async () => {
    const tar = await makeTar(some)
    for (const end of [2000, 1024, tar.byteLength - 512])
      await expect(ingest(tar.subarray(0, end))).rejects.toMatchObject({
        code: 'STREAM_TRUNCATED',
        hint: expect.stringMatching(/^send the whole tar again/)
      })
  })

  test('a file with more bytes than its head says', async () => {
    const tar = await makeTar([{ name: 'a', body: new Uint8Array(2000).fill(66) }, { name: 'b' }])
    tar.set(Buffer.from('00000000700'), 124) // 448 bytes instead of 2,000
    setChecksum(tar)
    await expect(ingest(tar)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  test('too many entries, too many bytes', async () => {
    const tar = await makeTar(some)
    await expect(ingest(tar, { limits: { maxEntries: 2, maxBytes: 1e9 } })).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED'
    })
    await expect(ingest(tar, { limits: { maxEntries: 99, maxBytes: 1000 } })).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED'
    })
  })

  test('a full disk ends it with DISK_FULL, and the next works', async () => {
    const { segments, disk } = await openStore()
    disk.roomBytes = 100_000
    const tar = await makeTar(some)
    await expect(ingest(tar, { segments })).rejects.toMatchObject({ code: 'DISK_FULL' })
    disk.roomBytes = Number.POSITIVE_INFINITY
    expect((await ingest(tar, { segments })).files).toBe(3)
  })
})

/** Recomputes the checksum of the first head of a tar. */
function setChecksum(tar: Uint8Array): void {
  tar.fill(32, 148, 156)
  const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0)
  tar.set(Buffer.from(`${sum.toString(8).padStart(6, '0')}\0 `), 148)
}
