/** Plans of networks, and the order in which their nodes start. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseCounts } from '../../../testnet/network/fits.ts'
import { type NodePlan, neighboursOf, plannedLink, TOPOLOGIES } from '../../../testnet/network/plan.ts'
import { type NodeSaid, startFaults } from '../../../testnet/network/start-check.ts'
import { wavesOf } from '../../../testnet/network/start-order.ts'
import { planNetwork } from '../../../testnet/network/topologies.ts'

const REGIONS = ['eu', 'us', 'ap']
const COUNTS = { seed: 2, publisher: 2, mirror: 3, consumer: 3 }

const node = (name: string, after: string[] = []): NodePlan => ({
  name,
  role: 'consumer',
  region: 'eu',
  after,
  follows: [],
  settings: {},
  limits: {}
})
const namesOf = (waves: NodePlan[][]): string[][] => waves.map(wave => wave.map(({ name }) => name))

describe('the order of starts', () => {
  it('has each node after those it depends on, and as early as that allows', () => {
    const nodes = [node('d', ['b', 'c']), node('b', ['a']), node('c', ['a']), node('a'), node('e')]
    expect(namesOf(wavesOf(nodes))).toEqual([['a', 'e'], ['b', 'c'], ['d']])
  })

  it('names who waits for each other, and who waits for nobody there', () => {
    expect(() => wavesOf([node('a'), node('b', ['c']), node('c', ['b'])])).toThrow(/each other: b, c/)
    expect(() => wavesOf([node('a', ['x'])])).toThrow(/a is to start after x/)
  })

  it('holds for every plan', () => {
    const sizes = fc.record({
      topology: fc.constantFrom(...TOPOLOGIES),
      regions: fc.subarray(REGIONS, { minLength: 1 }),
      counts: fc.record({
        seed: fc.integer({ min: 1, max: 3 }),
        publisher: fc.nat(4),
        mirror: fc.nat(6),
        consumer: fc.nat(6)
      })
    })
    fc.assert(
      fc.property(sizes, size => {
        const { nodes } = planNetwork(size)
        const waves = wavesOf(nodes)
        const waveOf = (name: string): number => waves.findIndex(wave => wave.some(one => one.name === name))
        expect(waves.flat()).toHaveLength(nodes.length)
        for (const { name, after } of nodes)
          for (const other of after) expect(waveOf(other)).toBeLessThan(waveOf(name))
      })
    )
  })
})

describe('a plan', () => {
  const plan = (topology: (typeof TOPOLOGIES)[number]) =>
    planNetwork({ topology, regions: REGIONS, counts: COUNTS })
  const afterOf = (topology: (typeof TOPOLOGIES)[number], name: string): readonly string[] =>
    plan(topology).nodes.find(one => one.name === name)!.after

  it('joins through seeds, through a mirror of the region, or through the one before', () => {
    expect(afterOf('mesh', 'consumer2')).toEqual(['seed1', 'seed2'])
    expect(afterOf('mesh', 'seed2')).toEqual(['seed1'])
    expect(afterOf('hierarchical', 'mirror2')).toEqual(['seed1', 'seed2'])
    expect(afterOf('hierarchical', 'consumer2')).toEqual(['mirror2'])
    expect(afterOf('pipeline', 'consumer1')).toEqual(['mirror3'])
    expect(afterOf('pipeline', 'seed1')).toEqual([])
  })

  it('has its nodes take turns in the regions, whatever their roles', () => {
    const counts = { seed: 1, publisher: 1, consumer: 1 }
    const { nodes } = planNetwork({ topology: 'mesh', regions: ['eu', 'us'], counts })
    expect(nodes.map(({ name, region }) => `${name} ${region}`)).toEqual([
      'seed1 eu',
      'publisher1 us',
      'consumer1 eu'
    ])
  })

  it('has no link to a region without a node', () => {
    const { delaysMs } = planNetwork({ topology: 'mesh', regions: REGIONS, counts: { seed: 2 } })
    expect(Object.keys(delaysMs)).toEqual([`${REGIONS[0]} ${REGIONS[1]}`])
  })

  it('has mirrors follow all publishers, and a link between each two regions', () => {
    const { nodes } = plan('mesh')
    for (const { role, follows } of nodes)
      expect(follows).toEqual(role === 'mirror' ? ['publisher1', 'publisher2'] : [])
    expect(neighboursOf(plan('mesh'), 'us').sort()).toEqual(['ap', 'eu'])
    expect(plannedLink(plan('mesh'), 'us', 'eu')).toMatchObject({ delayMs: 40, lossPercent: 0 })
    expect(() => plannedLink(plan('mesh'), 'us', 'mars')).toThrow(/no link joins us and mars/)
  })

  it('has a seed, and no more nodes than can be run', () => {
    expect(() => planNetwork({ topology: 'mesh', regions: REGIONS, counts: { mirror: 3 } })).toThrow(/seed/)
    for (const regions of [[''], ['a b'], ['../x'], ['eu', 'eu']])
      expect(() => planNetwork({ topology: 'mesh', regions, counts: COUNTS })).toThrow(/region/)
    expect(() => parseCounts('seed=1,seed=2')).toThrow(/twice/)
    const counts = { seed: 1, consumer: 200 }
    expect(() => planNetwork({ topology: 'mesh', regions: REGIONS, counts })).toThrow(/at most 100/)
  })
})

describe('what nodes say of their start', () => {
  const plan = planNetwork({ topology: 'pipeline', regions: ['eu'], counts: { seed: 1, consumer: 1 } })
  const said = (change: Partial<NodeSaid> = {}): NodeSaid[] => [
    { name: 'seed1', peerId: 's', readyAtMs: 1000, peers: ['c'] },
    { name: 'consumer1', peerId: 'c', readyAtMs: 3000, peers: ['s'], ...change }
  ]

  it('shows that the order was kept, or who did not keep it', () => {
    expect(startFaults(plan, said())).toEqual([])
    expect(startFaults(plan, said({ peers: [] }))).toEqual(['consumer1 is not connected with seed1'])
    expect(startFaults(plan, said({ readyAtMs: 500 }))).toEqual(['consumer1 was ready before seed1'])
    expect(startFaults(plan, said().slice(0, 1))).toEqual(['consumer1 says nothing'])
  })
})
