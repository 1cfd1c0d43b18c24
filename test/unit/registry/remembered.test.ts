/** What is kept of the database is what it has: whatever is written, by whomever, and whenever it is read. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { silentLogger, systemClock } from '../../../base/index.ts'
import { ChangeMarks } from '../../../library/database/change-marks.ts'
import { type Level, LevelReader, LevelWriter, openLevel } from '../../../library/database/level.ts'
import { Remembered } from '../../../library/database/remembered.ts'
import type { DatabaseReader, WriteOperation } from '../../../library/database/types.ts'
import { createReleaseRecord, type Library, openLibrary } from '../../../library/index.ts'
import { createNodeKey } from '../../../trust/index.ts'
import { testFolder } from '../../folder.ts'
import { openTestLibrary } from '../../library.ts'
import { contentOf, keyOf, small } from '../records/examples.ts'

const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'))
/** As keys of records have it: 32 bytes, one of them zero. */
const hash = (first: number): string => `${String.fromCharCode(first)}abc\0${'h'.repeat(27)}`
const hashWithoutZero = (first: number): string => `${String.fromCharCode(first)}${'h'.repeat(31)}`
/** Of every kind: with text that ends in a zero, with one that does not, with a hash, with nothing behind the family. */
const KEYS = [
  ...[
    'k/a\x001.0.0\0',
    'k/a\x002.0.0\0',
    'k/ab\x001.0.0\0',
    'o/a',
    'o/ab',
    'o/@s/a',
    'fl/x',
    'f/x',
    'T',
    'md'
  ],
  ...[1, 2].flatMap(first =>
    [hash(first), hashWithoutZero(first)].flatMap(id => [`m/${id}home`, `m/${id}other`, `r/${id}`])
  )
]
const PREFIXES = [
  ...['k/', 'k/a\0', 'k/a', 'k/ab\0', 'o/', 'o/@s/', 'f', 'm', 'm/', 'fl/', ''],
  ...[1, 2].flatMap(first => [`m/${hash(first)}`, `m/${hashWithoutZero(first)}`])
]

let folder: string
let level: Level
let writer: LevelWriter
let marks: ChangeMarks
let remembered: Remembered
let reader: LevelReader

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'catalog-remembered-'))
  level = await openLevel(folder)
  marks = new ChangeMarks()
  // The other thread has marks of its own on the same memory.
  writer = new LevelWriter(level, { marks: new ChangeMarks(marks.memory) })
  remembered = new Remembered(marks)
  reader = new LevelReader(level, { notes: remembered })
})

afterEach(async () => {
  await level.close()
  await rm(folder, { recursive: true })
})

const put = (key: string, value: string): WriteOperation => ({
  type: 'put',
  key: bytes(key),
  value: bytes(value)
})
const textOf = (value: Uint8Array | undefined): string | undefined =>
  value && Buffer.from(value).toString('latin1')

async function rows(of: DatabaseReader, prefix: string): Promise<string[]> {
  const found: string[] = []
  for await (const [key, value] of of.iterate({ prefix: bytes(prefix) }))
    found.push(`${textOf(key)}=${textOf(value)}`)
  return found
}

async function inSnapshot<T>(read: (of: DatabaseReader) => Promise<T>): Promise<T> {
  const snapshot = reader.snapshot()
  try {
    return await read(snapshot)
  } finally {
    await snapshot.close()
  }
}

/** Ways to read, each by its key. */
const READS: Record<string, (of: DatabaseReader) => Promise<unknown>> = {
  ...Object.fromEntries(
    KEYS.map(key => [`get ${key}`, async (of: DatabaseReader) => textOf(of.get(bytes(key)))])
  ),
  ...Object.fromEntries(PREFIXES.map(prefix => [`rows ${prefix}`, (of: DatabaseReader) => rows(of, prefix)])),
  many: async of => (await of.getMany(KEYS.slice(0, 8).map(bytes))).map(textOf)
}

