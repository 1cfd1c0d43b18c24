/** What goes over to another home, between real libraries in real homes. */
import { mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { silentLogger, systemClock } from '../../../base/index.ts'
import {
  type CopyOptions,
  type CopyReport,
  createReleaseRecord,
  createStatusRecord,
  type Library,
  type ReleaseRecord
} from '../../../library/index.ts'
import { openOtherLibrary } from '../../../node/home-library.ts'
import { type HomeLayout, initHome } from '../../../node/index.ts'
import { Copying } from '../../../node/services/copying.ts'
import { openTestLibrary } from '../../library.ts'
import { Random } from '../../net/support/random.ts'
import { BucketServer } from '../content/bucket-server.ts'
import { makeTar, pseudoRandom } from '../content/fakes.ts'
import { keyOf, small } from '../records/examples.ts'

const SIZE_BYTES = 100_000
const modules = { log: silentLogger, clock: systemClock }
let server: BucketServer
beforeAll(async () => {
  server = await BucketServer.start()
})
afterAll(() => server.destroy())

let folder: string
let own: HomeLayout
let library: Library
let copying: Copying
const phases: string[] = []
const context = {
  signal: new AbortController().signal,
  progress: ({ phase }: { phase: string }) => void phases.push(phase)
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'catalog-copying-'))
  own = await newHome('own')
  library = await openTestLibrary(modules, { home: own.root })
  copying = new Copying({
    registry: library.registry,
    content: library.content,
    openOther: root => openOtherLibrary(modules, root, own),
    clock: systemClock,
    logger: silentLogger
  })
})

afterEach(async () => {
  await library.close()
  await rm(folder, { recursive: true })
})

