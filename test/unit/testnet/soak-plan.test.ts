/** What a soak does is decided before, by its seed: which faults come when, and what each user does. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HOUR_MS, MINUTE_MS } from '../../../base/index.ts'
import { planNetwork } from '../../../testnet/network/topologies.ts'
import { endsProcess, faultPlan, nodeOf, steadyNodes } from '../../../testnet/soak/fault-plan.ts'
import { OPERATIONS, UserPlan } from '../../../testnet/soak/load-plan.ts'
import { soakScenario } from '../../../testnet/soak/scenario.ts'

const { size } = soakScenario({ forMs: HOUR_MS, seed: '1' }).scenario
const PLAN = planNetwork(size)

describe('the plan of faults', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(faultPlan(PLAN, '1', HOUR_MS)).toEqual(faultPlan(PLAN, '1', HOUR_MS))
    expect(faultPlan(PLAN, '1', HOUR_MS)).not.toEqual(faultPlan(PLAN, '2', HOUR_MS))
  })

  it('is over at the end, overlaps nowhere, and lets one node of each role live', () => {
    const steady = steadyNodes(PLAN)
    expect(steady.toSorted()).toEqual(['consumer1', 'mirror1', 'publisher1', 'seed1'])
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: MINUTE_MS, max: 3 * HOUR_MS }), (seed, lengthMs) => {
        const plan = faultPlan(PLAN, seed, lengthMs)
        for (const [at, { atMs, forMs, fault }] of plan.entries()) {
          expect(atMs + forMs).toBeLessThanOrEqual(lengthMs)
          if (endsProcess(fault)) expect(steady).not.toContain(nodeOf(fault))
          // Its two regions have one link: whatever is not done to a node is done to that, a partition too.
          for (const other of plan.slice(at + 1))
            if (nodeOf(other.fault) === nodeOf(fault)) expect(other.atMs).toBeGreaterThan(atMs + forMs)
        }
      }),
      { seed: 1, numRuns: 50 }
    )
  })

  it('of an hour has every kind', () => {
    const kinds = new Set(faultPlan(PLAN, '1', HOUR_MS).map(({ fault }) => fault.kind))
    expect(kinds.size).toBe(12)
  })
})

describe('the plan of a user', () => {
  const take = (seed: string, node: string, role: 'publisher' | 'consumer' | 'mirror' | 'seed') => {
    const plan = new UserPlan(seed, node, role)
    return Array.from({ length: 2000 }, () => plan.next())
  }

  it('is the same for the same seed, and another for each node', () => {
    expect(take('1', 'a', 'consumer')).toEqual(take('1', 'a', 'consumer'))
    expect(take('1', 'a', 'consumer')).not.toEqual(take('1', 'b', 'consumer'))
    expect(take('1', 'a', 'consumer')).not.toEqual(take('2', 'a', 'consumer'))
  })

  it('does in the roles together all that there is, and each what its role does', () => {
    const kindsOf = (role: Parameters<typeof take>[2]): Set<string> =>
      new Set(take('1', 'n', role).map(({ kind }) => kind))
    const all = (['seed', 'publisher', 'mirror', 'consumer'] as const).flatMap(role => [...kindsOf(role)])
    expect([...new Set(all)].toSorted()).toEqual([...OPERATIONS].toSorted())
    expect(kindsOf('consumer')).not.toContain('publish')
    expect(kindsOf('mirror')).not.toContain('follow')
  })

  it('pauses, and publishes, within its bounds', () => {
    for (const { afterMs, pick, sizeBytes } of take('1', 'n', 'publisher')) {
      expect(afterMs).toBeLessThanOrEqual(15_000)
      expect(pick).toBeLessThan(1)
      expect(sizeBytes).toBeGreaterThanOrEqual(1024)
      expect(sizeBytes).toBeLessThanOrEqual(512 * 1024)
    }
  })
})
