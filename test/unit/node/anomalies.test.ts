/** The detector of anomalies: what it must find, what it must not, and how a node tells of it. */
import fc from 'fast-check'
import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { silentLogger } from '../../../base/index.ts'
import { Anomalies } from '../../../node/anomalies/anomalies.ts'
import { BATCH_MS, Batches } from '../../../node/anomalies/batches.ts'
import { BEGIN, observe, type Scale, type Watch } from '../../../node/anomalies/detector.ts'
import { durations, failures, ratios } from '../../../node/anomalies/scales.ts'
import { UsualTimes } from '../../../node/anomalies/usual-times.ts'
import { watchAnomalies } from '../../../node/anomaly-watching.ts'

/** Batches of a day at the shortest that they can be. */
const DAY = (24 * 60 * 60 * 1000) / BATCH_MS
const SEEDS = fc.integer({ min: 1, max: 0x7fffffff })

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
/** Standard normal (Box-Muller). */
const normal = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())

/** A series that is fed batch by batch. */
class Feed {
  readonly changes: Array<{ batch: number; kind: string; usual: number; now: number }> = []
  watch: Watch = BEGIN
  #batch = 0
  readonly #scale: Scale
  readonly #draw: (level: number) => number

  constructor(scale: Scale, draw: (level: number) => number) {
    this.#scale = scale
    this.#draw = draw
  }

