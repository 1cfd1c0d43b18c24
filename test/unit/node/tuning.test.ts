/** Settings that the node turns by itself: within bounds, towards the best, at rest there, and back when that ends. */
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { silentLogger } from '../../../base/index.ts'
import { beginClimb, type Climb, climb, type KnobRange, type Turn } from '../../../node/tuning/climb.ts'
import { Tuning } from '../../../node/tuning/tuning.ts'
import { ManualClock } from '../protocols/manual-clock.ts'

/** Numbers in [0, 1), the same for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

type Model = (fetches: number, prefetch: number) => number

/** A link that requests in flight fill, and that all together hold each other up on. */
const link =
  (capacity: number, best: number): Model =>
  (fetches, prefetch) => {
    const inFlight = fetches * prefetch
    return capacity * Math.min(1, inFlight / best) * (inFlight > best ? (best / inFlight) ** 0.5 : 1)
  }

const KNOBS: readonly KnobRange[] = [
  { name: 'fetch.atOnce', min: 4, max: 64, configured: 64 },
  { name: 'fetch.prefetch', min: 2, max: 16, configured: 10 }
]

interface Course {
  state: Climb
  turns: Array<Turn & { window: number }>
}

function run(model: Model, windows: number, seed: number, knobs = KNOBS, noise = 0.02): Course {
  const random = randomOf(seed)
  let state = beginClimb(knobs)
  const turns: Course['turns'] = []
  for (let window = 0; window < windows; window++) {
    const [fetches, prefetch] = valuesOf(state) as [number, number]
    const throughput = model(fetches, prefetch) * (1 + noise * (2 * random() - 1))
    const { next, turn } = climb(state, { throughput, isBusy: true })
    if (turn !== undefined) turns.push({ ...turn, window })
    for (const { value, min, max } of next.knobs) expect(value >= min && value <= max).toBe(true)
    state = next
  }
  return { state, turns }
}

const valuesOf = ({ knobs }: Climb): number[] => knobs.map(({ value }) => value)
const SEEDS = fc.integer({ min: 1, max: 0x7fffffff })

test('whatever is measured, each knob stays between its bounds and moves one step at a time', () => {
  const windows = fc.array(
    fc.record({ throughput: fc.double({ min: 0, max: 1e9, noNaN: true }), isBusy: fc.boolean() }),
    {
      maxLength: 400
    }
  )
  fc.assert(
    fc.property(windows, given => {
      let state = beginClimb(KNOBS)
      for (const window of given) {
        const before = valuesOf(state)
        const { next, turn } = climb(state, window)
        const after = valuesOf(next)
        expect(after.filter((value, index) => value !== before[index]).length).toBe(
          turn === undefined ? 0 : 1
        )
        for (const { value, min, max } of next.knobs) expect(value >= min && value <= max).toBe(true)
        state = next
      }
    }),
    { seed: 6, numRuns: 200 }
  )
})

test('it comes near the best that the bounds allow, from above and from below', () => {
  fc.assert(
    fc.property(SEEDS, fc.integer({ min: 8, max: 1024 }), fc.boolean(), (seed, best, isFromBelow) => {
      const knobs = isFromBelow ? KNOBS.map(knob => ({ ...knob, configured: knob.min })) : KNOBS
      const model = link(100e6, best)
      const [fetches, prefetch] = valuesOf(run(model, 600, seed, knobs).state) as [number, number]
      const [from, to] = [model(knobs[0]!.configured, knobs[1]!.configured), model(fetches, prefetch)]
      // Within a step of the top, and never below where it began.
      expect(to).toBeGreaterThan(0.75 * 100e6)
      expect(to).toBeGreaterThanOrEqual(0.95 * from)
    }),
    { seed: 6, numRuns: 200 }
  )
})

