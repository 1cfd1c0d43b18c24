/** The whole library on a real disk with its real worker. */
import { spawnSync } from 'node:child_process'
import { appendFile, mkdir, mkdtemp, open, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CID } from 'multiformats/cid'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { silentLogger, systemClock } from '../../../base/index.ts'
import { rawCid } from '../../../library/content/blocks.ts'
import { encodeEntry } from '../../../library/content/manifest.ts'
import {
  blockIdOf,
  createReleaseRecord,
  hashBlock,
  type IncomingBlock,
  type Library
} from '../../../library/index.ts'
import { openTestLibrary } from '../../library.ts'
import { makeBlock, makeTar, pseudoRandom, type TarEntry } from '../content/fakes.ts'
import { contentOf, keyOf, small } from '../records/examples.ts'

const BIG_BYTES = 3_000_000
const big = pseudoRandom('library test', BIG_BYTES)
const folder: TarEntry[] = [
  { name: 'a.txt', body: 'hello' },
  { name: 'bin/run', body: '#!/bin/sh\n', mode: 0o755 },
  { name: 'empty', type: 'directory', mode: 0o755 },
  { name: 'nothing', body: '' },
  { name: 'x/big', body: big },
  { name: `x/${'long-'.repeat(30)}ü`, body: 'long name' },
  { name: 'z-link', type: 'symlink', linkname: 'x/big' }
]
let home: string
let library: Library

const openHome = (metrics?: Registry): Promise<Library> =>
  openTestLibrary({ log: silentLogger, clock: systemClock, metrics }, { home })

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'catalog-library-'))
  library = await openHome()
})

afterEach(async () => {
  await library.close()
  await rm(home, { recursive: true })
})

async function publish(entries = folder): Promise<CID> {
  const ingest = await library.content.beginIngest({})
  const tar = await makeTar(entries)
  for (let at = 0; at < tar.byteLength; at += 500_000) await ingest.write(tar.slice(at, at + 500_000))
  return (await ingest.finish()).content
}

async function store(blocks: IncomingBlock[]): Promise<void> {
  const receive = library.content.beginReceive()
  await receive.writeBlocks(blocks)
  await receive.end()
}

async function exported(content: CID): Promise<Buffer> {
  const parts: Buffer[] = []
  // Copied: what is yielded is valid until the next is asked for.
  for await (const part of library.content.exportTar(content)) parts.push(Buffer.from(part))
  return Buffer.concat(parts)
}

async function rootOf(content: CID, path: string): Promise<{ root: CID; sizeBytes: number }> {
  const manifest = await library.content.openManifest(content)
  for await (const entry of manifest.entries()) if (entry.path === path && entry.kind === 'file') return entry
  throw new Error(`no ${path}`)
}

async function chunkOf(content: CID, path: string, index: number): Promise<Uint8Array> {
  const { root, sizeBytes } = await rootOf(content, path)
  const ids: Uint8Array[] = []
  for await (const { id } of library.content.chunks(root, sizeBytes)) ids.push(id)
  return ids[index]!
}

/** Flips a byte of a block where it stands in segment 0. */
async function damage(id: Uint8Array): Promise<void> {
  const path = join(home, 'segments', '0')
  const at = (await readFile(path)).indexOf(id)
  const file = await open(path, 'r+')
  await file.write(Buffer.from([0xff, 0xfe, 0xfd]), 0, 3, at - 8 + 48)
  await file.close()
}

const received = (block: IncomingBlock): IncomingBlock => ({ ...block, bytes: Uint8Array.from(block.bytes) })