  /** So many batches at a level, which may depend on the batch. */
  run(batches: number, level: number | ((batch: number) => number)): this {
    for (let at = 0; at < batches; at++) {
      const value = typeof level === 'number' ? level : level(at)
      const samples = Array.from({ length: this.#scale.minSamples }, () => this.#draw(value))
      const step = observe(this.watch, samples, { scale: this.#scale, sinceMs: this.#batch * BATCH_MS })
      this.watch = step.watch
      if (step.change !== undefined)
        this.changes.push({ batch: this.#batch, kind: step.change.kind, ...step.change.anomaly })
      this.#batch++
    }
    return this
  }

  get kinds(): string[] {
    return this.changes.map(({ kind }) => kind)
  }
}

/** Durations that scatter by `sigma` of their logarithm, with one in fifty ten times as long. */
function times(seed: number, sigma = 0.5): Feed {
  const random = randomOf(seed)
  return new Feed(durations(20), level => {
    const one = level * Math.exp(sigma * normal(random))
    return random() < 0.02 ? 10 * one : one
  })
}
function shares(seed: number): Feed {
  const random = randomOf(seed)
  return new Feed(failures, level => (random() < level ? 1 : 0))
}

test('noise that stays as it is raises nothing in a month, whatever its level', () => {
  const levels = fc.double({ min: 0.1, max: 10_000, noNaN: true })
  const sigmas = fc.double({ min: 0.01, max: 1, noNaN: true })
  fc.assert(
    fc.property(SEEDS, levels, sigmas, (seed, level, sigma) => {
      expect(times(seed, sigma).run(30 * DAY, level).kinds).toEqual([])
    }),
    { seed: 6, numRuns: 5 }
  )
  fc.assert(
    fc.property(SEEDS, fc.double({ min: 0, max: 0.6, noNaN: true }), (seed, share) => {
      expect(shares(seed).run(30 * DAY, share).kinds).toEqual([])
    }),
    { seed: 6, numRuns: 3 }
  )
})

test('a step to three times as long is found within ten batches, and its end too', () => {
  fc.assert(
    fc.property(SEEDS, fc.double({ min: 20, max: 5000, noNaN: true }), (seed, level) => {
      const feed = times(seed, 0.4)
        .run(500, level)
        .run(10, 3 * level)
      expect(feed.kinds).toEqual(['began'])
      const { usual, now } = feed.changes[0]!
      expect(usual / level).toBeGreaterThan(0.7)
      expect(usual / level).toBeLessThan(1.4)
      expect(now / usual).toBeGreaterThan(2)
      expect(feed.run(20, level).kinds).toEqual(['began', 'ended'])
      // What is usual is still that from before.
      expect(feed.run(10, 3 * level).kinds).toEqual(['began', 'ended', 'began'])
    }),
    { seed: 6, numRuns: 100 }
  )
})

test('failures that become many are found, and that they have gone', () => {
  fc.assert(
    fc.property(SEEDS, fc.double({ min: 0, max: 0.1, noNaN: true }), (seed, share) => {
      const feed = shares(seed).run(200, share).run(10, 0.8)
      expect(feed.kinds).toEqual(['began'])
      expect(feed.run(20, share).kinds).toEqual(['began', 'ended'])
    }),
    { seed: 6, numRuns: 100 }
  )
})

test('what is steady may move a little, and a little more time is nobody’s matter', () => {
  expect(times(7, 0.01).run(200, 100).run(50, 180).kinds).toEqual([])
  expect(times(7, 0.01).run(200, 1).run(50, 15).kinds).toEqual([])
  expect(times(7, 0.01).run(200, 100).run(50, 10).kinds).toEqual([])
})

test('a slow drift is followed', () => {
  fc.assert(
    fc.property(SEEDS, seed => {
      // To ten times as long within a day.
      expect(
        times(seed, 0.4)
          .run(100, 50)
          .run(DAY, at => 50 * 10 ** (at / DAY)).kinds
      ).toEqual([])
    }),
    { seed: 6, numRuns: 20 }
  )
})

test('what lasts becomes usual', () => {
  const feed = times(3, 0.3).run(200, 100).run(400, 500)
  expect(feed.kinds).toEqual(['began', 'usual now'])
  expect(feed.run(10, 1600).kinds).toEqual(['began', 'usual now', 'began'])
})

test('one that moves about the limit raises one anomaly and not many', () => {
  const feed = times(5, 0.1).run(200, 100)
  feed.run(100, at => (at % 2 === 0 ? 250 : 190))
  expect(feed.kinds.length).toBeLessThanOrEqual(1)
})

test('a batch is complete with enough samples of long enough, and holds only so many', () => {
  const batches = new Batches(3)
  expect([0, 1, 2].map(at => batches.add(at, at))).toEqual([undefined, undefined, undefined])
  expect(batches.add(3, BATCH_MS)).toEqual({ samples: [0, 1, 2, 3], sinceMs: 0 })
  for (let at = 0; at < 10_000; at++) batches.add(at, 2 * BATCH_MS)
  expect(batches.add(0, 3 * BATCH_MS)!.samples).toHaveLength(128)
  expect(batches.add(1, 9 * BATCH_MS)).toBeUndefined()
})

test('times with peers are compared with what is usual for each, near or far', () => {
  const usual = new UsualTimes()
  expect(Array.from({ length: 8 }, () => usual.ratio('far', 200))).toEqual(Array(8).fill(undefined))
  expect(usual.ratio('near', 1)).toBeUndefined()
  expect(usual.ratio('far', 200)).toBeCloseTo(1)
  expect(usual.ratio('far', 600)).toBeCloseTo(3)
})

test('it begins and ends as an event with its reason, and shows in between', async () => {
  let nowMs = 0
  const told: Array<Record<string, unknown>> = []
  const metrics = new Registry()
  const anomalies = new Anomalies({
    events: { emit: (type, data) => void told.push({ type, ...data }) },
    clock: { now: () => 1_700_000_000_000 + nowMs, monotonicMs: () => nowMs },
    logger: silentLogger,
    metrics
  })
  const feed = (tookMs: number, minutes: number): void => {
    for (let at = 0; at < minutes * 60; at++, nowMs += 1000)
      anomalies.sample('api-duration', tookMs + (at % 5))
  }
  feed(10, 30)
  nowMs += 1e9 // idle for days
  expect(anomalies.active()).toEqual([])
  feed(10, 30)
  const beginsMs = nowMs
  feed(100, 5)
  anomalies.sample('made-up', 1)
  const [active, ...others] = anomalies.active()
  expect(others).toEqual([])
  expect(told).toMatchObject([{ type: 'anomaly', state: 'began', series: 'api-duration', isUsualNow: false }])
  expect(told[0]!.message).toMatch(
    /^requests of the admin API take 102 ms instead of 12 ms, seen in \d+ of them since 20/
  )
  expect(Date.parse(active!.since) - 1_700_000_000_000 - beginsMs).toBeLessThanOrEqual(BATCH_MS)
  expect(await metrics.getSingleMetricAsString('catalog_anomaly_active_anomalies')).toContain(' 1')
  feed(10, 5)
  expect(anomalies.active()).toEqual([])
  expect(told.map(({ state }) => state)).toEqual(['began', 'ended'])
})

test('round trips to many peers that become slow are one anomaly', () => {
  let nowMs = 0
  const told: unknown[] = []
  const anomalies = new Anomalies({
    events: { emit: (_type, data) => void told.push(data) },
    clock: { now: () => nowMs, monotonicMs: () => nowMs },
    logger: silentLogger,
    metrics: new Registry()
  })
  const random = randomOf(9)
  const feed = (minutes: number, factor: number, peers: number): void => {
    for (let at = 0; at < minutes * 4; at++, nowMs += 15_000)
      for (let peer = 0; peer < peers; peer++)
        anomalies.roundTrip(String(peer), factor * (peer + 1) * 10 * Math.exp(0.3 * normal(random)))
  }
  feed(60, 1, 5)
  // Peers come that are far away, and go.
  feed(60, 1, 40)
  feed(60, 1, 3)
  expect(told).toEqual([])
  feed(10, 4, 5)
  expect(told).toMatchObject([{ state: 'began', series: 'round-trips' }])
  expect(ratios.isMuch(1, 3)).toBe(true)
})

test('operations and requests are watched as they end, waiting ones left out', () => {
  let nowMs = 0
  const ends: Array<(operation: unknown) => void> = []
  const requests: Array<(...request: unknown[]) => void> = []
  const told: string[] = []
  watchAnomalies({
    operations: { watchAll: (listener: (operation: unknown) => void) => ends.push(listener) },
    metrics: {
      registry: new Registry(),
      onRequest: (listener: (...request: unknown[]) => void) => requests.push(listener)
    },
    events: {
      emit: (_: string, data: { state: string; series: string }) => told.push(`${data.state} ${data.series}`)
    },
    clock: { now: () => nowMs, monotonicMs: () => nowMs },
    logger: silentLogger
  } as never)
  const ended = (operation: unknown): void => ends[0]!(operation)
  const fetched = (state: string, tookMs: number): void => {
    const startedAt = new Date(nowMs).toISOString()
    nowMs += tookMs
    const endedAt = new Date(nowMs).toISOString()
    ended({ kind: 'fetch', state: 'running', startedAt })
    ended({ kind: 'fetch', state, startedAt, endedAt })
  }
  for (let at = 0; at < 400; at++) fetched(at % 50 === 0 ? 'cancelled' : 'done', 2000 + (at % 7) * 100)
  for (let at = 0; at < 200; at++) fetched('failed', 2000)
  for (let at = 0; at < 100; at++) fetched('done', 9000)
  expect(told).toEqual(['began fetch-failures', 'began fetch-duration', 'ended fetch-failures'])
  const asked = (route: string, tookS: number, times: number): void => {
    for (let at = 0; at < times; at++, nowMs += 5000) requests[0]!(route, 'GET', 200, tookS)
  }
  asked('/v1/status', 0.01, 300)
  asked('/v1/operations/:id', 60, 300)
  expect(told).toHaveLength(3)
  asked('/v1/peers', 1, 100)
  expect(told.at(-1)).toBe('began api-duration')
})
