/** The judge of the soak: what leaks is found whatever the noise, what does not is let be, and each life is judged by itself. */
import { describe, expect, it } from 'vitest'
import { HOUR_MS, MIB, MINUTE_MS, SECOND_MS } from '../../../base/index.ts'
import { Random } from '../../../testnet/simulator/random.ts'
import { NodeHistory, type Sample } from '../../../testnet/soak/history.ts'
import { judge, type Seen } from '../../../testnet/soak/judge.ts'
import { Series } from '../../../testnet/soak/series.ts'
import { trendOf } from '../../../testnet/soak/trend.ts'

const MEMORY = 'memory does not grow'
const FILES = 'open files do not grow'
const LOOPS = 'event loops are not held up'
const ENDS = 'every process ended only when a fault ended it'
const ERRORS = 'no node met an error that nobody had thought of'
const USERS = 'what users did went well but for some of it'

const EVERY_MS = 10 * SECOND_MS

interface Shape {
  readonly fromMs?: number
  readonly forMs?: number
  /** By how long the process runs. */
  rss?(upMs: number): number
  files?(upMs: number): number
  loopMs?(upMs: number): number
  readonly errors?: Sample['errors']
}

/** One life of a node whose memory goes up and down by 20 MiB as garbage comes and goes, and jumps at times. */
function live(history: NodeHistory, random: Random, shape: Shape): void {
  const { fromMs = 0, forMs = HOUR_MS, rss = () => 120 * MIB, files = () => 40, loopMs = () => 3 } = shape
  for (let upMs = EVERY_MS; upMs <= forMs; upMs += EVERY_MS) {
    const jump = random.chance(0.05) ? 60 * MIB : 0
    history.add({
      atMs: fromMs + upMs,
      uptimeMs: upMs,
      rssBytes: rss(upMs) + random.between(-20 * MIB, 20 * MIB) + jump,
      openFiles: Math.round(files(upMs)) + random.between(0, 8),
      loopP99Ms: loopMs(upMs) + random.between(0, 4),
      errors: shape.errors ?? {}
    })
  }
}

function seen(shapes: readonly Shape[], more: Partial<Seen> = {}): Seen {
  const history = new NodeHistory('n1')
  const random = new Random('noise')
  for (const shape of shapes) live(history, random, shape)
  const referenceLoop = new Series()
  for (let minute = 1; minute <= 60; minute++) referenceLoop.add(minute * MINUTE_MS, 2)
  return {
    histories: [history],
    referenceLoop,
    endsOf: () => shapes.length - 1,
    faultProblems: [],
    failed: {},
    done: 1000,
    messages: [],
    ...more
  }
}

describe('memory', () => {
  it('that is noisy and flat once caches are full, for most of the warming up, is well', () => {
    const warm = (upMs: number): number => (80 + 80 * Math.min(1, upMs / (12 * MINUTE_MS))) * MIB
    expect(judge[MEMORY]!(seen([{ forMs: 30 * MINUTE_MS, rss: warm }]))).toEqual({ state: 'passed' })
  })

  it('that leaks a MiB a minute under the same noise is found', () => {
    const leaking = (upMs: number): number => 120 * MIB + (upMs / MINUTE_MS) * MIB
    expect(judge[MEMORY]!(seen([{ rss: leaking }]))).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(/n1 grew by 4\d\.\d MiB in 44m50s/)
    })
  })

  it('of a process that starts small again after a restart is judged by its own lives', () => {
    const lives = [
      { forMs: 30 * MINUTE_MS, rss: () => 90 * MIB },
      { fromMs: 31 * MINUTE_MS, forMs: 29 * MINUTE_MS, rss: () => 190 * MIB }
    ]
    expect(judge[MEMORY]!(seen(lives))).toEqual({ state: 'passed' })
  })

  it('that leaks in the second life only is found', () => {
    const leaking = (upMs: number): number => 90 * MIB + 2 * (upMs / MINUTE_MS) * MIB
    const lives = [{ forMs: 20 * MINUTE_MS }, { fromMs: 21 * MINUTE_MS, forMs: 40 * MINUTE_MS, rss: leaking }]
    expect(judge[MEMORY]!(seen(lives)).state).toBe('failed')
  })

  it('of lives that are all too short is not judged', () => {
    const short = Array.from({ length: 6 }, (_, at) => ({
      fromMs: at * 10 * MINUTE_MS,
      forMs: 9 * MINUTE_MS
    }))
    expect(judge[MEMORY]!(seen(short))).toMatchObject({ state: 'skipped', reason: expect.any(String) })
  })
})