test('at the top it is at rest: of a day, hardly anything is tried in the second half', () => {
  fc.assert(
    fc.property(SEEDS, fc.integer({ min: 16, max: 640 }), (seed, best) => {
      const { turns } = run(link(100e6, best), 8640, seed)
      expect(turns.filter(({ window }) => window > 4320).length).toBeLessThan(120)
    }),
    { seed: 6, numRuns: 20 }
  )
})

test('nothing is turned while little goes on, and what is being tried then is turned back', () => {
  const idle = { throughput: 5, isBusy: false }
  const busy = { throughput: 100, isBusy: true }
  let state = beginClimb(KNOBS)
  for (let at = 0; at < 100; at++) state = climb(state, idle).next
  expect(valuesOf(state)).toEqual([64, 10])
  for (let at = 0; at < 2; at++) state = climb(state, busy).next
  const tried = climb(state, busy)
  expect(tried.turn).toMatchObject({ name: 'fetch.atOnce', from: 64, to: 48, why: 'try' })
  const back = climb(tried.next, idle)
  expect(back.turn).toMatchObject({ name: 'fetch.atOnce', from: 48, to: 64, why: 'idle' })
  expect(valuesOf(back.next)).toEqual([64, 10])
})

/** Measures this throughput once, which takes three windows; the turn that follows. */
function measure(state: Climb, throughput: number, loose: readonly string[] = []): ReturnType<typeof climb> {
  const window = { throughput, isBusy: true, loose }
  return climb(climb(climb(state, window).next, window).next, window)
}

test('what was measured before little went on does not count, and what was turned back then was not in vain', () => {
  const idle = { throughput: 5, isBusy: false }
  const busy = { throughput: 100, isBusy: true }
  let state = beginClimb(KNOBS)
  for (const window of [busy, busy, idle, busy, busy]) {
    const { next, turn } = climb(state, window)
    expect(turn).toBeUndefined()
    state = next
  }
  const back = climb(climb(state, busy).next, idle).next
  expect(back.knobs[0]).toMatchObject({ misses: 0, rests: 0 })
  // The other one has its turn.
  expect(measure(back, 100).turn).toMatchObject({ name: 'fetch.prefetch', why: 'try' })
})

test('a knob rests twice as long after each trial in vain, up to a bound, and as at first after a gain', () => {
  const [first, second] = KNOBS as [KnobRange, KnobRange]
  let state = measure(beginClimb([first, { ...second, min: 10, max: 10 }]), 100).next
  /** The trial under way is in vain; rounds until the next one begins. */
  const restAfterMiss = (throughput: number): number => {
    state = measure(state, throughput).next
    for (let rounds = 0; ; rounds++) {
      const { next, turn } = measure(state, throughput)
      state = next
      if (turn !== undefined) return rounds
    }
  }
  expect([1, 2, 3, 4, 5, 6, 7, 8].map(() => restAfterMiss(100))).toEqual([2, 4, 8, 16, 32, 64, 64, 64])
  const gain = measure(state, 200)
  expect(gain.turn).toMatchObject({ why: 'try', before: 200 })
  state = gain.next
  expect(restAfterMiss(200)).toBe(2)
})

test('a knob that limits nothing is left alone', () => {
  let state = beginClimb(KNOBS)
  for (let at = 0; at < 20; at++) {
    const { next, turn } = measure(state, 100, ['fetch.atOnce'])
    if (turn !== undefined) expect(turn.name).toBe('fetch.prefetch')
    state = next
  }
})

test('a knob whose bounds are one value is left alone', () => {
  const [first, second] = KNOBS as [KnobRange, KnobRange]
  const fixed = [{ ...first, min: 8, max: 8, configured: 8 }, second]
  const { turns } = run(link(100e6, 16), 300, 1, fixed)
  expect(new Set(turns.map(({ name }) => name))).toEqual(new Set(['fetch.prefetch']))
})

const WINDOW_MS = 10_000

