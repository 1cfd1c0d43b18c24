import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { idealMs, type SimSource, simulate } from './swarm-simulator.ts'

const MB = 1_000_000
const source = (name: string, rate: number, more: Partial<SimSource> = {}): SimSource => ({
  name,
  rate,
  latencyMs: 20,
  ...more
})
/** 128 MiB. */
const COUNT = 2048
const BYTES = COUNT * 65_536

describe('the plan of a swarm', () => {
  it('uses what three sources have to give, each by its rate', () => {
    const sources = [source('a', 10 * MB), source('b', 10 * MB), source('c', 10 * MB)]
    const { tookMs, sent, wasted } = simulate(sources, COUNT)
    expect(tookMs).toBeLessThan(1.1 * idealMs(sources, COUNT) + 200)
    for (const bytes of sent.values()) expect(bytes / BYTES).toBeCloseTo(1 / 3, 1)
    expect(wasted / BYTES).toBeLessThan(0.02)
  })

  it('is not held up by a slow source', () => {
    const sources = [source('fast', 40 * MB), source('slow', 0.2 * MB, { latencyMs: 300 })]
    const { tookMs, wasted } = simulate(sources, COUNT)
    expect(tookMs).toBeLessThan(1.1 * idealMs(sources, COUNT) + 300)
    expect(wasted / BYTES).toBeLessThan(0.05)
  })

  it('keeps the order of the walk, nearly', () => {
    const { order } = simulate([source('a', 10 * MB), source('b', 30 * MB)], COUNT)
    const furthest = Math.max(...order.map((number, place) => Math.abs(number - place)))
    expect(furthest * 65_536).toBeLessThan(16 * MB)
  })

  it('goes on at once without a source that left, and without one that fell silent', () => {
    for (const gone of [{ leavesMs: 1000 }, { silentMs: 1000 }]) {
      const sources = [source('a', 20 * MB), source('b', 20 * MB, gone)]
      const { tookMs } = simulate(sources, COUNT)
      expect(tookMs).toBeLessThan(1.1 * (1000 + ((BYTES - 40 * MB) / (20 * MB)) * 1000) + 1000)
    }
  })

  it('takes in a source that comes late', () => {
    const sources = [source('a', 10 * MB), source('b', 30 * MB, { joinsMs: 2000 })]
    const { tookMs } = simulate(sources, COUNT)
    expect(tookMs).toBeLessThan(1.1 * (2000 + ((BYTES - 20 * MB) / (40 * MB)) * 1000) + 200)
  })

  it('asks a second connection to a peer for what the first brings late only when that stands still', () => {
    const ways = (peer: { peer?: string }, gone = {}): SimSource[] => [
      source('a', 9 * MB, peer),
      source('a/1', 0.7 * MB, { ...peer, ...gone })
    ]
    expect(simulate(ways({}), COUNT).wasted).toBeGreaterThan(MB)
    expect(simulate(ways({ peer: 'a' }), COUNT).wasted).toBe(0)
    const { order } = simulate(ways({ peer: 'a' }, { silentMs: 3000 }), COUNT)
    const furthest = Math.max(...order.map((number, place) => place - number))
    expect(furthest * 65_536).toBeLessThan(35 * MB)
  })

  it('takes nothing from a liar', () => {
    const { sent } = simulate([source('a', 10 * MB), source('liar', 50 * MB, { lies: true })], COUNT)
    expect(sent.get('liar')).toBeLessThan(2 * MB)
  })

  it('asks whoever holds everything for what the others lack', () => {
    const half = (rest: number) => ({ isWhole: false, has: (unit: number) => unit % 2 === rest })
    const sources = [
      source('whole', 10 * MB),
      source('even', 10 * MB, { holding: half(0) }),
      source('odd', 10 * MB, { holding: half(1) })
    ]
    const { tookMs } = simulate(sources, COUNT)
    expect(tookMs).toBeLessThan(1.15 * idealMs(sources, COUNT) + 300)
    const early = { isWhole: false, has: (unit: number) => unit < 64 }
    const lopsided = [source('whole', 10 * MB), source('early', 10 * MB, { holding: early })]
    expect(simulate(lopsided, COUNT).tookMs).toBeLessThan(1.3 * idealMs(lopsided, COUNT))
  })

  it('lets go who fell silent, so that what it held is there long before the end', () => {
    const sources = [source('a', 5 * MB), source('b', 5 * MB), source('c', 5 * MB, { silentMs: 1000 })]
    const { tookMs, halfMs, letGo } = simulate(sources, COUNT)
    expect(letGo).toMatchObject([{ key: 'c', why: 'slow' }])
    expect(halfMs / tookMs).toBeLessThan(0.65)
  })

  it('takes no longer beside one that crawls, which is let go, and asks little of it twice', () => {
    const fast = [source('a', 3 * MB), source('b', 3 * MB)]
    const alone = simulate(fast, COUNT)
    for (const rate of [1000, 10_000, 100_000]) {
      const { tookMs, wasted, sent, letGo } = simulate([...fast, source('c', rate)], COUNT)
      expect(tookMs / alone.tookMs).toBeLessThan(1.05)
      expect(letGo.map(({ key }) => key)).toEqual(['c'])
      expect(wasted / BYTES).toBeLessThan(0.02)
      expect((sent.get('c') ?? 0) / BYTES).toBeLessThan(0.01)
    }
  })

  it('comes to the fast one of many holders, although all that it drew from at first are slow', () => {
    const slow = Array.from({ length: 10 }, (_, i) => source(`slow${i}`, 10_000))
    const fast = source('fast', 10 * MB, { joinsMs: 500 })
    const alone = simulate([fast], COUNT)
    const { tookMs, wasted } = simulate([...slow, fast], COUNT)
    // Three trials at most, and all that is asked meanwhile.
    expect(tookMs / alone.tookMs).toBeLessThan(2.5)
    expect(wasted / BYTES).toBeLessThan(0.05)
  })

  it('loses next to nothing by trying others when all are alike', () => {
    const alike = Array.from({ length: 20 }, (_, i) => source(`s${i}`, MB))
    const { tookMs, wasted, letGo } = simulate(alike, COUNT)
    expect(tookMs / simulate(alike.slice(0, 8), COUNT).tookMs).toBeLessThan(1.05)
    expect(wasted / BYTES).toBeLessThan(0.02)
    expect(letGo.every(({ why }) => why === 'makes room')).toBe(true)
  })

  it('goes back to one that was let go when the others are gone', () => {
    const sources = [
      source('a', 5 * MB, { leavesMs: 8000 }),
      source('b', 5 * MB, { leavesMs: 9000 }),
      source('c', 0.2 * MB, { latencyMs: 50 })
    ]
    const { letGo, sent } = simulate(sources, 1400)
    expect(letGo).toMatchObject([{ key: 'c', why: 'slow' }])
    expect(sent.get('c')).toBeGreaterThan(MB)
  })

  it('asks for all that a late source holds, not only for the first of it', () => {
    const sources = [source('a', 3 * MB), source('b', 3 * MB), source('c', 0.2 * MB)]
    const { order, letGo } = simulate(sources, COUNT)
    expect(letGo).toEqual([])
    const furthest = Math.max(...order.map((number, place) => place - number))
    expect(furthest * 65_536).toBeLessThan(35 * MB)
  })

  it('brings everything once, whatever the sources do, as long as one stays', () => {
    const temper = fc.record({
      rate: fc.integer({ min: 100_000, max: 100 * MB }),
      latencyMs: fc.integer({ min: 0, max: 400 }),
      joinsMs: fc.integer({ min: 0, max: 3000 }),
      leavesMs: fc.option(fc.integer({ min: 3001, max: 9000 }), { nil: undefined }),
      silentMs: fc.option(fc.integer({ min: 0, max: 9000 }), { nil: undefined }),
      modulus: fc.integer({ min: 1, max: 5 }),
      lacksSome: fc.boolean(),
      lies: fc.boolean()
    })
    fc.assert(
      fc.property(fc.array(temper, { maxLength: 14 }), fc.integer({ min: 1, max: 400 }), (tempers, count) => {
        const others = tempers.map(
          ({ modulus, lacksSome, leavesMs, silentMs, ...rest }, i): SimSource => ({
            ...rest,
            name: `s${i}`,
            ...(leavesMs !== undefined && { leavesMs }),
            ...(silentMs !== undefined && { silentMs }),
            ...(modulus > 1 && { holding: { isWhole: false, has: unit => unit % modulus === 0 } }),
            ...(lacksSome && { lacks: unit => unit % 3 === 0 })
          })
        )
        const honest = source('honest', 5 * MB)
        const { order, maxInFlight, tookMs } = simulate([honest, ...others], count)
        expect(order.toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i))
        expect(maxInFlight).toBeLessThanOrEqual(8)
        // Never much later than the honest one alone.
        expect(tookMs).toBeLessThan(2 * idealMs([honest], count) + 2500)
      }),
      { numRuns: 150 }
    )
  })
})
