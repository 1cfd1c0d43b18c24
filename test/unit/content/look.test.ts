/** A look at blocks of a store: a sample or all, each once, and what is damaged counts. */
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { silentLogger, systemClock } from '../../../base/index.ts'
import { idHex } from '../../../library/content/blocks.ts'
import { lookAtBlocks } from '../../../library/content/look.ts'
import { RECORD_HEAD_BYTES } from '../../../library/content/record.ts'
import { inspectLibrary, type Library } from '../../../library/index.ts'
import { openTestLibrary } from '../../library.ts'
import { makeTar, pseudoRandom } from './fakes.ts'

const FILES = 20
let home: string
let library: Library

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'catalog-look-'))
  library = await openTestLibrary({ log: silentLogger, clock: systemClock }, { home })
  const files = Array.from({ length: FILES }, (_, i) => ({ name: `${i}`, body: pseudoRandom(`${i}`, 5000) }))
  const ingest = await library.content.beginIngest({})
  await ingest.write(await makeTar(files.sort((a, b) => (a.name < b.name ? -1 : 1))))
  await ingest.finish()
})
afterEach(async () => {
  await library.close()
  await rm(home, { recursive: true })
})

it.each([0x00, 0x80, 0xff])('takes each block once, from wherever it begins (%i)', async byte => {
  const { chunks } = library.content.stats()
  const from = Buffer.alloc(32, byte)
  for (const limit of [undefined, 5, chunks, chunks + 5]) {
    const seen: string[] = []
    const isGood = async (id: Uint8Array): Promise<boolean> => seen.push(idHex(id)) % 5 !== 0
    const look = await lookAtBlocks({ database: library.database, isGood }, { limit, from })
    const expected = Math.min(limit ?? chunks, chunks)
    expect(look).toEqual({ blocks: expected, bad: Math.floor(expected / 5) })
    expect(new Set(seen).size).toBe(expected)
  }
})

it('leaves out segments that are elsewhere', async () => {
  const isGood = async (): Promise<boolean> => true
  const without = new Set([0])
  expect(await lookAtBlocks({ database: library.database, isGood }, { without })).toEqual({
    blocks: 0,
    bad: 0
  })
})

it('finds a flipped byte and a lost segment in a home that nobody has open', async () => {
  await library.close()
  const whole = await inspectLibrary(home)
  expect(whole).toMatchObject({ look: { blocks: whole!.chunks, bad: 0 }, segmentBytes: whole!.bytes })
  expect((await inspectLibrary(home, { sampleBlocks: 3 }))!.look).toEqual({ blocks: 3, bad: 0 })
  const file = await open(join(home, 'segments/0'), 'r+')
  await file.write(Buffer.from('x'), 0, 1, RECORD_HEAD_BYTES + 100)
  await file.close()
  expect((await inspectLibrary(home))!.look).toEqual({ blocks: whole!.chunks, bad: 1 })
  await rm(join(home, 'segments/0'))
  const lost = await inspectLibrary(home)
  expect(lost).toMatchObject({ look: { bad: whole!.chunks }, segmentBytes: 0, isRecovered: false })
})
