/** Faults: each is taken back, whatever happens, and a seed decides when they come. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../base/index.ts'
import { ActiveFaults } from '../../../testnet/faults/active-faults.ts'
import { describeFault, type Fault, type FaultKind } from '../../../testnet/faults/fault.ts'
import { scheduleFaults } from '../../../testnet/faults/schedule.ts'
import { fakeNetwork, PLAN } from './fake-network.ts'

const signal = new AbortController().signal
const between = ['us', 'eu'] as const

/** What each does to a network, and what takes it back. */
const CASES: Array<[Fault, string[], string[]]> = [
  [{ kind: 'latency', between, delayMs: 300 }, ['link us eu {"delayMs":300}'], ['link us eu {"delayMs":40}']],
  [
    { kind: 'loss', between, lossPercent: 5 },
    ['link us eu {"lossPercent":5}'],
    ['link us eu {"lossPercent":0}']
  ],
  [{ kind: 'rate', between, rateMbit: 2 }, ['link us eu {"rateMbit":2}'], ['link us eu {"rateMbit":0}']],
  [{ kind: 'partition', region: 'us' }, ['cut us eu', 'cut us ap'], ['restore us eu', 'restore us ap']],
  [{ kind: 'kill', node: 'mirror1' }, ['kill mirror1'], ['start mirror1']],
  [{ kind: 'pause', node: 'mirror1' }, ['pause mirror1'], ['resume mirror1']],
  [{ kind: 'restart', node: 'mirror1' }, ['stop mirror1', 'start mirror1'], []],
  [{ kind: 'disk-full', node: 'consumer1', leaveBytes: 0 }, ['fill consumer1 0'], ['free consumer1']],
  [
    { kind: 'slow-disk', node: 'mirror1', diskDelayMs: 50 },
    ['hooks mirror1 {"diskDelayMs":50}'],
    ['hooks mirror1 {}']
  ],
  [
    { kind: 'clock-skew', node: 'mirror1', clockOffsetMs: 9 },
    ['hooks mirror1 {"clockOffsetMs":9}'],
    ['hooks mirror1 {}']
  ],
  [{ kind: 'cpu-pressure', node: 'mirror1', processes: 1 }, ['beside mirror1'], ['end mirror1']]
]
const KINDS: FaultKind[] = [...CASES.map(([{ kind }]) => kind), 'corrupt-segment']

function newFaults() {
  const network = fakeNetwork()
  return { network, faults: new ActiveFaults({ network, clock: systemClock }) }
}

