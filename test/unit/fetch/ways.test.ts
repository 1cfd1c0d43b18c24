import { describe, expect, it } from 'vitest'
import { MIB, SECOND_MS } from '../../../base/index.ts'
import {
  type WayKind,
  WayPlan,
  type WaySituation,
  type WayStep
} from '../../../protocols/content/swarm/ways.ts'

/** Bytes a second that each of these ways brings. */
type Rates = (ways: readonly WayKind[], nowMs: number) => number[]

/** A source whose rate depends on the ways to it; lives through seconds as a fetch does. */
class Source {
  readonly ways: WayKind[] = ['quic']
  readonly steps: WayStep[] = []
  readonly #plan = new WayPlan()
  readonly #rates: Rates
  nowMs = 0

  constructor(rates: Rates) {
    this.#rates = rates
  }

  live(
    seconds: number,
    given: Partial<WaySituation> = {},
    opens: (way: WayKind) => boolean = () => true
  ): this {
    for (let tick = 0; tick < seconds * 10; tick++) {
      this.nowMs += TICK_MS
      this.#receive()
      const step = this.#plan.step({
        nowMs: this.nowMs,
        roundTripMs: 20,
        leftBytes: 1000 * MIB,
        ways: this.ways.length,
        maxWays: 4,
        hasTcp: this.ways.includes('tcp'),
        hasRoom: true,
        ...given
      })
      if (step.kind === 'keep') continue
      this.steps.push(step)
      if (step.kind === 'drop') this.ways.pop()
      else this.#open(step.way, opens(step.way))
    }
    return this
  }

  /** Takes a tick, in which the others go on. */
  #open(way: WayKind, isOpened: boolean): void {
    this.nowMs += TICK_MS
    this.#receive()
    if (isOpened) {
      this.ways.push(way)
      this.#plan.opened(this.nowMs)
    } else this.#plan.failed(way, this.nowMs)
  }

  #receive(): void {
    const bytes = this.#rates(this.ways, this.nowMs).map(rate => (rate * TICK_MS) / SECOND_MS)
    const newest = this.ways.length > 1 ? bytes.at(-1)! : 0
    const sum = bytes.reduce((sum, some) => sum + some, 0)
    this.#plan.received(sum, newest, this.nowMs)
  }
}

const TICK_MS = 100
/** Each brings the same, whatever the others do. */
const each =
  (rate: number): Rates =>
  ways =>
    ways.map(() => rate)
/** All share so much. */
const full =
  (rate: number): Rates =>
  ways =>
    ways.map(() => rate / ways.length)

describe('another connection to a source', () => {
  const lossy: Rates = ways => ways.map(way => (way === 'tcp' ? 9_000_000 : 700_000))

  it('is tried over TCP first, a few round trips after the first byte, and kept where that brings more', () => {
    const source = new Source(lossy).live(0.5)
    expect(source.ways).toEqual(['quic', 'tcp'])
    source.live(60)
    // A second QUIC connection beside it is hardly noticed, and is given up for minutes.
    expect(source.ways).toEqual(['quic', 'tcp'])
    expect(source.steps.filter(({ kind }) => kind === 'drop')).toHaveLength(1)
  })

  it('is added up to the limit while each brings a good part more', () => {
    expect(new Source(each(700_000)).live(60).ways).toEqual(['quic', 'tcp', 'quic', 'quic'])
    expect(new Source(each(700_000)).live(60, { maxWays: 2 }).ways).toHaveLength(2)
  })

  it('goes again when the link is full or something else holds back, and is tried again only after minutes', () => {
    const source = new Source(full(5_000_000)).live(4 * 60)
    expect(source.ways).toEqual(['quic'])
    expect(source.steps.map(({ kind }) => kind)).toEqual(['add', 'drop'])
    source.live(3 * 60)
    expect(source.steps).toHaveLength(4)
  })

  it('goes again too when it carries a little more than half of what a limit of the source lets through', () => {
    const limited: Rates = ways =>
      ways.map((_, i) => (ways.length === 1 ? 1 : i === 0 ? 0.45 : 0.55) * 1_000_000)
    expect(new Source(limited).live(10).ways).toEqual(['quic'])
  })

  it('is tried again at once when the link has become worse since', () => {
    let link = full(5_000_000)
    const source = new Source((ways, nowMs) => link(ways, nowMs)).live(10)
    expect(source.steps.map(({ kind }) => kind)).toEqual(['add', 'drop'])
    link = lossy
    expect(source.live(2).ways).toEqual(['quic', 'tcp'])
  })

  it('stays when most comes over it, though the others had more before they lost the first packet', () => {
    const source = new Source((ways, nowMs) =>
      nowMs < 1000 ? ways.map(() => 15_000_000) : lossy(ways, nowMs)
    )
    source.live(10)
    expect(source.ways).toEqual(['quic', 'tcp'])
    expect(source.steps[0]).toEqual({ kind: 'add', way: 'tcp' })
    expect(source.steps[1]).not.toEqual({ kind: 'drop' })
  })

  it('is compared with what came at last before it, not with the slow start of the first', () => {
    const started = (nowMs: number): number => Math.min(5_000_000, 100_000 * 4 ** (nowMs / TICK_MS))
    const source = new Source((ways, nowMs) => ways.map(() => started(nowMs) / ways.length)).live(10)
    expect(source.steps.map(({ kind }) => kind)).toEqual(['add', 'drop'])
  })

  it('is QUIC where the peer has no TCP, and none for a while where that fails too', () => {
    expect(new Source(each(700_000)).live(60, {}, way => way === 'quic').ways).toEqual([
      'quic',
      'quic',
      'quic',
      'quic'
    ])
    const alone = new Source(each(700_000)).live(60, {}, () => false)
    expect(alone.steps).toEqual([
      { kind: 'add', way: 'tcp' },
      { kind: 'add', way: 'quic' }
    ])
  })

  it('is not tried on a short path, a fast one, near the end, without room, or where nothing comes', () => {
    const slow = each(700_000)
    expect(new Source(slow).live(30, { roundTripMs: 1 }).steps).toEqual([])
    expect(new Source(each(25_000_000)).live(30).steps).toEqual([])
    expect(new Source(slow).live(30, { leftBytes: 2 * MIB }).steps).toEqual([])
    expect(new Source(slow).live(30, { leftBytes: 6 * MIB }).ways).toEqual(['quic', 'tcp'])
    expect(new Source(slow).live(30, { leftBytes: 6 * MIB }, way => way === 'quic').ways).toEqual(['quic'])
    expect(new Source(each(15_000_000)).live(30, { leftBytes: 12 * MIB }).steps).toEqual([])
    expect(new Source(slow).live(30, { hasRoom: false }).steps).toEqual([])
    expect(new Source(slow).live(30, { maxWays: 1 }).steps).toEqual([])
    expect(new Source(each(0)).live(30).steps).toEqual([])
  })

  it('is measured for longer where round trips are long', () => {
    const far = new Source(each(100_000))
    expect(far.live(2.4, { roundTripMs: 300 }).steps).toEqual([])
    expect(far.live(0.2, { roundTripMs: 300 }).steps).toHaveLength(1)
    expect(far.live(5.8, { roundTripMs: 300 }).steps).toHaveLength(1)
    expect(far.live(0.2, { roundTripMs: 300 }).steps).toHaveLength(2)
  })
})
