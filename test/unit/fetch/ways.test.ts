import { describe, expect, it } from 'vitest'
import { MIB, SECOND_MS } from '../../../base/index.ts'
import {
  type WayKind,
  WayPlan,
  type WaySituation,
  type WayStep
} from '../../../protocols/content/swarm/ways.ts'

/** A source whose total rate depends on the ways to it; lives through seconds as a fetch does. */
class Source {
  readonly ways: WayKind[] = ['quic']
  readonly steps: WayStep[] = []
  readonly #plan = new WayPlan(0)
  readonly #rate: (ways: readonly WayKind[]) => number
  #nowMs = 0

  constructor(rate: (ways: readonly WayKind[]) => number) {
    this.#rate = rate
  }

  live(
    seconds: number,
    given: Partial<WaySituation> = {},
    opens: (way: WayKind) => boolean = () => true
  ): this {
    for (let tick = 0; tick < seconds * 10; tick++) {
      this.#nowMs += SECOND_MS / 10
      this.#plan.received(this.#rate(this.ways) / 10)
      const step = this.#plan.step({
        nowMs: this.#nowMs,
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
      else if (opens(step.way)) {
        this.ways.push(step.way)
        this.#plan.opened(this.#nowMs)
      } else this.#plan.failed(step.way, this.#nowMs)
    }
    return this
  }
}

const count = (ways: readonly WayKind[], kind: WayKind): number => ways.filter(way => way === kind).length

describe('another connection to a source', () => {
  it('is tried over TCP first, and kept where that brings more', () => {
    const lossy = new Source(ways => 700_000 * count(ways, 'quic') + 9_000_000 * count(ways, 'tcp'))
    lossy.live(3)
    expect(lossy.ways).toEqual(['quic', 'tcp'])
    lossy.live(60)
    // A second QUIC connection beside it is hardly noticed, and is given up for minutes.
    expect(lossy.ways).toEqual(['quic', 'tcp'])
    expect(lossy.steps.filter(({ kind }) => kind === 'drop')).toHaveLength(1)
  })

  it('is added up to the limit while each brings a good part more', () => {
    const each = new Source(ways => 700_000 * ways.length).live(60)
    expect(each.ways).toEqual(['quic', 'tcp', 'quic', 'quic'])
    expect(new Source(ways => 700_000 * ways.length).live(60, { maxWays: 2 }).ways).toHaveLength(2)
  })

  it('goes again when the link is full or something else holds back, and is tried again only after minutes', () => {
    const full = new Source(() => 5_000_000).live(4 * 60)
    expect(full.ways).toEqual(['quic'])
    expect(full.steps.map(({ kind }) => kind)).toEqual(['add', 'drop'])
    full.live(3 * 60)
    expect(full.steps).toHaveLength(4)
  })

  it('is QUIC where the peer has no TCP, and none for a while where that fails too', () => {
    const each = (ways: readonly WayKind[]): number => 700_000 * ways.length
    expect(new Source(each).live(60, {}, way => way === 'quic').ways).toEqual([
      'quic',
      'quic',
      'quic',
      'quic'
    ])
    const alone = new Source(each).live(60, {}, () => false)
    expect(alone.steps).toEqual([
      { kind: 'add', way: 'tcp' },
      { kind: 'add', way: 'quic' }
    ])
  })

  it('is not tried on a short path, a fast one, near the end, without room, or where nothing comes', () => {
    const slow = (): number => 700_000
    expect(new Source(slow).live(30, { roundTripMs: 1 }).steps).toEqual([])
    expect(new Source(() => 25_000_000).live(30).steps).toEqual([])
    expect(new Source(slow).live(30, { leftBytes: 2 * MIB }).steps).toEqual([])
    expect(new Source(slow).live(30, { hasRoom: false }).steps).toEqual([])
    expect(new Source(slow).live(30, { maxWays: 1 }).steps).toEqual([])
    expect(new Source(() => 0).live(30).steps).toEqual([])
  })

  it('is measured for longer where round trips are long', () => {
    const far = new Source(ways => 100_000 * ways.length)
    expect(far.live(5.5, { roundTripMs: 300 }).steps).toEqual([])
    expect(far.live(1, { roundTripMs: 300 }).steps).toHaveLength(1)
  })
})