describe('what is remembered', () => {
  test('is what the database has, after any writes', async () => {
    const key = fc.constantFrom(...KEYS)
    const operation = fc.oneof(
      fc.record({ type: fc.constant('put' as const), key, value: fc.constantFrom('1', '2') }),
      fc.record({ type: fc.constant('del' as const), key })
    )
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.array(operation, { minLength: 1, maxLength: 3 }) },
      { weight: 1, arbitrary: fc.constantFrom(...PREFIXES.filter(prefix => prefix.length > 1)) }
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async steps => {
        for (const written of steps) {
          if (typeof written === 'string') await writer.clear(bytes(written))
          else
            await writer.batch(
              written.map(one =>
                one.type === 'put' ? put(one.key, one.value) : { type: 'del', key: bytes(one.key) }
              ),
              { sync: false }
            )
          for (const [name, read] of Object.entries(READS)) {
            const now = await read(new LevelReader(level))
            expect(await remembered.of(name, () => read(reader))).toEqual(now)
            expect(await remembered.of(`${name}, then`, () => inSnapshot(read))).toEqual(now)
            expect(
              await remembered.of(`all of ${name}`, () => remembered.of(name, () => read(reader)))
            ).toEqual(now)
          }
        }
      }),
      { seed: 6, numRuns: 12 }
    )
    expect(remembered.counts.found).toBeGreaterThan(remembered.counts.read)
  })

  const count = async (key: string, read: () => Promise<unknown>): Promise<number> => {
    const { read: before } = remembered.counts
    await remembered.of(key, read)
    return remembered.counts.read - before
  }
  const readA = async (): Promise<unknown> => reader.get(bytes('o/a'))

  test('outlives what is written elsewhere', async () => {
    await writer.batch([put('o/a', '1')], { sync: false })
    expect(await count('a', readA)).toBe(1)
    await writer.batch([put('o/b', '1'), put('c/a', '1')], { sync: false })
    expect(await count('a', readA)).toBe(0)
  })

  test('is nothing that is being written, or was by a thread that died', async () => {
    await count('a', readA)
    const write = marks.begin([put('o/a', '2')])
    expect(await count('a', readA)).toBe(1)
    expect(await count('a', readA)).toBe(1)
    write.end()
    await count('a', readA)
    expect(await count('a', readA)).toBe(0)
    marks.begin([put('o/a', '3')])
    marks.settle()
    expect(await count('a', readA)).toBe(1)
    expect(await count('a', readA)).toBe(0)
  })

  test('is nothing that changed while it was read', async () => {
    const readTwice = async (): Promise<unknown> => {
      const first = reader.get(bytes('o/a'))
      await writer.batch([put('o/a', String(remembered.counts.read))], { sync: false })
      return [first, reader.get(bytes('o/b'))]
    }
    expect(await count('a', readTwice)).toBe(1)
    expect(await count('a', readTwice)).toBe(1)
  })

  test('is nothing of a snapshot that is older than what was written', async () => {
    await writer.batch([put('o/a', '1')], { sync: false })
    const readOld = () =>
      inSnapshot(async of => {
        if (remembered.counts.read === 1) await writer.batch([put('o/a', '2')], { sync: false })
        return textOf(of.get(bytes('o/a')))
      })
    expect(await remembered.of('a', readOld)).toBe('1')
    expect(await remembered.of('a', readOld)).toBe('2')
  })

  test('is what was read inside of it, too, even by who made nothing of its failure', async () => {
    const inner = (): Promise<unknown> =>
      remembered.of('inner', async () => {
        const value = reader.get(bytes('o/a'))
        if (value === undefined) throw new Error('not there')
        return textOf(value)
      })
    const outer = (): Promise<unknown> => remembered.of('outer', () => inner().catch(() => 'none'))
    expect(await outer()).toBe('none')
    await writer.batch([put('o/a', '1')], { sync: false })
    expect(await outer()).toBe('1')
    await writer.batch([put('o/a', '2')], { sync: false })
    expect(await outer()).toBe('2')
  })

  test('is of one thing that is given beside the database', async () => {
    const [one, other] = [{}, {}]
    expect(await remembered.of('a', async () => 1, one)).toBe(1)
    expect(await remembered.of('a', async () => 2, one)).toBe(1)
    expect(await remembered.of('a', async () => 2, other)).toBe(2)
  })

  test('is no more than its bound', async () => {
    await writer.batch([put('o/a', 'x'.repeat(1000))], { sync: false })
    const few = new Remembered(marks, { maxBytes: 10_000 })
    const noted = new LevelReader(level, { notes: few })
    for (let at = 0; at < 20; at++) await few.of(`${at}`, async () => noted.get(bytes('o/a')))
    await few.of('19', async () => undefined)
    await few.of('0', async () => undefined)
    expect(few.counts).toEqual({ found: 1, read: 21 })
  })

  test('is no more than its bound with what it is called, however long that is', async () => {
    const few = new Remembered(marks, { maxBytes: 10_000 })
    const named = (at: number) => few.of(`${at}${'x'.repeat(4000)}`, async () => undefined)
    for (let at = 0; at < 20; at++) await named(at)
    expect(few.sizeBytes).toBeLessThanOrEqual(10_000)
    for (const at of [19, 18, 17]) await named(at)
    expect(few.counts).toEqual({ found: 2, read: 21 })
  })

  test('is no failure', async () => {
    const failing = remembered.of('a', async () => {
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(await remembered.of('a', async () => 1)).toBe(1)
  })
})

