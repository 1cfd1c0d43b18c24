/** What is held, counted by the library that is open and by who looks at one that nobody has open. */
import { appendFile, mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { silentLogger, systemClock } from '../../../base/index.ts'
import { HoldingsCount } from '../../../library/content/holdings.ts'
import type { IngestResult } from '../../../library/content/types.ts'
import { inspectLibrary, KeyFamily, type KeyRange, type Library, makeKey } from '../../../library/index.ts'
import { openTestLibrary } from '../../library.ts'
import { FakeIndex, makeTar, pseudoRandom } from '../content/fakes.ts'

let home: string
let library: Library

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'catalog-holdings-'))
})

afterEach(() => rm(home, { recursive: true }))

async function ingest(seed: string): Promise<IngestResult> {
  const ingesting = await library.content.beginIngest({})
  const tar = await makeTar([{ name: 'a', body: pseudoRandom(seed, 5000) }])
  await ingesting.write(Uint8Array.from(tar))
  return await ingesting.finish()
}

test('counts contents that are whole and those that were, and changes nothing when it looks from outside', async () => {
  expect(await inspectLibrary(home)).toBeUndefined()
  library = await openTestLibrary({ log: silentLogger, clock: systemClock }, { home })
  await ingest('one')
  await ingest('two')
  expect(await library.content.holdings()).toEqual({ complete: 2, damaged: 0, isUnchecked: false })
  await expect(inspectLibrary(home)).resolves.toMatchObject({ complete: 2 }) // the same process shares the lock
  const { bytes, chunks } = library.content.stats()
  const segment = join(home, 'segments', '0')
  const file = await open(segment, 'r+')
  const at = (await readFile(segment)).indexOf(pseudoRandom('two', 5000))
  await file.write(Buffer.from([0xff, 0xfe, 0xfd]), 0, 3, at)
  await file.close()
  await library.content.scrub({ maxBytes: 1_000_000 })
  await vi.waitFor(async () =>
    expect(await library.content.holdings()).toEqual({ complete: 1, damaged: 1, isUnchecked: false })
  )
  await library.close()
  const seen = await inspectLibrary(home)
  expect(seen).toEqual({
    complete: 1,
    damaged: 1,
    isUnchecked: false,
    bytes,
    chunks: chunks - 1,
    segmentBytes: bytes,
    look: { blocks: chunks - 1, bad: 0 },
    isRecovered: true
  })
  await appendFile(segment, 'torn')
  expect(await inspectLibrary(home)).toEqual({
    ...seen,
    segmentBytes: bytes + 4,
    isRecovered: false
  })
  expect((await readFile(segment)).byteLength).toBe(bytes + 4)
})

test('a count is shared while it is made, and rests for twenty times as long as it took', async () => {
  let nowMs = 0
  let counts = 0
  const index = new FakeIndex()
  const database = {
    get: (key: Uint8Array) => index.get(key),
    getMany: async () => [],
    iterate: (range: KeyRange) => {
      counts++
      nowMs += 5
      return index.iterate(range)
    }
  }
  const holdings = new HoldingsCount({ database, clock: { ...systemClock, monotonicMs: () => nowMs } })
  await Promise.all([holdings.now(), holdings.now()])
  expect([counts, nowMs]).toEqual([2, 10]) // of each of two families
  nowMs = 209
  await holdings.now()
  expect(counts).toBe(2)
  nowMs = 210
  await holdings.now()
  expect(counts).toBe(4)
  holdings.forget()
  await holdings.now()
  expect(counts).toBe(6)
})

test('a count that took long rests for seconds all the same', async () => {
  let nowMs = 0
  const index = new FakeIndex()
  const database = {
    get: (key: Uint8Array) => index.get(key),
    getMany: async () => [],
    iterate: (range: KeyRange) => {
      nowMs += 3000
      return index.iterate(range)
    }
  }
  const holdings = new HoldingsCount({ database, clock: { ...systemClock, monotonicMs: () => nowMs } })
  const first = holdings.now()
  await first
  nowMs += 4999
  expect(holdings.now()).toBe(first)
  nowMs += 1
  expect(holdings.now()).not.toBe(first)
})

test.each([
  ['damaged', 2],
  ['whole', 1]
])(
  'of a content that is %s there are %d counts when another has become whole meanwhile',
  async (what, counted) => {
    const content = Uint8Array.of(1)
    const index = new FakeIndex()
    const families = what === 'whole' ? [KeyFamily.Held, KeyFamily.Complete] : [KeyFamily.Held]
    await index.batch(
      families.map(family => ({ type: 'put', key: makeKey(family, content), value: content })),
      { sync: false }
    )
    let counts = 0
    let nowMs = 0
    const database = {
      get: (key: Uint8Array) => index.get(key),
      getMany: async () => [],
      iterate: (range: KeyRange) => {
        counts += 0.5 // of each of two families
        nowMs += 100
        return index.iterate(range)
      }
    }
    const holdings = new HoldingsCount({ database, clock: { ...systemClock, monotonicMs: () => nowMs } })
    const during = holdings.now()
    holdings.completed()
    await during
    await holdings.now()
    await holdings.now()
    expect(counts).toBe(counted)
  }
)

test('what a verification finds is counted at once, however long the last count took', async () => {
  let calls = 0
  const clock = { ...systemClock, monotonicMs: () => calls++ } // a count rests for twenty calls
  library = await openTestLibrary({ log: silentLogger, clock }, { home })
  const { content } = await ingest('one')
  expect(await library.content.holdings()).toMatchObject({ complete: 1, damaged: 0 })
  const segment = join(home, 'segments', '0')
  const at = (await readFile(segment)).indexOf(pseudoRandom('one', 5000))
  const file = await open(segment, 'r+')
  await file.write(Buffer.from([0xff, 0xfe, 0xfd]), 0, 3, at)
  await file.close()
  expect(await library.content.verify(content)).toMatchObject({ ok: false })
  expect(await library.content.holdings()).not.toEqual({ complete: 1, damaged: 0, isUnchecked: false })
  await library.close()
})
