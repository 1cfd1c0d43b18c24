import fc from 'fast-check'
import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import {
  createThrottle,
  type Priority,
  parseClassRate,
  parseRate,
  parseWindow,
  type Throttle,
  type ThrottleOptions
} from '../../../protocols/index.ts'
import { ManualClock } from '../protocols/manual-clock.ts'

const KIB = 1024
const MIB = 1024 * KIB
const STEP_MS = 5

interface Scene {
  clock: ManualClock
  throttle: Throttle
  metrics: Registry
}

const NONE = { up: 0, down: 0 }
const OPTIONS: ThrottleOptions = {
  total: NONE,
  perPeer: NONE,
  windows: [],
  classes: [],
  burst: 256 * KIB,
  isPrivateLimited: false
}

function scene(options: Partial<ThrottleOptions> = {}, isPrivate = false): Scene {
  const clock = new ManualClock()
  const metrics = new Registry()
  const throttle = createThrottle({ clock, metrics, isPrivate: () => isPrivate }, { ...OPTIONS, ...options })
  return { clock, throttle, metrics }
}

/** Somebody who sends as much as he may, piece by piece; what he sent, and when. */
class Sender {
  readonly sent: Array<{ atMs: number; bytes: number }> = []
  readonly #stop = new AbortController()

  constructor({ clock, throttle }: Scene, peerId: string, priority: Priority = 'normal', streams = 1) {
    const run = async (): Promise<void> => {
      const { signal } = this.#stop
      while (!signal.aborted) {
        const bytes = throttle.upload.sliceBytes(peerId, priority) ?? 64 * KIB
        try {
          await throttle.upload.take(peerId, priority, bytes, signal)
        } catch {
          return
        }
        this.sent.push({ atMs: clock.monotonicMs(), bytes })
      }
    }
    for (let i = 0; i < streams; i++) void run()
  }

  bytes(fromMs = 0, toMs = Number.POSITIVE_INFINITY): number {
    return this.sent
      .filter(({ atMs }) => atMs >= fromMs && atMs < toMs)
      .reduce((sum, { bytes }) => sum + bytes, 0)
  }

  stop(): void {
    this.#stop.abort(new Error('stopped'))
  }
}

/** What was granted is noted before the clock moves. */
const turnOfLoop = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/** Lets senders run for a while after the first burst; then the bytes of each. */
async function race(it: Scene, senders: readonly Sender[], forMs: number): Promise<number[]> {
  await turnOfLoop()
  await it.clock.advance(STEP_MS, STEP_MS)
  const fromMs = it.clock.monotonicMs()
  await it.clock.advance(forMs, STEP_MS)
  const got = senders.map(sender => sender.bytes(fromMs))
  for (const sender of senders) sender.stop()
  return got
}