describe('a folder', () => {
  test('comes back as it was, by GNU tar too', async () => {
    const content = await publish()
    expect(library.content.localState(content)).toBe('complete')
    expect(library.content.summary(content)).toEqual({ sizeBytes: BIG_BYTES + 24, files: 5 })
    const out = join(home, 'out')
    await mkdir(out)
    const tar = spawnSync('tar', ['x', '-C', out], { input: await exported(content) })
    expect(tar.stderr.toString()).toBe('')
    expect(Buffer.compare(await readFile(join(out, 'x/big')), big)).toBe(0)
    expect(await readFile(join(out, `x/${'long-'.repeat(30)}ü`), 'utf8')).toBe('long name')
    expect(Buffer.compare(await readFile(join(out, 'z-link')), big)).toBe(0)
    expect((await stat(join(out, 'bin/run'))).mode & 0o777).toBe(0o755)
    expect((await stat(join(out, 'empty'))).isDirectory()).toBe(true)
    expect((await stat(join(out, 'nothing'))).size).toBe(0)
  })

  test('is there after the library was closed and opened, without a worker', async () => {
    const content = await publish()
    const { stats } = { stats: library.content.stats() }
    await library.close()
    library = await openHome()
    expect(library.workerRunning).toBe(false)
    expect(library.content.stats()).toEqual(stats)
    expect((await exported(content)).byteLength).toBeGreaterThan(BIG_BYTES)
    expect(library.workerRunning).toBe(false)
  })

  test('many small files, over several pages and buffers', async () => {
    const entries = Array.from({ length: 3000 }, (_, i) => ({
      name: `d/${String(i).padStart(5, '0')}`,
      body: pseudoRandom(`small ${i}`, i % 700)
    }))
    const content = await publish(entries)
    const manifest = await library.content.openManifest(content)
    expect(manifest.pageCount).toBeGreaterThan(10)
    expect((await manifest.page(manifest.pageCount - 1)).at(-1)?.path).toBe('d/02999')
    expect(Buffer.compare(await exported(content), await exported(content))).toBe(0)
    expect(await library.content.verify(content)).toMatchObject({ ok: true, bad: [] })
  })

  test('that is hostile fails on write or finish, and the worker goes on', async () => {
    await expect(publish([{ name: '../escape', body: 'x' }])).rejects.toMatchObject({ code: 'PATH_REFUSED' })
    expect(library.content.stats().chunks).toBe(0)
    expect(library.content.localState(await publish())).toBe('complete')
  })

  test('whose publisher goes away leaves nothing visible', async () => {
    const abort = new AbortController()
    const ingest = await library.content.beginIngest({ signal: abort.signal })
    await ingest.write((await makeTar(folder)).slice(0, 1000))
    abort.abort()
    await expect(ingest.finish()).rejects.toMatchObject({ code: 'ABORTED' })
    await ingest.abort()
  })
})

describe('blocks from a peer', () => {
  test('are hashed, stored, and make a content complete only when all are here', async () => {
    const content = await publish()
    const other = await mkdtemp(join(tmpdir(), 'catalog-library-'))
    const target = await openTestLibrary({ log: silentLogger, clock: systemClock }, { home: other })
    try {
      const receive = target.content.beginReceive()
      const copy = async (id: Uint8Array): Promise<void> => {
        const stored = await library.content.readStored(id)
        await receive.writeBlocks([received({ ...stored, id })])
      }
      expect(target.content.localState(content)).toBe('none')
      await expect(target.content.openManifest(content)).rejects.toMatchObject({ code: 'CONTENT_MISSING' })
      await copy(blockIdOf(content))
      await receive.flush()
      expect(target.content.localState(content)).toBe('partial')
      const summary = library.content.summary(content)!
      await expect(receive.markComplete(content, summary)).rejects.toMatchObject({
        code: 'CONTENT_MISSING'
      })
      for await (const entry of (await target.content.openManifest(content)).entries()) {
        if (entry.kind !== 'file' || entry.sizeBytes === 0) continue
        await copy(blockIdOf(entry.root))
        await receive.flush()
        for await (const { id } of target.content.chunks(entry.root, entry.sizeBytes)) await copy(id)
      }
      await receive.markComplete(content, summary)
      expect(target.content.localState(content)).toBe('complete')
      const mine = await exported(content)
      await library.close()
      library = target
      expect(Buffer.compare(await exported(content), mine)).toBe(0)
    } finally {
      await target.close()
      await rm(other, { recursive: true })
    }
  })

  test('under a manifest that states another length for a chunk held from elsewhere never count as complete', async () => {
    const held = makeBlock(7, 1000)
    const lie = encodeEntry({
      kind: 'file',
      path: 'lie',
      mode: 0o644,
      sizeBytes: 1001,
      root: rawCid(held.id)
    })
    const bytes = Buffer.concat([Buffer.of(0x81), lie])
    const page = { id: hashBlock(bytes), codec: held.codec, rawLengthBytes: bytes.byteLength, bytes }
    const receive = library.content.beginReceive()
    await receive.writeBlocks([received(held), received(page)])
    await receive.flush()
    const content = rawCid(page.id)
    await expect(receive.markComplete(content, { sizeBytes: 1001, files: 1 })).rejects.toMatchObject({
      code: 'CONTENT_INVALID',
      details: { path: 'lie' }
    })
    expect(library.content.localState(content)).not.toBe('complete')
    expect((await library.content.verify(content)).bad).toEqual([
      { id: Buffer.from(held.id).toString('hex'), path: 'lie', reason: 'corrupt' }
    ])
  })

  test('are read many at once, in order, in one piece of memory; a lost one fails the read', async () => {
    const blocks = [5, 3, 9, 7].map(seed => makeBlock(seed, 1000 * seed))
    await store(blocks.map(received))
    const order = [2, 0, 1, 3, 0].map(i => blocks[i]!)
    let memory = new Uint8Array(0)
    const read = await library.content.readStoredMany(
      order.map(({ id }) => id),
      sizeBytes => {
        memory = new Uint8Array(sizeBytes)
        return memory
      }
    )
    expect(Buffer.compare(memory, Buffer.concat(order.map(({ bytes }) => bytes)))).toBe(0)
    expect(read.map(({ rawLengthBytes }) => rawLengthBytes)).toEqual([9000, 5000, 3000, 7000, 5000])
    const absent = makeBlock(11, 10).id
    await expect(
      library.content.readStoredMany([blocks[0]!.id, absent], size => new Uint8Array(size))
    ).rejects.toMatchObject({ code: 'CONTENT_MISSING' })
  })
})