/** Settings that are tuned over fetches of which the fewer there are, the more comes. */
function fetchesOf({ auto = false, atOnce = 64, active = 64, waiting = 10 } = {}) {
  const clock = new ManualClock()
  const turns = { maxActive: atOnce, active, waiting }
  const pace = { receivedBytes: 0, prefetch: 10 }
  const told: Array<Record<string, unknown>> = []
  const tuning = new Tuning(
    {
      ...{ turns, pace, clock, logger: silentLogger },
      events: { emit: (type, data) => void told.push({ type, ...data }) }
    },
    {
      fetch: { atOnce, prefetch: 10, maxConnections: 4 },
      tuning: { auto, minAtOnce: 4, maxAtOnce: 64, minPrefetch: 2, maxPrefetch: 16 }
    }
  )
  tuning.start()
  onTestFinished(() => tuning.stop())
  const during = async (windows: number, bytes = 1e10): Promise<void> => {
    for (let at = 0; at < windows; at++) {
      pace.receivedBytes += bytes / turns.maxActive
      await clock.advance(WINDOW_MS, WINDOW_MS)
    }
  }
  return { tuning, clock, turns, pace, told, during }
}

test('what is tuned shows with its reason and as an event, and the configured values hold at once when it is switched off', async () => {
  const { tuning, turns, pace, told, during } = fetchesOf()
  await during(9)
  expect([turns.maxActive, told]).toEqual([64, []])
  tuning.switch(true)
  await during(8)
  expect(turns.maxActive).toBeLessThan(64)
  const [tuned] = tuning.tuned()
  expect(tuned).toMatchObject({ key: 'fetch.atOnce', configured: 64, now: turns.maxActive })
  expect(tuned!.message).toMatch(/^tuned from 48 to 36: to see whether more comes than [\d.]+ MB\/s$/)
  expect(told[0]).toMatchObject({ type: 'tuning', key: 'fetch.atOnce', from: 64, now: 48 })
  tuning.switch(false)
  expect([turns.maxActive, pace.prefetch, tuning.tuned()]).toEqual([64, 10, []])
  expect(told.at(-1)).toMatchObject({ now: 64, message: expect.stringContaining('configured value') })
  tuning.switch(true)
  await during(8)
  expect(turns.maxActive).toBeLessThan(64)
  await tuning.stop()
  expect([turns.maxActive, pace.prefetch]).toEqual([64, 10])
})

test('it is on from the start where it is configured so, from what is configured, be that outside of the bounds', async () => {
  const { turns, during } = fetchesOf({ auto: true, atOnce: 100 })
  await during(3)
  expect(turns.maxActive).toBe(75)
})

test.each([
  ['little comes', { auto: true }, 1e6],
  ['nobody fetches', { auto: true, active: 0, waiting: 0 }, 1e10]
])('nothing is turned while %s', async (_, options, bytes) => {
  const { told, during } = fetchesOf(options)
  await during(9, bytes)
  expect(told).toEqual([])
})

test.each([
  ['free and nobody waits', { active: 32, waiting: 0 }, 'fetch.prefetch', [64, 13]],
  ['nearly all taken', { active: 60, waiting: 0 }, 'fetch.atOnce', [48, 10]]
])('where places are %s, the first that is turned is what limits', async (_, options, key, values) => {
  const { turns, pace, told, during } = fetchesOf({ auto: true, ...options })
  await during(3)
  expect(told).toMatchObject([{ key }])
  expect([turns.maxActive, pace.prefetch]).toEqual(values)
})

test('a window in which it was switched measures nothing', async () => {
  const { tuning, clock, told, pace, during } = fetchesOf({ auto: true })
  await during(1)
  tuning.switch(false)
  await clock.advance(WINDOW_MS / 2)
  pace.receivedBytes += 1e10
  tuning.switch(true)
  await new Promise(resolve => setImmediate(resolve))
  await during(2)
  expect(told).toEqual([])
  await during(1)
  expect(told).toHaveLength(1)
})