describe('the throttle', () => {
  it('gives a limited peer 95 to 100 % of its rate after the burst, and never more over any window', async () => {
    const burst = 256 * KIB
    const rate = 3 * MIB
    const it = scene({ perPeer: { up: rate, down: 0 }, burst })
    const sender = new Sender(it, 'a', 'normal', 3)
    await turnOfLoop()
    const startMs = it.clock.monotonicMs()
    await it.clock.advance(2000, STEP_MS)
    sender.stop()
    const got = sender.bytes(startMs + 500, startMs + 2000)
    expect(got).toBeLessThanOrEqual(rate * 1.5 + 64 * KIB)
    expect(got).toBeGreaterThanOrEqual(0.95 * rate * 1.5)
    const held = it.throttle.ofPeer('a').burst
    for (const { atMs: fromMs } of sender.sent)
      for (const { atMs: toMs } of sender.sent)
        if (toMs >= fromMs)
          expect(sender.bytes(fromMs, toMs + 1)).toBeLessThanOrEqual((rate * (toMs - fromMs)) / 1000 + held)
  })

  it('divides what all get equally between peers, however many streams each has', async () => {
    const it = scene({ total: { up: 4 * MIB, down: 0 } })
    const senders = [new Sender(it, 'a', 'normal', 8), new Sender(it, 'b'), new Sender(it, 'c', 'normal', 3)]
    const got = await race(it, senders, 1500)
    expect(Math.max(...got) / Math.min(...got)).toBeLessThan(1.1)
  })

  it('serves the urgent first and leaves the others their twentieth', async () => {
    const rate = 4 * MIB
    const it = scene({ total: { up: rate, down: 0 } })
    const senders = [new Sender(it, 'a', 'high'), new Sender(it, 'b', 'normal'), new Sender(it, 'c', 'low')]
    const [high, normal, low] = (await race(it, senders, 2000)) as [number, number, number]
    const total = high + normal + low
    expect(high / total).toBeGreaterThan(0.88)
    for (const reserved of [normal, low]) expect(reserved / total).toBeCloseTo(0.05, 1)
  })

  it('holds the rate of a class, and lets others use what it may not', async () => {
    const it = scene({ total: { up: 4 * MIB, down: 0 }, classes: [parseClassRate('high 1MiB/s')] })
    const [high, low] = (await race(it, [new Sender(it, 'a', 'high'), new Sender(it, 'b', 'low')], 2000)) as [
      number,
      number
    ]
    expect(high / (2 * MIB)).toBeLessThan(1.2)
    expect(low / (6 * MIB)).toBeGreaterThan(0.95)
  })

  it('lets private addresses pass, unless they were given a limit, or all were', async () => {
    const it = scene({ total: { up: MIB, down: MIB }, perPeer: { up: 64 * KIB, down: 0 } }, true)
    const { throttle, clock } = it
    expect(throttle.upload.sliceBytes('a', 'normal')).toBeUndefined()
    await throttle.upload.take('a', 'normal', 100 * MIB)
    throttle.limitPeer('a', { up: 128 * KIB })
    expect(throttle.ofPeer('a')).toEqual({ up: 128 * KIB, down: 0, burst: 256 * KIB, isSet: true })
    const got = await race(it, [new Sender(it, 'a')], 2000)
    expect(got[0]).toBeLessThanOrEqual(2 * 128 * KIB + 64 * KIB)
    expect(got[0]).toBeGreaterThanOrEqual(0.95 * 2 * 128 * KIB)
    throttle.limitPeer('a', undefined)
    expect(throttle.upload.sliceBytes('a', 'normal')).toBeUndefined()
    throttle.configure({
      ...OPTIONS,
      total: { up: MIB, down: 0 },
      burst: 64 * KIB,
      isPrivateLimited: true
    })
    await clock.advance(1, 1)
    const both = await race(it, [new Sender(it, 'a'), new Sender(it, 'b')], 1000)
    expect(both[0]! + both[1]!).toBeLessThanOrEqual(1.06 * MIB)
    expect(both[0]! + both[1]!).toBeGreaterThanOrEqual(0.95 * MIB)
  })

  it('lets who waits go on at once when its limit is lifted', async () => {
    const { throttle, clock } = scene({ perPeer: { up: 32 * KIB, down: 0 }, burst: 64 * KIB })
    const done = throttle.upload.take('a', 'normal', 10 * MIB)
    await clock.advance(20, STEP_MS)
    throttle.limitPeer('a', { up: 0 })
    await done
  })

  it('takes nothing for who gives up, and forgets it', async () => {
    const it = scene({ perPeer: { up: 32 * KIB, down: 0 }, burst: 64 * KIB })
    const { throttle, metrics } = it
    await throttle.upload.take('a', 'normal', 64 * KIB)
    const stop = new AbortController()
    const waiting = throttle.upload.take('a', 'normal', 16 * KIB, stop.signal)
    stop.abort(new Error('no more'))
    await expect(waiting).rejects.toThrow('no more')
    const gauge = await metrics.getSingleMetric('catalog_throttle_upload_waiting_pieces')!.get()
    expect(gauge.values[0]?.value).toBe(0)
  })

  it('keeps a bounded queue: beyond it BUSY, with when to come again', async () => {
    const { throttle, metrics } = scene({ perPeer: { up: 32 * KIB, down: 0 }, burst: 64 * KIB })
    const stop = new AbortController()
    const takes = Array.from({ length: 1000 }, () =>
      throttle.upload.take('a', 'normal', 16 * KIB, stop.signal)
    )
    const settled = Promise.allSettled(takes)
    stop.abort(new Error('end'))
    const codes = (await settled).map(result => (result.status === 'rejected' ? result.reason.code : 'ok'))
    expect(codes.filter(code => code === 'BUSY')).toHaveLength(1000 - 4 - 32)
    expect(await metrics.metrics()).toContain('catalog_throttle_busy_refusals_total{direction="up"} 964')
  })

  it('does not give a new burst to who comes back', async () => {
    const { throttle, clock } = scene({ perPeer: { up: 32 * KIB, down: 0 } })
    await throttle.upload.take('a', 'normal', 256 * KIB)
    let isDone = false
    void throttle.upload.take('a', 'normal', 64 * KIB).then(() => {
      isDone = true
    })
    await clock.advance(1900, 50)
    expect(isDone).toBe(false)
    await clock.advance(200, 50)
    expect(isDone).toBe(true)
  })

  it('follows the windows of the day', async () => {
    const it = scene({ total: { up: 0, down: 0 } })
    const now = new Date(it.clock.now())
    const minute = 60 * now.getHours() + now.getMinutes()
    const time = (at: number): string => {
      const wrapped = (at + 1440) % 1440
      return [Math.floor(wrapped / 60), wrapped % 60].map(part => String(part).padStart(2, '0')).join(':')
    }
    const limitAt = (...windows: string[]): number =>
      createThrottle(
        { clock: it.clock, isPrivate: () => false },
        {
          total: { up: 7 * MIB, down: 0 },
          perPeer: NONE,
          windows: windows.map(parseWindow),
          classes: [],
          burst: MIB,
          isPrivateLimited: true
        }
      ).ofAll().up
    expect(limitAt(`${time(minute)}-${time(minute + 1)} 5MiB/s`)).toBe(5 * MIB)
    expect(limitAt(`${time(minute - 1)}-${time(minute)} 5MiB/s`)).toBe(7 * MIB)
    expect(
      limitAt(`${time(minute - 1)}-${time(minute)} 5MiB/s`, `${time(minute)}-${time(minute - 1)} 0`)
    ).toBe(0)
    expect(limitAt(`${time(minute)}-${time(minute + 1)} down 5MiB/s`)).toBe(7 * MIB)
  })

  it('opens no more transfers than get on', () => {
    const { throttle } = scene({ total: { up: MIB, down: 0 }, perPeer: { up: 100 * KIB, down: 0 } })
    expect(throttle.upload.places('a')).toEqual({ ofPeer: 3, total: 32 })
    expect(throttle.download.places('a').total).toBe(Number.POSITIVE_INFINITY)
  })
})