describe('corrupt bytes', () => {
  test('are never given out, count as missing, and can be replaced', async () => {
    const content = await publish()
    const id = await chunkOf(content, 'x/big', 20)
    const bytes = await library.content.readBlock(id)
    await damage(id)
    await expect(library.content.readBlock(id)).rejects.toMatchObject({ code: 'CONTENT_CORRUPT' })
    expect(library.content.hasBlock(id)).toBe(false)
    await expect(exported(content)).rejects.toMatchObject({ code: 'CONTENT_MISSING' })
    // The worker takes the mark away in its own time.
    await vi.waitFor(() => expect(library.content.localState(content)).toBe('partial'))
    const { bad } = await library.content.verify(content)
    expect(bad).toEqual([{ id: Buffer.from(id).toString('hex'), path: 'x/big', reason: 'missing' }])
    const block = { id, codec: 0, rawLengthBytes: bytes.byteLength, bytes: Uint8Array.from(bytes) } as const
    await store([block])
    expect(Buffer.compare(await library.content.readBlock(id), bytes)).toBe(0)
    expect(await library.content.verify(content)).toMatchObject({ ok: true })
  })

  test('found by a plain read take the mark from every content that needs them, and only from those', async () => {
    const shared = pseudoRandom('shared', 50_000)
    const contents = [
      await publish([{ name: 'a', body: shared }]),
      await publish([
        { name: 'b', body: 'more' },
        { name: 'c', body: shared }
      ]),
      await publish([{ name: 'd', body: 'nothing of it' }])
    ]
    const id = await chunkOf(contents[0]!, 'a', 0)
    await damage(id)
    await expect(library.content.readStored(id)).rejects.toMatchObject({ code: 'CONTENT_CORRUPT' })
    // At once: that the marks have to be looked at survives the end of the library.
    await library.close()
    library = await openHome()
    await vi.waitFor(() => {
      const states = contents.map(content => library.content.localState(content))
      expect(states).toEqual(['partial', 'partial', 'complete'])
    })
  })

  test('in an export end it before they go out, and verify names them', async () => {
    const content = await publish()
    const id = await chunkOf(content, 'x/big', 3)
    await damage(id)
    await expect(exported(content)).rejects.toMatchObject({ code: 'CONTENT_CORRUPT' })
    const report = await library.content.verify(content)
    expect(report.ok).toBe(false)
    expect(report.bad.map(({ path }) => path)).toEqual(['x/big'])
  })

  test('of a manifest are named without a path', async () => {
    const content = await publish()
    await damage(blockIdOf(content))
    expect((await library.content.verify(content)).bad).toMatchObject([{ path: '', reason: 'corrupt' }])
    expect(library.content.localState(content)).toBe('none')
  })
})