/** Versions of a release in a library, as they are remembered, and a way to publish one. */
const helloIn = (library: Library) => ({
  versions: () =>
    library.remembered.of('versions', async () =>
      (await library.registry.versions('hello')).map(({ release }) => release.version)
    ),
  publish: async (version: string): Promise<void> => {
    const record = createReleaseRecord(small({ content: contentOf(version), version }), keyOf('ada'))
    await library.registry.publish(record.bytes)
  }
})

test('the worker writes what the main thread has remembered, until both close', async () => {
  const home = await testFolder('remembered')
  const library = await openTestLibrary({ log: silentLogger, clock: systemClock }, { home })
  const { versions, publish } = helloIn(library)
  try {
    expect(await versions()).toEqual([])
    await publish('1.0.0')
    expect(await versions()).toEqual(['1.0.0'])
    expect(await versions()).toEqual(['1.0.0'])
    await publish('2.0.0')
    expect(await versions()).toEqual(['2.0.0', '1.0.0'])
    expect(library.remembered.counts).toEqual({ found: 1, read: 3 })
  } finally {
    await library.close()
  }
  await expect(versions()).rejects.toMatchObject({ code: 'LEVEL_DATABASE_NOT_OPEN' })
})

test('nothing is stale when the worker died in the middle of a write, and things are remembered again after the next', async () => {
  const home = await testFolder('remembered')
  await createNodeKey(join(home, 'node.key'))
  const workerUrl = new URL('../worker/fixtures/dying-worker.ts', import.meta.url)
  const library = await openLibrary({ log: silentLogger, clock: systemClock }, { home, workerUrl })
  onTestFinished(() => library.close())
  const { versions, publish } = helloIn(library)
  await publish('1.0.0')
  expect(await versions()).toEqual(['1.0.0'])
  await writeFile(join(home, 'die'), '')
  await expect(publish('2.0.0')).rejects.toMatchObject({ code: 'INTERNAL' })
  // It had been written, though not acknowledged.
  expect(await versions()).toEqual(['2.0.0', '1.0.0'])
  await publish('3.0.0')
  const { found } = library.remembered.counts
  for (let at = 0; at < 2; at++) expect(await versions()).toEqual(['3.0.0', '2.0.0', '1.0.0'])
  expect(library.remembered.counts.found).toBe(found + 1)
})
