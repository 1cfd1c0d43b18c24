/** What is kept and what goes, on a real disk with the real worker. */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CID } from 'multiformats/cid'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { HOUR_MS, silentLogger, systemClock } from '../../../base/index.ts'
import {
  createReleaseRecord,
  type Library,
  mirrorCopyKey,
  type ReleaseRecord
} from '../../../library/index.ts'
import { openTestLibrary } from '../../library.ts'
import { makeTar, pseudoRandom } from '../content/fakes.ts'
import { keyOf, small } from '../records/examples.ts'

const MANY_MS = 3 * HOUR_MS
let home: string
let library: Library
let nowMs: number

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'catalog-keeping-'))
  nowMs = Date.now()
  library = await openTestLibrary(
    { log: silentLogger, clock: { ...systemClock, now: () => nowMs } },
    { home }
  )
})

afterEach(async () => {
  await library.close()
  await rm(home, { recursive: true })
})

const bodyOf = (seed: string): Uint8Array => pseudoRandom(seed, 200_000)

async function ingest(seed: string): Promise<CID> {
  const open = await library.content.beginIngest({})
  await open.write(await makeTar([{ name: 'file', body: bodyOf(seed) }]))
  return (await open.finish()).content
}

/** A release of content that came from elsewhere, or was published here. */
async function release(name: string, { isOwn = false, seed = name } = {}): Promise<ReleaseRecord> {
  const content = await ingest(seed)
  const record = createReleaseRecord(
    { ...small(), name, content, sizeBytes: 200_000, files: 1 },
    keyOf('ada')
  )
  await (isOwn ? library.registry.publish(record.bytes) : library.registry.add(record.bytes))
  nowMs += 1000
  return record
}

async function bytesOf({ release: { content } }: ReleaseRecord): Promise<number> {
  let bytes = 0
  for await (const part of library.content.exportTar(content)) bytes += part.byteLength
  return bytes
}

const collect = (evictBytes = 0, dryRun = false) =>
  library.content.collect({ evictBytes, dryRun, fetching: [] })
const diskFiles = async (): Promise<string[]> => await readdir(join(home, 'segments'))

describe('a collection', () => {
  test('lets go of what was removed, and gives its room back', async () => {
    const record = await release('one')
    const shared = await release('two', { seed: 'one' })
    await library.registry.remove(record.id)
    expect(library.registry.get(record.id)).toBeUndefined()
    expect(await library.registry.versions('one')).toEqual([])
    expect(await collect()).toMatchObject({ blocks: 0, released: [] })
    expect(await bytesOf(shared)).toBeGreaterThan(200_000)
    await library.registry.remove(shared.id)
    const before = library.content.stats().bytes
    expect(await collect(0, true)).toMatchObject({ freedBytes: before, segments: 1 })
    expect(library.content.stats().bytes).toBe(before)
    expect(await collect()).toMatchObject({ freedBytes: before, segments: 1 })
    expect(library.content.stats()).toEqual({ bytes: 0, chunks: 0 })
    expect(await diskFiles()).toEqual([])
    expect(await bytesOf(await release('two', { seed: 'one' }))).toBeGreaterThan(200_000)
  })

  test('lets the longest unused go first, never what is pinned or published here', async () => {
    const own = await release('own', { isOwn: true })
    const pinned = await release('pinned')
    const [first, second, third] = [await release('a'), await release('b'), await release('c')]
    await library.content.pin(pinned.release)
    nowMs += MANY_MS
    await bytesOf(first)
    const { released } = await collect(150_000)
    expect(released).toMatchObject([{ releases: ['b@1.0.0'], reason: 'unused', sizeBytes: 200_000 }])
    expect(library.content.localState(second.release.content)).toBe('none')
    const rest = await collect(10_000_000)
    expect(rest.released.map(({ releases }) => releases[0])).toEqual(['c@1.0.0', 'a@1.0.0'])
    expect(rest).toMatchObject({ pinnedBytes: 200_000, ownBytes: 200_000 })
    for (const kept of [own, pinned]) expect(await bytesOf(kept)).toBeGreaterThan(200_000)
    expect(library.registry.get(third.id)).toBeDefined()
    await library.content.unpin(pinned.release)
    expect((await collect(10_000_000)).released).toHaveLength(1)
  })

  test('lets nothing go that is kept for others, unless that is asked for', async () => {
    const kept = await release('kept')
    const { content } = kept.release
    const row = { key: mirrorCopyKey(content.bytes), value: Buffer.from('{}') }
    await library.database.write([{ type: 'put', ...row }], { sync: true })
    await release('other')
    const { released, pinnedBytes } = await collect(10_000_000)
    expect(released).toMatchObject([{ releases: ['other@1.0.0'] }])
    expect(pinnedBytes).toBe(200_000)
    expect(await bytesOf(kept)).toBeGreaterThan(200_000)
    await library.content.remove(content)
    expect(library.content.localState(content)).not.toBe('complete')
    expect(library.database.get(row.key)).toBeUndefined()
  })

  test('keeps what is being read, and what waits to be signed', async () => {
    const record = await release('read')
    const unsigned = await ingest('unsigned')
    const reading = library.content.exportTar(record.release.content)[Symbol.asyncIterator]()
    await reading.next()
    await library.registry.remove(record.id)
    expect((await collect(10_000_000)).released).toEqual([])
    let rest = 0
    for (let part = await reading.next(); part.done !== true; part = await reading.next()) rest += 1
    expect(rest).toBeGreaterThanOrEqual(0)
    expect((await collect()).released).toHaveLength(1)
    expect(library.content.localState(unsigned)).toBe('complete')
    nowMs += MANY_MS
    expect((await collect()).released).toMatchObject([{ reason: 'unnamed' }])
    expect(await diskFiles()).toEqual([])
  })

  test('does not let go of what is pinned, by two releases, until both are unpinned', async () => {
    const one = await release('one')
    const two = await release('two', { seed: 'one' })
    await library.content.pin(one.release)
    await library.content.pin(two.release)
    await expect(library.registry.remove(one.id)).rejects.toMatchObject({ code: 'RELEASE_PINNED' })
    await library.content.unpin(one.release)
    await library.registry.remove(one.id)
    expect((await collect(10_000_000)).released).toEqual([])
    expect(await bytesOf(two)).toBeGreaterThan(200_000)
  })

  test('refuses to pin what is not whole here', async () => {
    const record = await release('one')
    await library.registry.remove(record.id)
    await collect()
    await expect(library.content.pin(record.release)).rejects.toMatchObject({ code: 'CONTENT_MISSING' })
  })

  test('while much is stored and read hurts neither', async () => {
    const records: ReleaseRecord[] = []
    for (const name of ['a', 'b', 'c', 'd']) records.push(await release(name))
    for (const record of records.slice(1)) await library.registry.remove(record.id)
    const [, again] = await Promise.all([collect(), release('b2', { seed: 'b' }), bytesOf(records[0]!)])
    await collect()
    for (const record of [records[0]!, again]) expect(await bytesOf(record)).toBeGreaterThan(200_000)
    expect((await library.content.verify(again.release.content)).ok).toBe(true)
  })
})
