/** What a node tells of the contents that it holds, and letting go of one, on a real library. */
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CID } from 'multiformats/cid'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { silentLogger, systemClock } from '../../../base/index.ts'
import {
  createReleaseRecord,
  type Library,
  mirrorCopyKey,
  type ReleaseRecord
} from '../../../library/index.ts'
import { createContents } from '../../../node/services/contents.ts'
import { FetchJobs } from '../../../node/services/fetch-jobs.ts'
import { Copies } from '../../../node/services/mirroring/copies.ts'
import type { ContentService } from '../../../node/services/types.ts'
import { openTestLibrary } from '../../library.ts'
import { makeTar, pseudoRandom } from '../content/fakes.ts'
import { contentOf, keyOf, small } from '../records/examples.ts'

const SIZE_BYTES = 50_000
const { signal } = new AbortController()
let home: string
let library: Library
let contents: ContentService
let copies: Copies
let changes = 0

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'catalog-contents-'))
  library = await openTestLibrary({ log: silentLogger, clock: systemClock }, { home })
  changes = 0
  copies = await Copies.open({ database: library.database, clock: systemClock, logger: silentLogger })
  contents = createContents({
    registry: library.registry,
    content: library.content,
    jobs: new FetchJobs(library),
    collecting: { changed: () => void changes++ },
    copies
  })
})

afterEach(async () => {
  await library.close()
  await rm(home, { recursive: true })
})

async function ingest(seed: string): Promise<CID> {
  const open = await library.content.beginIngest({})
  await open.write(await makeTar([{ name: 'file', body: pseudoRandom(seed, SIZE_BYTES) }]))
  return (await open.finish()).content
}

async function release(name: string, content: CID, { isOwn = false } = {}): Promise<ReleaseRecord> {
  const record = createReleaseRecord(
    { ...small(), name, content, sizeBytes: SIZE_BYTES, files: 1 },
    keyOf('ada')
  )
  await (isOwn ? library.registry.publish(record.bytes) : library.registry.add(record.bytes))
  return record
}

/** What is told of a content. */
async function told(content: CID): Promise<object | undefined> {
  const { contents: items } = await contents.list(100, undefined, signal)
  return items.find(item => item.content === content.toString())
}

it('tells sizes, names, pins and whose it is', async () => {
  const one = await ingest('one')
  await release('first', one)
  const mine = await release('second', one, { isOwn: true })
  const unnamed = await ingest('unnamed')
  await library.content.pin(mine.release)
  expect(await told(one)).toEqual({
    content: one.toString(),
    state: 'complete',
    sizeBytes: SIZE_BYTES,
    files: 1,
    usedAt: expect.stringMatching(/^20..-..-..T/),
    releases: ['first@1.0.0', 'second@1.0.0'],
    pins: ['second@1.0.0'],
    isOwn: true,
    isMirrored: false
  })
  await copies.take(mine, { cause: 'rank', wasHere: true })
  expect(await told(one)).toMatchObject({ isMirrored: true })
  expect(await told(unnamed)).toMatchObject({ state: 'complete', releases: [], pins: [], isOwn: false })
})

it('names no more than ten releases of one content', async () => {
  const content = await ingest('popular')
  for (let n = 0; n < 12; n++) await release(`name-${n}`, content)
  expect(await told(content)).toMatchObject({ releases: { length: 10 } })
})

it('says what is damaged, and how large it was as far as a release says', async () => {
  const named = await ingest('named')
  const unnamed = await ingest('unnamed')
  await release('one', named)
  const path = join(home, 'segments', '0')
  const segment = await readFile(path)
  const file = await open(path, 'r+')
  for (const seed of ['named', 'unnamed'])
    await file.write(Buffer.from([1, 2, 3]), 0, 3, segment.indexOf(pseudoRandom(seed, 1000)) + 10)
  await file.close()
  for (const content of [named, unnamed]) await library.content.verify(content)
  expect(await told(named)).toMatchObject({ state: 'damaged', sizeBytes: SIZE_BYTES, files: 1 })
  expect(await told(unnamed)).toMatchObject({ state: 'damaged', sizeBytes: undefined })
})

it('begins with what is being fetched, once', async () => {
  const jobs = new FetchJobs(library)
  const arriving = await release('arriving', contentOf('arriving'))
  const again = await release('again', contentOf('arriving'))
  const whole = await release('whole', await ingest('whole'))
  for (const {
    id,
    release: { name, version }
  } of [arriving, again, whole])
    await jobs.begin({ id: id.toString(), name, version, startedAt: 0, priority: 'normal' }, signal)
  const page = await contents.list(1, undefined, signal)
  expect(page.contents).toMatchObject([
    { content: arriving.release.content.toString(), state: 'partial', sizeBytes: SIZE_BYTES, usedAt: null },
    { content: whole.release.content.toString(), state: 'complete' }
  ])
  expect(new Set(page.contents[0]!.releases)).toEqual(new Set(['arriving@1.0.0', 'again@1.0.0']))
  const behind = await contents.list(1, whole.release.content, signal)
  expect(behind).toEqual({ contents: [] })
})

it('comes page by page', async () => {
  const all = [await ingest('a'), await ingest('b'), await ingest('c')]
  const first = await contents.list(2, undefined, signal)
  expect(first.next).toBe(first.contents[1]!.content)
  const last = all.find(content => !first.contents.some(item => item.content === content.toString()))!
  const after = all.find(content => content.toString() === first.next)!
  const second = await contents.list(2, after, signal)
  expect(second.contents.map(({ content }) => content)).toEqual([last.toString()])
  expect(second.next).toBeUndefined()
})

it('lets go of a content and keeps its record', async () => {
  const record = await release('one', await ingest('one'))
  await contents.remove(record.release.content, signal)
  expect(changes).toBe(1)
  expect(await told(record.release.content)).toBeUndefined()
  expect(library.registry.get(record.id)).toBeDefined()
  const missing = { code: 'CONTENT_MISSING' }
  await expect(contents.remove(record.release.content, signal)).rejects.toMatchObject(missing)
  expect(changes).toBe(1)
})

it('what was held for others is held no more once it was removed, also when it comes again', async () => {
  const one = await ingest('one')
  const record = await release('lib', one)
  await copies.take(record, { cause: 'rank', wasHere: false })
  await contents.remove(one, signal)
  expect(copies.of(one.toString())).toBeUndefined()
  expect(library.database.get(mirrorCopyKey(one.bytes))).toBeUndefined()
})