describe('open files', () => {
  it('that come and go are well, and those that stay open are found', () => {
    expect(judge[FILES]!(seen([{}]))).toEqual({ state: 'passed' })
    const leaking = (upMs: number): number => 40 + upMs / MINUTE_MS
    expect(judge[FILES]!(seen([{ files: leaking }]))).toMatchObject({ state: 'failed' })
  })

  it('are too many at once, however short', () => {
    const burst = (upMs: number): number => (upMs === 20 * MINUTE_MS ? 300 : 40)
    expect(judge[FILES]!(seen([{ files: burst }])).reason).toMatch(/n1 had 30\d open/)
  })
})

describe('event loops', () => {
  it('are compared with what the machine does to a thread with little work', () => {
    const slow = new Series()
    for (let minute = 1; minute <= 60; minute++) slow.add(minute * MINUTE_MS, 60)
    expect(judge[LOOPS]!(seen([{ loopMs: () => 60 }], { referenceLoop: slow }))).toEqual({ state: 'passed' })
    expect(judge[LOOPS]!(seen([{ loopMs: () => 60 }]))).toMatchObject({ state: 'failed' })
  })

  it('that are held up in some minutes for long are found', () => {
    const stalled = (upMs: number): number => (upMs % (10 * MINUTE_MS) < MINUTE_MS ? 800 : 3)
    expect(judge[LOOPS]!(seen([{ loopMs: stalled }])).reason).toMatch(/a twentieth of minutes/)
  })
})

describe('processes and errors', () => {
  it('one that ended by itself is found, also when a fault had it started again before it was seen', () => {
    const twice = [{ forMs: 20 * MINUTE_MS }, { fromMs: 21 * MINUTE_MS, forMs: 30 * MINUTE_MS }]
    expect(judge[ENDS]!(seen(twice))).toEqual({ state: 'passed' })
    expect(judge[ENDS]!(seen(twice, { endsOf: () => 0 })).reason).toBe('n1 had 2 processes, 1 were asked for')
    const ended = seen([{}])
    ended.histories[0]!.addEnd('stopped by itself')
    expect(judge[ENDS]!(ended).reason).toBe('n1 stopped by itself')
  })

  it('one whose answers came late is the same all the time', () => {
    const history = new NodeHistory('n1')
    const sample = { rssBytes: 1, openFiles: 1, errors: {} }
    for (const [atMs, lateMs] of [
      [60_000, 0],
      [70_000, 9000],
      [75_000, 0],
      [88_000, 12_000]
    ] as const)
      history.add({ atMs, uptimeMs: atMs - lateMs - 1000, ...sample })
    expect(history.starts).toBe(1)
    history.add({ atMs: 95_000, uptimeMs: 2000, ...sample })
    expect(history.starts).toBe(2)
  })

  it('one that has run for longer than the one before it, unseen, is another', () => {
    const history = new NodeHistory('n1')
    history.add({ atMs: 5000, uptimeMs: 3000, rssBytes: 1, openFiles: 1, errors: {} })
    history.add({ atMs: 60_000, uptimeMs: 20_000, rssBytes: 1, openFiles: 1, errors: {} })
    expect(history.starts).toBe(2)
  })

  it('an error that nobody had thought of counts, in any life, one that faults bring does not', () => {
    const lives: Shape[] = [
      { forMs: 20 * MINUTE_MS, errors: { INTERNAL: 2, TIMEOUT: 7 } },
      { fromMs: 21 * MINUTE_MS, forMs: 20 * MINUTE_MS, errors: { INTERNAL: 1 } }
    ]
    expect(judge[ERRORS]!(seen(lives, { messages: ['why'] })).reason).toBe('the log of n1: 3 INTERNAL; why')
    expect(judge[ERRORS]!(seen([{ errors: { TIMEOUT: 7 } }], { failed: { NO_PROVIDERS: 3 } }))).toEqual({
      state: 'passed'
    })
    expect(judge[ERRORS]!(seen([{}], { failed: { HUNG: 1 } })).reason).toBe('users: 1 HUNG')
  })

  it('some of what users do may fail, and not a lot', () => {
    expect(judge[USERS]!(seen([], { failed: { TIMEOUT: 50 } }))).toEqual({ state: 'passed' })
    expect(judge[USERS]!(seen([], { failed: { TIMEOUT: 500 } })).reason).toMatch(/500 of 1500/)
    expect(judge[USERS]!(seen([], { done: 3 })).state).toBe('skipped')
  })
})

describe('series', () => {
  it('of two days have bounded room and the same trend', () => {
    const series = new Series()
    for (let at = 0; at < 20_000; at++) series.add(at * EVERY_MS, 3 * at)
    expect(series.points.length).toBeLessThan(480)
    expect(series.points.length).toBeGreaterThanOrEqual(240)
    expect(trendOf(series.points)! * EVERY_MS).toBeCloseTo(3, 6)
    const gaps = series.points.slice(1).map(({ atMs }, at) => atMs - series.points[at]!.atMs)
    expect(new Set(gaps).size).toBe(1)
  })

  it('have no trend with fewer than two instants', () => {
    expect(trendOf([{ atMs: 1, value: 1 }])).toBeUndefined()
  })
})
