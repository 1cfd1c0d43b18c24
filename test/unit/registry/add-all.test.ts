/** Many records as one batch: the same comes of it as of one after the other. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Clock, systemClock, toCatalogError } from '../../../base/index.ts'
import { PendingRows } from '../../../library/database/pending.ts'
import type { DatabaseReader, KeyRange, WriteOperation } from '../../../library/database/types.ts'
import {
  createAttestationRecord,
  createReleaseRecord,
  createStatusRecord,
  type ReleaseRecord,
  type StatementRecord
} from '../../../library/records/index.ts'
import {
  ADD_ALL_LIMITS,
  type AddOutcome,
  createRegistry,
  MAX_CLOCK_AHEAD_MS,
  type Registry
} from '../../../library/registry/index.ts'
import { contentOf, keyOf, NOW_MS, small } from '../records/examples.ts'
import { openMemory, serialWriter, type TestDatabase } from './databases.ts'

const clock: Clock = { ...systemClock, now: () => NOW_MS }
const owners = [keyOf('ada'), keyOf('bob')]
const EARLY = NOW_MS + MAX_CLOCK_AHEAD_MS + 1

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

async function rowsOf(reader: DatabaseReader, range: KeyRange): Promise<string[]> {
  const rows: string[] = []
  for await (const [key, value] of reader.iterate(range)) rows.push(`${hex(key)} ${hex(value)}`)
  return rows
}

/** More contents of one version than are kept, newer and older words, and what is said of releases that are here or not. */
const record = fc
  .record({
    kind: fc.constantFrom('release', 'release', 'release', 'release', 'status', 'attestation'),
    owner: fc.nat(1),
    content: fc.nat(11),
    sequence: fc.oneof({ weight: 150, arbitrary: fc.nat(3).map(more => NOW_MS + more) }, fc.constant(EARLY))
  })
  .map(({ kind, owner, content: number, sequence }): ReleaseRecord | StatementRecord => {
    const key = owners[owner]!
    const content = contentOf(`${number % (owner === 0 ? 12 : 2)}`)
    if (kind === 'release') return createReleaseRecord(small({ content, sequence }), key)
    const about = { name: 'hello', version: '1.0.0', content, sequence }
    if (kind === 'status') return createStatusRecord({ ...about, state: 'yanked' }, key)
    const words = { ...about, owner: key.publicKey, statement: 'tested', holds: true }
    return createAttestationRecord(words, keyOf('eve'))
  })

interface Added {
  outcomes: AddOutcome[]
  error?: string
}

async function until(work: (outcomes: AddOutcome[]) => Promise<void>): Promise<Added> {
  const outcomes: AddOutcome[] = []
  try {
    await work(outcomes)
    return { outcomes }
  } catch (thrown) {
    return { outcomes, error: toCatalogError(thrown).code }
  }
}

const oneByOne = (registry: Registry, records: Array<ReleaseRecord | StatementRecord>): Promise<Added> =>
  until(async outcomes => {
    for (const one of records) {
      const adding = 'release' in one ? registry.add(one.bytes) : registry.addStatement(one.bytes)
      const outcome = adding.then(
        ({ added }): AddOutcome => (added ? 'added' : 'known'),
        thrown => {
          if (toCatalogError(thrown).code === 'LIMIT_EXCEEDED') return 'refused' as const
          throw thrown
        }
      )
      outcomes.push(await outcome)
    }
  })

const inBatches = (
  registry: Registry,
  records: Array<ReleaseRecord | StatementRecord>,
  size: number
): Promise<Added> =>
  until(async outcomes => {
    for (let at = 0; at < records.length; at += size)
      outcomes.push(...(await registry.addAll(records.slice(at, at + size))))
  })

async function opened(
  own: readonly ReleaseRecord[]
): Promise<{ database: TestDatabase; registry: Registry }> {
  const database = await openMemory()
  const registry = createRegistry({ database, writer: serialWriter(database), clock })
  for (const { bytes } of own) await registry.publish(bytes)
  return { database, registry }
}

const published = [
  createReleaseRecord(small({ content: contentOf('1') }), owners[0]!),
  createReleaseRecord(small({ content: contentOf('1') }), owners[1]!)
]

test('whatever the records and the size of a batch, all rows are those of one after the other', async () => {
  const seen = new Set<string>()
  await fc.assert(
    fc.asyncProperty(
      fc.array(record, { maxLength: 40, size: 'max' }),
      fc.integer({ min: 1, max: 41 }),
      async (records, size) => {
        const [a, b] = [await opened(published), await opened(published)]
        const expected = await oneByOne(a.registry, records)
        const got = await inBatches(b.registry, records, size)
        // Of a batch in which one fails nothing is told but that.
        if (expected.error === undefined) expect(got).toEqual(expected)
        else expect(got.error).toBe(expected.error)
        const everything = { prefix: new Uint8Array() }
        expect(await rowsOf(b.database, everything)).toEqual(await rowsOf(a.database, everything))
        expect(b.database.commits.length).toBeLessThanOrEqual(
          published.length + Math.ceil(records.length / size)
        )
        for (const what of [...expected.outcomes, expected.error ?? 'no error']) seen.add(what)
      }
    ),
    { numRuns: 40, seed: 5 }
  )
  expect([...seen].sort()).toEqual(['RECORD_EARLY', 'added', 'known', 'no error', 'refused'])
})

test('more records than go into a batch are refused', async () => {
  const { registry } = await opened([])
  const records = Array.from({ length: ADD_ALL_LIMITS.records + 1 }, () => published[0]!)
  await expect(registry.addAll(records)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
})

describe('rows that wait to be committed', () => {
  const key = fc.uint8Array({ minLength: 1, maxLength: 3, max: 3 })
  const value = fc.uint8Array({ maxLength: 2 })
  const operation: fc.Arbitrary<WriteOperation> = fc.oneof(
    { weight: 3, arbitrary: fc.record({ type: fc.constant('put' as const), key, value }) },
    fc.record({ type: fc.constant('del' as const), key })
  )
  const range: fc.Arbitrary<KeyRange> = fc.record(
    {
      prefix: fc.uint8Array({ maxLength: 2, max: 3 }),
      after: fc.uint8Array({ minLength: 1, maxLength: 3, max: 3 }),
      limit: fc.nat(5),
      reverse: fc.boolean()
    },
    { requiredKeys: ['prefix'] }
  )

  test('are read as if they were', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { maxLength: 30 }),
        fc.array(operation, { maxLength: 30 }),
        fc.array(range, { maxLength: 8 }),
        async (stored, waiting, ranges) => {
          const [before, after] = [await openMemory(), await openMemory()]
          await before.write(stored, { sync: true })
          await after.write([...stored, ...waiting], { sync: true })
          const pending = new PendingRows(before)
          pending.apply(waiting)
          expect(pending.operations).toEqual(waiting)
          for (const one of ranges) {
            // A range begins behind a key that has its prefix.
            const inside =
              one.after === undefined
                ? one
                : { ...one, after: Uint8Array.from([...one.prefix, ...one.after]) }
            expect(await rowsOf(pending, inside)).toEqual(await rowsOf(after, inside))
          }
          const keys = [...stored, ...waiting].map(({ key: some }) => some)
          expect((await pending.getMany(keys)).map(some => some && hex(some))).toEqual(
            (await after.getMany(keys)).map(some => some && hex(some))
          )
          for (const some of keys)
            expect(pending.get(some) && hex(pending.get(some)!)).toBe(
              after.get(some) && hex(after.get(some)!)
            )
        }
      ),
      { numRuns: 200 }
    )
  })
})