describe('limits as they are written', () => {
  it('read windows, rates and classes', () => {
    expect(parseWindow('08:00-18:30 5MiB/s')).toEqual({
      direction: 'up',
      fromMinute: 480,
      toMinute: 1110,
      rate: 5 * MIB
    })
    expect(parseWindow('22:00-24:00 down 0')).toMatchObject({ direction: 'down', toMinute: 1440, rate: 0 })
    expect(parseClassRate('low down 1MB/s')).toEqual({ priority: 'low', direction: 'down', rate: 1e6 })
    expect(parseRate('32KiB')).toBe(32 * KIB)
  })

  it('refuse everything else with INVALID_ARGUMENT', () => {
    const refused = expect.objectContaining({ code: 'INVALID_ARGUMENT' })
    const tryParse = (parse: (text: string) => unknown, text: string): unknown => {
      try {
        return parse(text)
      } catch (error) {
        return error
      }
    }
    for (const text of [
      '',
      '8-18 5MB',
      '08:60-09:00 5MB',
      '25:00-26:00 5MB',
      '08:00-18:00 5MB/h',
      '08:00-18:00 1B'
    ])
      expect(tryParse(parseWindow, text)).toEqual(refused)
    for (const text of ['urgent 5MB', 'low', 'low sideways 5MB', 'low 100B'])
      expect(tryParse(parseClassRate, text)).toEqual(refused)
    fc.assert(
      fc.property(fc.string(), text => {
        for (const parse of [parseWindow, parseClassRate, parseRate]) {
          const result = tryParse(parse, text)
          if (result instanceof Error) expect(result).toEqual(refused)
        }
      })
    )
  })
})
