/** What an ingest or a fetch leaves behind in the worker when it ends, however it does. */
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger, systemClock } from '../../../base/index.ts'
import { packBlocks } from '../../../library/content/block-batch.ts'
import { RECORD_HEAD_BYTES } from '../../../library/content/record.ts'
import { hashBlock, type Library } from '../../../library/index.ts'
import { WorkerHost } from '../../../library/worker/host.ts'
import { openTestLibrary, testCompanion } from '../../library.ts'
import { makeBlock, makeTar, pseudoRandom } from '../content/fakes.ts'

const KIB = 1024
const { signal } = new AbortController()
let home: string

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'catalog-ends-'))
})

afterEach(() => rm(home, { recursive: true }))

describe('through the library', () => {
  let library: Library

  beforeEach(async () => {
    library = await openTestLibrary({ log: silentLogger, clock: systemClock }, { home })
  })

  afterEach(() => library.close())

  test('ingests that are cancelled while they begin leave their places to others', async () => {
    for (let n = 0; n < 20; n++) {
      const abort = new AbortController()
      const begun = library.content.beginIngest({ signal: abort.signal })
      abort.abort(new Error('enough'))
      await expect(begun).rejects.toThrow('enough')
    }
    const ingest = await library.content.beginIngest({})
    await ingest.write((await makeTar([{ name: 'a', body: 'b' }])) as Uint8Array<ArrayBuffer>)
    expect(await ingest.finish()).toMatchObject({ files: 1 })
  })

  test('blocks with wrong bytes fail their whole call', async () => {
    const good = makeBlock(1, 1000)
    const bad = { ...makeBlock(2, 1000), bytes: makeBlock(3, 1000).bytes }
    const receive = library.content.beginReceive()
    const call = receive.writeBlocks([good, bad])
    await expect(call).rejects.toMatchObject({
      code: 'BYTES_WRONG',
      details: { id: Buffer.from(bad.id).toString('hex') }
    })
    await receive.flush()
    expect([good, bad].map(({ id }) => library.content.hasBlock(id))).toEqual([false, false])
  })
})

describe('in the worker', () => {
  let host: WorkerHost

  const start = (quotaBytes = 0): void => {
    host = new WorkerHost(
      { log: silentLogger, companion: testCompanion },
      {
        home,
        databaseFolder: join(home, 'db'),
        segmentsFolder: join(home, 'segments'),
        quotaBytes,
        compression: 'none'
      }
    )
  }
  const write = (receive: number, seeds: number[], given = signal): Promise<undefined> =>
    host.handle(
      'blocksWrite',
      { receive, batch: packBlocks(seeds.map(seed => makeBlock(seed, 200 * KIB))) },
      given
    )
  const flush = (receive: number) => host.handle('blocksFlush', { receive }, signal)
  const end = (receive: number) => host.handle('blocksEnd', { receive }, signal)
  const segment = (number = 0): Promise<Buffer> => readFile(join(home, 'segments', String(number)))

  afterEach(async () => {
    await host.handle('close', undefined, signal)
  })

  test('a fetch that ends has what came committed, and nothing of what was cancelled', async () => {
    start()
    const abort = new AbortController()
    const came = write(1, [1])
    const cancelled = expect(write(1, [2], abort.signal)).rejects.toThrow()
    abort.abort()
    await Promise.all([came, cancelled])
    await end(1)
    const bytes = await segment()
    expect(bytes.indexOf(makeBlock(1, 200 * KIB).bytes)).toBe(RECORD_HEAD_BYTES)
    expect(bytes.byteLength).toBe(RECORD_HEAD_BYTES + 200 * KIB)
  })

  test('a full store is told to the fetch whose blocks found no room, and to no other', async () => {
    const quotaBytes = 16 * 1024 * KIB
    start(quotaBytes)
    // More than two stages: the second does not fit, and is rolled back before anybody waits for it.
    const many = Array.from({ length: 84 }, (_, seed) => seed)
    await write(1, many)
    await write(2, [1000])
    await expect(end(2)).resolves.toBeUndefined()
    expect((await segment(1)).indexOf(makeBlock(1000, 200 * KIB).bytes)).toBeGreaterThan(0)
    await expect(flush(1)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' })
    await expect(end(1)).resolves.toBeUndefined() // it was told already
  })

  test('a folder that relies on a block which is given up before its end is not said to be whole', async () => {
    start()
    const tar = await makeTar([{ name: 'a', body: pseudoRandom('given up', 5000) }])
    const ingest = async (number: number): Promise<void> => {
      await host.handle('ingestOpen', { ingest: number }, signal)
      await host.handle('ingestWrite', { ingest: number, bytes: Uint8Array.from(tar) }, signal)
    }
    await ingest(1)
    await host.handle('ingestFinish', { ingest: 1, nowMs: 1 }, signal)
    await ingest(2)
    const id = hashBlock(pseudoRandom('given up', 5000))
    const offsetBytes = (await segment()).indexOf(id) - 8
    const file = await open(join(home, 'segments', '0'), 'r+')
    await file.write(Buffer.from([0xff, 0xfe]), 0, 2, offsetBytes + RECORD_HEAD_BYTES)
    await file.close()
    expect(await host.handle('blockForget', { id, segment: 0, offsetBytes }, signal)).toBe(false)
    await expect(host.handle('ingestFinish', { ingest: 2, nowMs: 2 }, signal)).rejects.toMatchObject({
      code: 'CONTENT_MISSING'
    })
    await ingest(3)
    const { content } = await host.handle('ingestFinish', { ingest: 3, nowMs: 3 }, signal)
    expect(await host.handle('verify', { content }, signal)).toMatchObject({ ok: true })
  })
})
