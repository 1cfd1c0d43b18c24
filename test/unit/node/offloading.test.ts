/** When segments are sent to a bucket, with a bucket and a clock that do what the test says. */
import { Registry } from 'prom-client'
import { beforeEach, expect, it } from 'vitest'
import { CatalogError, MINUTE_MS, SECOND_MS, silentLogger } from '../../../base/index.ts'
import type { BucketStep } from '../../../library/index.ts'
import { Offloading } from '../../../node/services/offloading.ts'
import { FakeClock } from '../discovery/fake-clock.ts'

const IDLE: BucketStep = {
  sentBytes: 0,
  isMore: false,
  freed: [],
  backlogBytes: 0,
  backlogSegments: 0,
  cachedBytes: 0
}
const sent = (sentBytes: number, backlogSegments: number): BucketStep => ({
  ...IDLE,
  sentBytes,
  isMore: true,
  backlogBytes: 64 * backlogSegments,
  backlogSegments,
  cachedBytes: 64
})
const away = new CatalogError('BUCKET_UNREACHABLE', 'the bucket does not answer')

/** What the worker answers to its next steps, in turn; after that there is nothing to do. */
class FakeWork {
  readonly answers: Array<BucketStep | Promise<BucketStep> | CatalogError | 'never'> = []
  /** When each step was asked for, in ms since the test began. */
  readonly stepsMs: number[] = []
  readonly signals: AbortSignal[] = []
  readonly #clock: FakeClock
  readonly #startMs: number
  #listener = (): void => {}

  constructor(clock: FakeClock) {
    this.#clock = clock
    this.#startMs = clock.now()
  }

  onWork(listener: () => void): void {
    this.#listener = listener
  }

  /** The store has changed. */
  changed(): void {
    this.#listener()
  }

  async probe(): Promise<void> {}

  async step(signal: AbortSignal): Promise<BucketStep> {
    this.stepsMs.push(this.#clock.now() - this.#startMs)
    this.signals.push(signal)
    const answer = this.answers.shift() ?? IDLE
    if (answer === 'never')
      return await new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      })
    if (answer instanceof CatalogError) throw answer
    return await answer
  }
}

let clock: FakeClock
let work: FakeWork
let metrics: Registry
let warnings: object[]
let offloading: Offloading

beforeEach(() => {
  clock = new FakeClock()
  work = new FakeWork(clock)
  metrics = new Registry()
  warnings = []
  const logger = { ...silentLogger, warn: (fields: object) => void warnings.push(fields) }
  // The half of each wait that is random is all of it.
  offloading = new Offloading({ bucket: work, clock, logger, metrics, random: () => 1 })
})

const metricOf = async (name: string): Promise<number | undefined> =>
  (await metrics.getSingleMetric(`catalog_node_bucket_${name}`)?.get())?.values[0]?.value

it('does all there is when it begins, then whatever comes, looked at together', async () => {
  work.answers.push(sent(64, 1), sent(64, 0))
  offloading.start()
  await clock.advance(0)
  expect(work.stepsMs).toEqual([0, 0, 0])
  await clock.advance(10 * MINUTE_MS)
  expect(work.stepsMs).toHaveLength(3)
  work.changed()
  await clock.settle()
  expect(work.stepsMs).toHaveLength(4)
  for (let i = 0; i < 100; i++) {
    await clock.advance(1)
    work.changed()
  }
  expect(work.stepsMs).toHaveLength(4)
  await clock.advance(MINUTE_MS)
  expect(work.stepsMs.slice(3)).toEqual([10 * MINUTE_MS, 10 * MINUTE_MS + SECOND_MS])
  await offloading.stop()
})

it('misses no change that comes while it works', async () => {
  const answered = Promise.withResolvers<BucketStep>()
  work.answers.push(answered.promise)
  offloading.start()
  await clock.settle()
  work.changed()
  answered.resolve(IDLE)
  await clock.advance(SECOND_MS)
  expect(work.stepsMs).toHaveLength(2)
  await offloading.stop()
})

it('cuts off what is under way when it is paused, rests, and looks anew when it goes on', async () => {
  work.answers.push('never')
  offloading.start()
  await clock.settle()
  await offloading.pause()
  expect(work.signals[0]!.reason).toMatchObject({ code: 'SHUTTING_DOWN' })
  work.changed()
  await clock.advance(MINUTE_MS)
  expect(work.stepsMs).toEqual([0])
  expect([offloading.state.problem, warnings]).toEqual([undefined, []])
  offloading.resume()
  await clock.settle()
  expect(work.stepsMs).toEqual([0, MINUTE_MS])
  await offloading.stop()
  await clock.advance(MINUTE_MS)
  expect(work.stepsMs).toHaveLength(2)
})

it('ends at once in every kind of wait: for work, for changes to settle, for the bucket', async () => {
  offloading.start()
  await clock.advance(SECOND_MS)
  await offloading.stop()
  offloading.start()
  await clock.settle()
  await offloading.stop()
  work.answers.push(away)
  offloading.start()
  await clock.settle()
  await offloading.stop()
  await clock.advance(10 * MINUTE_MS)
  expect(work.stepsMs).toEqual([0, SECOND_MS, SECOND_MS])
})

/** Between one step and the next, in seconds. */
const waitsS = (): number[] => work.stepsMs.slice(1).map((ms, i) => (ms - work.stepsMs[i]!) / SECOND_MS)

it('waits longer after each failure, and no longer than five minutes', async () => {
  work.answers.push(...Array.from({ length: 11 }, () => away))
  offloading.start()
  await clock.advance(60 * MINUTE_MS)
  expect(waitsS()).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300])
  await offloading.stop()
})

it.each([
  ['the last', IDLE],
  ['one of several', sent(64, 0)]
])('begins with short waits again after a success, be it %s', async (_, success) => {
  work.answers.push(away, away, away, success, away, away)
  offloading.start()
  await clock.advance(7 * SECOND_MS)
  work.changed()
  await clock.advance(MINUTE_MS)
  expect(waitsS().slice(-2)).toEqual([1, 2])
  await offloading.stop()
})

it('tells how it stands: what waits, what is kept here too, why it failed, until it goes well again', async () => {
  work.answers.push(sent(64, 2), away)
  offloading.start()
  await clock.settle()
  expect(offloading.state).toEqual({ backlogBytes: 128, backlogSegments: 2, cachedBytes: 64, problem: away })
  expect(warnings).toMatchObject([{ err: away, failed: 1, delayMs: SECOND_MS }])
  expect(await metricOf('sent_bytes_total')).toBe(64)
  expect(await metricOf('backlog_bytes')).toBe(128)
  expect(await metricOf('cached_bytes')).toBe(64)
  expect((await metrics.getSingleMetric('catalog_node_bucket_failures_total')?.get())?.values).toMatchObject([
    { value: 1, labels: { code: 'BUCKET_UNREACHABLE' } }
  ])
  work.answers.push(sent(128, 0))
  await clock.advance(SECOND_MS)
  const { backlogBytes, backlogSegments, cachedBytes } = IDLE
  expect(offloading.state).toEqual({ backlogBytes, backlogSegments, cachedBytes, problem: undefined })
  expect(await metricOf('sent_bytes_total')).toBe(192)
  expect(await metricOf('backlog_bytes')).toBe(0)
  await offloading.stop()
})