describe('the home', () => {
  test('is locked for another process', async () => {
    const script = `
      import { openLibrary } from ${JSON.stringify(new URL('../../../library/index.ts', import.meta.url).href)}
      import { silentLogger, systemClock } from ${JSON.stringify(new URL('../../../base/index.ts', import.meta.url).href)}
      await openLibrary({ log: silentLogger, clock: systemClock }, { home: ${JSON.stringify(home)} })
        .then(() => console.log('opened'), error => console.log(error.code))`
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', script])
    expect(child.stdout.toString().trim()).toBe('HOME_LOCKED')
  })

  test('is written by a worker that ends when idle, and then by a new one', async () => {
    await library.close()
    const starts = 'catalog_library_worker_starts_total'
    const metrics = new Registry()
    library = await openTestLibrary(
      { log: silentLogger, clock: systemClock, metrics },
      { home, workerIdleMs: 50 }
    )
    const contents = [await publish()]
    await vi.waitFor(() => expect(library.workerRunning).toBe(false))
    contents.push(await publish([{ name: 'after', body: 'an idle end' }]))
    expect((await metrics.getSingleMetric(starts)!.get()).values[0]?.value).toBe(2)
    for (const content of contents) expect(await library.content.verify(content)).toMatchObject({ ok: true })
  })

  test('must exist', async () => {
    const options = { home: join(home, 'none') }
    await expect(openTestLibrary({ log: silentLogger, clock: systemClock }, options)).rejects.toMatchObject({
      code: 'HOME_MISSING'
    })
  })

  test('with a torn segment is recovered when it is opened', async () => {
    const content = await publish()
    await library.close()
    await appendFile(join(home, 'segments', '0'), Buffer.alloc(1000, 7))
    library = await openHome()
    expect((await stat(join(home, 'segments', '0'))).size).toBe(library.content.stats().bytes)
    expect(await library.content.verify(content)).toMatchObject({ ok: true })
  })

  test('whose db/ was lost gets its index made anew from the segments', async () => {
    const content = await publish()
    const stats = library.content.stats()
    await library.close()
    await rm(join(home, 'db'), { recursive: true })
    library = await openHome()
    expect(library.content.stats()).toEqual(stats)
    expect(await publish()).toEqual(content)
    expect(library.content.stats()).toEqual(stats)
    expect(await library.content.verify(content)).toMatchObject({ ok: true })
  })

  test('writes of other parts go through the worker and are seen at once', async () => {
    const key = Buffer.from('test/a')
    await library.database.write([{ type: 'put', key, value: hashBlock(key) }], { sync: true })
    expect(Buffer.compare(library.database.get(key)!, hashBlock(key))).toBe(0)
    const found: string[] = []
    for await (const [at] of library.database.iterate({ prefix: Buffer.from('test/') }))
      found.push(String(Buffer.from(at)))
    expect(found).toEqual(['test/a'])
  })

  test('keeps a release that was published, and two publishes at once leave one', async () => {
    const record = (files: number): Uint8Array =>
      createReleaseRecord(
        small({ files, content: files === 1 ? contentOf('one') : contentOf('two') }),
        keyOf('ada')
      ).bytes
    const settled = await Promise.allSettled(
      [record(1), record(2)].map(bytes => library.registry.publish(bytes))
    )
    expect(settled.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(settled.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'RELEASE_EXISTS' }
    })
    await library.close()
    library = await openHome()
    expect((await library.registry.versions('hello')).map(({ release }) => release.version)).toEqual([
      '1.0.0'
    ])
    expect(library.registry.count()).toBe(1)
  })

  test('tells its metrics in units', async () => {
    await library.close()
    const metrics = new Registry()
    library = await openHome(metrics)
    const content = await publish()
    await exported(content)
    const text = await metrics.metrics()
    expect(text).toMatch(/catalog_library_content_read_bytes_total 30\d{5}/)
    expect(text).toMatch(/catalog_library_content_segments_bytes 30\d{5}/)
    expect(text).toMatch(/catalog_library_worker_running_threads 1/)
  })
})
