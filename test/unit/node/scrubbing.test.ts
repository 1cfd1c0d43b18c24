/** The scrub between its steps: what it does when one fails, and about damage that it cannot find or mend. */
import { Registry } from 'prom-client'
import { beforeEach, expect, it } from 'vitest'
import { CatalogError, HOUR_MS, MINUTE_MS, silentLogger } from '../../../base/index.ts'
import type { OperationWork } from '../../../node/operations.ts'
import { Scrubbing } from '../../../node/services/scrubbing.ts'
import { FakeClock } from '../discovery/fake-clock.ts'
import { demoRecord } from './demo-record.ts'

const record = demoRecord()

let clock: FakeClock
let scrubbing: Scrubbing
/** What the steps of the scrub fail with, in turn. */
let failures: CatalogError[]
let steps: number
/** Releases that are damaged, and those of them whose fetch has begun, with what ends it. */
let damaged: number
let begun: Array<() => void>

beforeEach(() => {
  clock = new FakeClock()
  failures = []
  steps = 0
  damaged = 0
  begun = []
  let row: Uint8Array | undefined
  const fetch = (): Promise<unknown> => {
    const { promise, resolve } = Promise.withResolvers<void>()
    begun.push(resolve)
    return promise
  }
  const content = {
    stats: () => ({ bytes: 1, chunks: 1 }),
    holdings: async () => ({ complete: 1, damaged, isUnchecked: false }),
    isKept: () => true,
    localState: () => 'partial',
    scrub: async () => {
      steps++
      const failure = failures.shift()
      if (failure !== undefined) throw failure
      return { blocks: 1, bytes: 1, corrupt: 0 }
    }
  }
  const start = (_: string, __: string, work: OperationWork): void =>
    void work({ signal: new AbortController().signal, progress: () => {} } as never)
  scrubbing = new Scrubbing(
    {
      content: content as never,
      registry: { list: async () => ({ releases: Array.from({ length: damaged }, () => record) }) } as never,
      database: {
        get: () => row,
        write: async ([operation]: Array<{ value: Uint8Array }>) => {
          row = operation?.value
        }
      } as never,
      fetching: { fetch } as never,
      operations: { start } as never,
      clock,
      logger: silentLogger,
      metrics: new Registry()
    },
    { intervalMs: 24 * HOUR_MS, rate: 0 }
  )
})

it('goes on after a step that failed', async () => {
  failures.push(new CatalogError('DISK_FULL', 'no room for the row'), new CatalogError('DISK_IO', 'EMFILE'))
  scrubbing.start()
  await clock.advance(4 * HOUR_MS)
  expect(steps).toBe(3)
  expect(scrubbing.lastPass).toMatchObject({ corrupt: 0 })
  await scrubbing.stop()
})

it('has what readers found damaged fetched again, and again while nobody gives it', async () => {
  scrubbing.start()
  await clock.advance(2 * HOUR_MS)
  expect(begun).toHaveLength(0)
  damaged = 1
  await clock.advance(HOUR_MS + MINUTE_MS)
  expect(begun).toHaveLength(1)
  begun[0]!()
  await clock.advance(3 * HOUR_MS)
  expect(begun.length).toBeGreaterThan(1)
  damaged = 0
  const before = begun.length
  await clock.advance(5 * HOUR_MS)
  expect(begun).toHaveLength(before)
  await scrubbing.stop()
})

it('has a few fetched at once, however many a bad disk damaged', async () => {
  damaged = 1000
  scrubbing.start()
  await clock.advance(2 * HOUR_MS)
  expect(begun).toHaveLength(4)
  begun[2]!()
  await clock.settle()
  expect(begun).toHaveLength(5)
  await scrubbing.stop()
  for (const end of begun) end()
})