const randomBytes = (seed: string, size: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(new Random(seed).bytes(size))

async function newHome(name: string, settings: Record<string, string> = {}): Promise<HomeLayout> {
  return (await initHome({ clock: systemClock }, { root: join(folder, name), settings })).home
}

/** A release of content that came from elsewhere, or was published here. */
async function release(
  name: string,
  { isOwn = false, body = pseudoRandom(name, SIZE_BYTES) } = {}
): Promise<ReleaseRecord> {
  const ingest = await library.content.beginIngest({})
  await ingest.write(await makeTar([{ name: 'file', body }]))
  const { content, sizeBytes, files } = await ingest.finish()
  const record = createReleaseRecord({ ...small(), name, content, sizeBytes, files }, keyOf('ada'))
  await (isOwn ? library.registry.publish(record.bytes) : library.registry.add(record.bytes))
  return record
}

async function opened<T>(home: HomeLayout, look: (there: Library) => Promise<T>): Promise<T> {
  const { library: there } = await openOtherLibrary(modules, home.root, own)
  try {
    return await look(there)
  } finally {
    await there.close()
  }
}

it('takes each release that is whole, with what is said of it, whose it is, and its pin; and nothing again', async () => {
  const mine = await release('mine', { isOwn: true })
  const theirs = await release('theirs')
  const same = await release('same', { body: pseudoRandom('theirs', SIZE_BYTES) })
  const gone = await release('gone')
  const left = await release('left')
  await library.content.pin(theirs.release)
  await library.content.remove(gone.release.content)
  await library.content.collect({ evictBytes: 0, dryRun: false, fetching: [] })
  // Its blocks are here still.
  await library.content.remove(left.release.content)
  const { name, version, content } = mine.release
  const yank = createStatusRecord(
    { name, version, content, state: 'yanked', sequence: Date.now() },
    keyOf('ada')
  )
  await library.registry.publishStatement(yank.bytes)
  const to = await newHome('other')
  const result = await copying.copy(to.root, context)
  expect(result).toMatchObject({
    to: to.root,
    ok: true,
    releases: 3,
    failed: 0,
    notCopied: [],
    reusedBytes: 0
  })
  expect(result.copiedBytes).toBeGreaterThan(2 * SIZE_BYTES)
  expect(result.copiedBytes).toBeLessThan(2.1 * SIZE_BYTES)
  expect(phases).toContain('copying mine@1.0.0')
  await opened(to, async ({ registry, content: store }) => {
    for (const record of [mine, theirs, same]) {
      expect(registry.get(record.id)?.bytes).toEqual(record.bytes)
      expect(await store.verify(record.release.content)).toMatchObject({ ok: true })
    }
    expect([registry.get(gone.id), registry.get(left.id)]).toEqual([undefined, undefined])
    expect([await registry.isOwn(mine.bytes), await registry.isOwn(theirs.bytes)]).toEqual([true, false])
    expect([await registry.isOwn(yank.bytes), registry.count()]).toEqual([true, 1])
    expect(registry.status(mine.release)).toMatchObject({ status: { state: 'yanked' } })
    expect([store.isPinned(theirs.release), store.isPinned(same.release)]).toEqual([true, false])
    expect(await store.holdings()).toMatchObject({ complete: 2, damaged: 0 })
  })
  const words = { ...mine.release, description: 'in other words', sequence: mine.sequence + 1 }
  const revised = createReleaseRecord(words, keyOf('ada'))
  await library.registry.revise(revised.bytes)
  const again = await copying.copy(to.root, context)
  expect(again).toMatchObject({ ok: true, releases: 3, copiedBytes: 0, reusedBytes: 2 * SIZE_BYTES })
  await opened(to, async ({ registry }) => {
    expect((await registry.versions('mine'))[0]).toMatchObject({ release: { description: 'in other words' } })
    expect(await registry.isOwn(revised.bytes)).toBe(true)
  })
})

it('goes on without what is damaged, and says so', async () => {
  const damaged = await release('damaged')
  const whole = await release('whole')
  const segment = join(own.segments, '0')
  const at = (await readFile(segment)).indexOf(pseudoRandom('damaged', 1000))
  const file = await open(segment, 'r+')
  await file.write(Buffer.from([1, 2, 3]), 0, 3, at + 10)
  await file.close()
  const to = await newHome('other')
  const notCopied = [{ release: 'damaged@1.0.0', error: 'CONTENT_CORRUPT' }]
  expect(await copying.copy(to.root, context)).toMatchObject({ ok: false, releases: 1, failed: 1, notCopied })
  await opened(to, async ({ registry }) => {
    expect([registry.get(damaged.id), registry.get(whole.id)?.id]).toEqual([undefined, whole.id])
  })
})

it('stops when the other home is full, and leaves there what is whole', async () => {
  const first = await release('a')
  await release('b', { body: randomBytes('b', 62_000_000) })
  const to = await newHome('small', { 'store.quota': '64MiB' })
  await expect(copying.copy(to.root, context)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' })
  await opened(to, async ({ registry, content }) => {
    expect((await registry.list({ limit: 10 })).releases).toHaveLength(1)
    expect(content.localState(first.release.content)).toBe('complete')
  })
})

it('copies to a home that keeps its segments in a bucket', async () => {
  const { release: large } = await release('large', { body: randomBytes('large', 20_000_000) })
  const { endpoint, bucket, credentials } = server.settings('')
  const file = join(folder, 'credentials.toml')
  const lines = Object.entries(credentials).map(([key, value]) => `${key} = "${value}"\n`)
  await writeFile(file, lines.join(''), { mode: 0o600 })
  const to = await newHome('bucket', {
    'store.quota': '64MiB', // segments of 8 MiB
    'store.backend': 's3',
    'store.s3.endpoint': endpoint,
    'store.s3.bucket': bucket,
    'store.s3.credentials': file,
    'store.s3.cache': '0'
  })
  expect(await copying.copy(to.root, context)).toMatchObject({ ok: true, releases: 1 })
  expect((await readdir(to.segments)).filter(name => /^\d+$/.test(name))).toHaveLength(1)
  await opened(to, async ({ content }) => {
    expect(await content.verify(large.content)).toMatchObject({ ok: true })
  })
})

it('sends what has filled to the bucket of the other home before it goes on', async () => {
  await release('a')
  const done: string[] = []
  const steps = [true, false, false]
  const step = async (): Promise<{ isMore: boolean }> => {
    done.push('send')
    return { isMore: steps.shift() === true }
  }
  const report = { copiedBytes: 1, reusedBytes: 0 }
  const copyTo = async (_target: unknown, _content: unknown, options: CopyOptions): Promise<CopyReport> => {
    await options.onFlushed?.(report)
    done.push('copy')
    return report
  }
  const there = {
    content: { bucket: { step } },
    registry: { add: async () => {} },
    close: async () => void done.push('close')
  }
  const seen = { localState: () => 'complete', isPinned: () => false, copyTo }
  const fake = new Copying({
    registry: library.registry,
    content: seen as never,
    openOther: async () => ({ home: { root: '/other' }, library: there as never }),
    clock: systemClock,
    logger: silentLogger
  })
  expect(await fake.copy('/other', context)).toMatchObject({ ok: true, releases: 1 })
  expect(done).toEqual(['send', 'send', 'copy', 'send', 'close'])
})

it('refuses a home that is none, is its own, or is written to already', async () => {
  await release('a')
  const to = await newHome('other')
  const refused = (root: string) => expect(copying.copy(root, context)).rejects
  await refused(join(folder, 'none')).toMatchObject({ code: 'HOME_MISSING' })
  await refused(own.root).toMatchObject({ code: 'INVALID_ARGUMENT' })
  await refused(`${own.root}/db/..`).toMatchObject({ code: 'INVALID_ARGUMENT' })
  await refused('relative').toMatchObject({ code: 'INVALID_ARGUMENT' })
  const running = copying.copy(to.root, context)
  await refused(to.root).toMatchObject({ code: 'BUSY' })
  expect(await running).toMatchObject({ ok: true })
})

it('ends when it is told to, and is gone on with', async () => {
  await release('a')
  await release('b', { body: randomBytes('b', 40_000_000) })
  const to = await newHome('other')
  const abort = new AbortController()
  const progress = ({ phase, bytesDone = 0 }: { phase: string; bytesDone?: number }): void => {
    if (phase === 'copying b@1.0.0' && bytesDone > 30_000_000) abort.abort(new Error('enough'))
  }
  await expect(copying.copy(to.root, { signal: abort.signal, progress })).rejects.toThrow('enough')
  const result = await copying.copy(to.root, context)
  expect(result).toMatchObject({ ok: true, releases: 2 })
  expect(result.reusedBytes).toBeGreaterThan(30_000_000)
})