describe('a fault', () => {
  it.each(CASES)('%j is given and taken back', async (fault, given, taken) => {
    const { network, faults } = newFaults()
    await faults.apply(fault, signal)
    expect(network.done).toEqual(given)
    network.done.length = 0
    await faults.revertAll()
    await faults.revertAll()
    expect(network.done).toEqual(taken)
    expect(faults.results).toMatchObject([{ kind: fault.kind, revertedAtMs: expect.any(Number) }])
    expect(faults.results[0]!.description).toBe(describeFault(fault))
  })

  it('changes bytes at rest where the seed says', async () => {
    const run = async (seed: string): Promise<string[]> => {
      const { network, faults } = newFaults()
      await faults.apply({ kind: 'corrupt-segment', node: 'mirror1', bytes: 3, seed }, signal)
      return network.done
    }
    expect(await run('1')).toHaveLength(3)
    expect(await run('1')).toEqual(await run('1'))
    expect(await run('1')).not.toEqual(await run('2'))
  })

  it('keeps another of the same node when it goes', async () => {
    const { network, faults } = newFaults()
    const slow = await faults.apply({ kind: 'slow-disk', node: 'mirror1', diskDelayMs: 50 }, signal)
    await faults.apply({ kind: 'clock-skew', node: 'mirror1', clockOffsetMs: 9 }, signal)
    await faults.revert(slow, signal)
    expect(network.done.at(-1)).toBe('hooks mirror1 {"clockOffsetMs":9}')
  })

  it('that fails half-way is taken back at once', async () => {
    const { network, faults } = newFaults()
    network.failing.set('cut us ap', new Error('no'))
    await expect(faults.apply({ kind: 'partition', region: 'us' }, signal)).rejects.toThrow('no')
    expect(network.done).toContain('restore us eu')
  })

  it('that cannot be taken back keeps no other from it, and is told', async () => {
    const { network, faults } = newFaults()
    for (const node of ['mirror1', 'mirror2', 'consumer1'])
      await faults.apply({ kind: 'pause', node }, signal)
    network.failing.set('resume mirror2', new Error('stuck'))
    await expect(faults.revertAll()).rejects.toThrow('stuck')
    expect(network.done.slice(3)).toEqual(['resume consumer1', 'resume mirror2', 'resume mirror1'])
    expect(faults.results.map(({ error }) => error)).toEqual([undefined, 'stuck', undefined])
  })

  it('whose taking back was broken off is taken back at the end', async () => {
    const { network, faults } = newFaults()
    const killed = await faults.apply({ kind: 'kill', node: 'mirror1' }, signal)
    const node = network.node('mirror1')
    const { start } = node
    const broken = Promise.withResolvers<number>()
    const begun = Promise.withResolvers<void>()
    node.start = () => {
      begun.resolve()
      return broken.promise
    }
    const first = expect(faults.revert(killed, signal)).rejects.toThrow('interrupted')
    await begun.promise
    node.start = start
    const all = faults.revertAll()
    broken.reject(new Error('interrupted'))
    await Promise.all([first, all])
    expect(network.done).toEqual(['kill mirror1', 'start mirror1'])
    expect(faults.results).toMatchObject([{ revertedAtMs: expect.any(Number) }])
    expect(faults.results[0]!.error).toBeUndefined()
  })

  it('that is still being given is taken back when it has been, and none is given afterwards', async () => {
    const { network, faults } = newFaults()
    const node = network.node('mirror1')
    const { pause } = node
    const busy = Promise.withResolvers<void>()
    node.pause = async () => {
      await busy.promise
      await pause()
    }
    const ended = new AbortController()
    const given = faults.apply({ kind: 'pause', node: 'mirror1' }, ended.signal)
    ended.abort(new Error('interrupted'))
    const all = faults.revertAll()
    busy.resolve()
    await Promise.all([given, all])
    await expect(faults.apply({ kind: 'kill', node: 'mirror1' }, ended.signal)).rejects.toThrow('interrupted')
    expect(network.done).toEqual(['pause mirror1', 'resume mirror1'])
  })

  it('that is taken back twice at once is taken back once', async () => {
    const { network, faults } = newFaults()
    const node = network.node('mirror1')
    const { resume } = node
    const busy = Promise.withResolvers<void>()
    node.resume = async () => {
      await busy.promise
      await resume()
    }
    const paused = await faults.apply({ kind: 'pause', node: 'mirror1' }, new AbortController().signal)
    const twice = [1, 2].map(() => faults.revert(paused, new AbortController().signal))
    busy.resolve()
    await Promise.all(twice)
    expect(network.done).toEqual(['pause mirror1', 'resume mirror1'])
  })
})

describe('a schedule', () => {
  it('is decided by its seed, comes and goes in time, and names what there is', () => {
    const options = fc.record({
      seed: fc.string(),
      count: fc.nat(20),
      lastMs: fc.integer({ min: 5000, max: 60_000 })
    })
    fc.assert(
      fc.property(options, given => {
        const schedule = scheduleFaults(PLAN, { ...given, kinds: KINDS, forMs: 2000 })
        expect(schedule).toEqual(scheduleFaults(PLAN, { ...given, kinds: KINDS, forMs: 2000 }))
        expect(schedule).toHaveLength(given.count)
        for (const { atMs, forMs, fault } of schedule) {
          expect(atMs + forMs).toBeLessThanOrEqual(given.lastMs)
          expect(forMs).toBeGreaterThanOrEqual(2000)
          expect(JSON.stringify(fault)).not.toContain('seed1')
          if (fault.kind === 'disk-full') expect(fault.node).toBe('consumer1')
        }
        const times = schedule.map(({ atMs }) => atMs)
        expect(times).toEqual(times.toSorted((a, b) => a - b))
      })
    )
    const of = (seed: string) =>
      scheduleFaults(PLAN, { seed, kinds: KINDS, count: 10, lastMs: 60_000, forMs: 2000 })
    expect(of('1')).not.toEqual(of('2'))
  })

  it('leaves out what the network has no place for', () => {
    const options = { seed: '1', count: 5, lastMs: 10_000, forMs: 1000 }
    const oneRegion = { ...PLAN, delaysMs: {} }
    expect(scheduleFaults(oneRegion, { ...options, kinds: ['latency', 'partition'] })).toEqual([])
  })
})
