/** Blocks at rest as zstd, on a real disk with the real worker. */
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CID } from 'multiformats/cid'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { silentLogger, systemClock } from '../../../base/index.ts'
import { decodeLocation } from '../../../library/content/record.ts'
import { decodeNode } from '../../../library/content/tree.ts'
import { compress } from '../../../library/content/zstd.ts'
import {
  BlockCodec,
  blockIdOf,
  type ChunkRef,
  hashBlock,
  KeyFamily,
  type Library,
  MANIFEST_FANOUT,
  makeKey,
  type StoredBlock
} from '../../../library/index.ts'
import { openTestLibrary } from '../../library.ts'
import { makeTar, pseudoRandom, type TarEntry } from '../content/fakes.ts'

/** Lines that are all different, so that every chunk is. */
const text = Buffer.from(Array.from({ length: 60_000 }, (_, i) => `line ${i} of a long text\n`).join(''))
const noise = pseudoRandom('noise', 600_000)
const folder: TarEntry[] = [
  { name: 'large.txt', body: text },
  { name: 'noise', body: noise },
  { name: 'small.txt', body: 'a short text '.repeat(100) },
  ...Array.from({ length: 50 }, (_, i) => ({
    name: `texts/${i}`,
    body: `${i} and so on, `.repeat(500)
  })).sort((a, b) => (a.name < b.name ? -1 : 1))
]
let home: string
let library: Library

const openHome = (compression?: 'zstd' | 'none'): Promise<Library> =>
  openTestLibrary({ log: silentLogger, clock: systemClock }, { home, compression })

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'catalog-zstd-'))
  library = await openHome()
})
afterEach(async () => {
  await library.close()
  await rm(home, { recursive: true })
})

async function publish(): Promise<{ content: CID; newBytes: number }> {
  const ingest = await library.content.beginIngest({})
  await ingest.write(await makeTar(folder))
  return await ingest.finish()
}

async function exported(content: CID): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of library.content.exportTar(content)) parts.push(Buffer.from(part))
  return Buffer.concat(parts)
}

async function chunksOf(content: CID, path: string): Promise<ChunkRef[]> {
  const manifest = await library.content.openManifest(content)
  for await (const entry of manifest.entries())
    if (entry.path === path && entry.kind === 'file')
      return await Array.fromAsync(library.content.chunks(entry.root, entry.sizeBytes))
  throw new Error(`no ${path}`)
}

async function storedOf(content: CID, path: string): Promise<StoredBlock[]> {
  const ids = (await chunksOf(content, path)).map(({ id }) => id)
  return await library.content.readStoredMany(ids, size => new Uint8Array(size))
}

const codecsOf = async (content: CID, path: string): Promise<number[]> => [
  ...new Set((await storedOf(content, path)).map(({ codec }) => codec))
]

/** What was published, as a tar in the library's own form. */
async function expectWhole(content: CID, whole: Buffer): Promise<void> {
  expect(Buffer.compare(await exported(content), whole)).toBe(0)
  expect(await library.content.verify(content)).toMatchObject({ ok: true, corrupt: 0, missing: 0 })
}

test('a folder is kept compressed where it pays, under the same CID, and comes back the same', async () => {
  const { content, newBytes } = await publish()
  const { bytes } = library.content.stats()
  const whole = await exported(content)
  await expectWhole(content, whole)
  expect(whole.includes(Buffer.from(noise))).toBe(true)
  expect(whole.includes(text)).toBe(true)
  expect(await codecsOf(content, 'large.txt')).toEqual([BlockCodec.Zstd])
  expect(await codecsOf(content, 'texts/7')).toEqual([BlockCodec.Zstd])
  expect(await codecsOf(content, 'noise')).toEqual([BlockCodec.Raw])
  expect(await codecsOf(content, 'small.txt'), 'too small to gain').toEqual([BlockCodec.Raw])
  const manifest = await library.content.openManifest(content)
  expect(manifest.pageCount).toBeGreaterThan(2)
  const node = await library.content.readStored(blockIdOf(content))
  expect(node.codec, 'a node').toBe(BlockCodec.Raw)
  const top = decodeNode(node.bytes, { root: true, fanout: MANIFEST_FANOUT })
  expect((await library.content.readStored(top.children[1]!.id)).codec, 'a page').toBe(BlockCodec.Zstd)
  expect(newBytes, 'of the content').toBeGreaterThan(text.byteLength + noise.byteLength)
  expect(bytes, 'on the disk').toBeLessThan(noise.byteLength + text.byteLength / 2)
  expect(bytes).toBe((await readFile(join(home, 'segments', '0'))).byteLength)

  await library.close()
  await rm(home, { recursive: true })
  home = await mkdtemp(join(tmpdir(), 'catalog-zstd-'))
  library = await openHome('none')
  const plain = await publish()
  expect(plain.content.toString()).toBe(content.toString())
  expect(await codecsOf(content, 'large.txt')).toEqual([BlockCodec.Raw])
  expect(library.content.stats().bytes).toBeGreaterThan(text.byteLength + noise.byteLength)
  await expectWhole(content, whole)
})

test('published again by a node that compresses otherwise nothing is written', async () => {
  const { content } = await publish()
  const stats = library.content.stats()
  await library.close()
  library = await openHome('none')
  expect(await publish()).toMatchObject({ newBytes: 0 })
  expect(library.content.stats()).toEqual(stats)
  expect(await codecsOf(content, 'large.txt')).toEqual([BlockCodec.Zstd])
})

test('the index is made anew from compressed records', async () => {
  const { content } = await publish()
  const whole = await exported(content)
  const stats = library.content.stats()
  await library.close()
  await rm(join(home, 'db'), { recursive: true })
  library = await openHome()
  expect(library.content.stats()).toEqual(stats)
  await expectWhole(content, whole)
})

/** Rows of the index: where each block stands. */
async function locations(): Promise<Array<[Uint8Array, Uint8Array]>> {
  return await Array.fromAsync(library.database.iterate({ prefix: makeKey(KeyFamily.Block) }))
}

/** Puts another row for each compressed block. */
async function rewriteRows(change: (row: Uint8Array) => Uint8Array): Promise<void> {
  const rows = (await locations()).filter(([, row]) => decodeLocation(row).codec === BlockCodec.Zstd)
  expect(rows.length).toBeGreaterThan(10)
  const operations = rows.map(([key, row]) => ({ type: 'put', key, value: change(row) }) as const)
  await library.database.write(operations, { sync: false })
}

test('a compressed block has a checksum in the index, put by a publish and made anew from the segments', async () => {
  await publish()
  const rows = await locations()
  for (const [, row] of rows) {
    const { codec, checksum } = decodeLocation(row)
    expect(checksum?.byteLength).toBe(codec === BlockCodec.Zstd ? 16 : undefined)
  }
  await library.close()
  await rm(join(home, 'db'), { recursive: true })
  library = await openHome()
  expect(await locations()).toEqual(rows)
})

test.each<[string, (row: Uint8Array) => Uint8Array]>([
  ['without a checksum, as of format 1', row => row.slice(0, 20)],
  ['with a checksum that is damaged', row => Uint8Array.from([...row.slice(0, -1), row.at(-1)! ^ 1])]
])('a block %s is decoded when it is sent', async (_, change) => {
  const { content } = await publish()
  const before = await storedOf(content, 'large.txt')
  await rewriteRows(change)
  expect(await storedOf(content, 'large.txt')).toEqual(before)
  await flip((await chunksOf(content, 'large.txt'))[3]!.id, 48 + 300)
  await expect(storedOf(content, 'large.txt')).rejects.toMatchObject({ code: 'CONTENT_CORRUPT' })
})

/** Changes a byte of the record of a block. */
async function flip(id: Uint8Array, at: number): Promise<void> {
  const path = join(home, 'segments', '0')
  const start = (await readFile(path)).indexOf(id) - 8
  const file = await open(path, 'r+')
  const byte = Buffer.alloc(1)
  await file.read(byte, 0, 1, start + at)
  await file.write(Buffer.of(byte[0]! ^ 0x10), 0, 1, start + at)
  await file.close()
}

test.each([48 + 1, 48 + 300, 44])(
  'a compressed record with another byte at %i is never given out',
  async at => {
    const { content } = await publish()
    const { id } = (await chunksOf(content, 'large.txt'))[3]!
    await flip(id, at)
    if (at === 44) {
      // The raw length in the record's head counts only when the index is made anew.
      await library.close()
      await rm(join(home, 'db'), { recursive: true })
      library = await openHome()
      expect(library.content.hasBlock(id)).toBe(false)
      return
    }
    await expect(storedOf(content, 'large.txt')).rejects.toMatchObject({ code: 'CONTENT_CORRUPT' })
    await expect(exported(content)).rejects.toMatchObject({ code: 'CONTENT_MISSING' })
    await vi.waitFor(() => expect(library.content.localState(content)).toBe('partial'))
    expect(await library.content.verify(content)).toMatchObject({ ok: false, missing: 1 })
    // A publish puts it anew, and only it.
    await publish()
    expect(await library.content.verify(content)).toMatchObject({ ok: true })
  }
)

test('blocks of a peer are kept as they came, and refused unless they are what they say', async () => {
  const raw = text.subarray(0, 50_000)
  const id = hashBlock(raw)
  const frame = compress(raw)
  const receive = library.content.beginReceive()
  const write = async (block: Partial<StoredBlock>): Promise<void> => {
    const { codec = BlockCodec.Zstd, rawLengthBytes = raw.byteLength, bytes = frame } = block
    await receive.writeBlocks([{ id, codec, rawLengthBytes, bytes: Uint8Array.from(bytes) }])
  }
  const other = compress(text.subarray(50_000, 100_000))
  const wrong: Array<[string, Partial<StoredBlock>]> = [
    ['a frame of other bytes', { bytes: other }],
    ['another length', { rawLengthBytes: raw.byteLength + 1 }],
    ['a frame that is not whole', { bytes: frame.subarray(0, -1) }],
    ['a frame with more behind it', { bytes: Buffer.concat([frame, Buffer.of(0)]) }],
    ['a frame that is said to be raw', { codec: BlockCodec.Raw, rawLengthBytes: frame.byteLength }],
    ['raw bytes that are said to be a frame', { bytes: raw }],
    ['a frame of megabytes', { bytes: compress(Buffer.alloc(50_000_000)) }],
    ['an unknown codec', { codec: 7 as never }]
  ]
  for (const [what, block] of wrong) {
    await expect(write(block), what).rejects.toMatchObject({ code: 'BYTES_WRONG' })
    await receive.flush()
    expect(library.content.hasBlock(id), what).toBe(false)
  }
  await write({})
  await receive.flush()
  const stored = await library.content.readStored(id)
  expect(stored).toMatchObject({ codec: BlockCodec.Zstd, rawLengthBytes: raw.byteLength })
  expect(Buffer.compare(stored.bytes, frame)).toBe(0)
  expect(Buffer.compare(await library.content.readBlock(id), raw)).toBe(0)
})
