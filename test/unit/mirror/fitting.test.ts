/** What fits into quota, share and budget; what a node does that leaves; how many copies a strategy makes; what is bounded. */
import { describe, expect, test } from 'vitest'
import { HOUR_MS } from '../../../base/index.ts'
import {
  type Candidate,
  FRESH_MS,
  MirrorPlanner,
  type MirrorPolicy,
  type PeerState,
  PROOF_LIFETIME_MS
} from '../../../mirror/index.ts'
import { contentWords } from '../../../mirror/placement/cost.ts'
import { contentAt, describeAction, MEMBERS, One, roster } from './one.ts'
import { candidateOf, contentOf, MB, memberOf, membersOf, NOW_MS, POLICY, PRESENT } from './support.ts'

describe('what fits', () => {
  const nodeOf = (policy: Partial<MirrorPolicy>): MirrorPlanner => {
    const planner = new MirrorPlanner({ self: memberOf(0), policy: { ...POLICY, ...policy } })
    planner.setMembers('all', [memberOf(0), memberOf(1)])
    return planner
  }

  test('is a tenth of the quota for one owner, and the quota for all', () => {
    const planner = nodeOf({ quotaBytes: 20 * MB })
    for (let at = 0; at < 40; at++)
      planner.setRelease(candidateOf(`c${at}`, { owner: `o${at % 20}` }), NOW_MS)
    const { actions, heldBack } = planner.plan(NOW_MS)
    expect(actions).toHaveLength(20)
    const ofOne = nodeOf({ quotaBytes: 20 * MB })
    for (let at = 0; at < 40; at++) ofOne.setRelease(candidateOf(`c${at}`), NOW_MS)
    expect(ofOne.plan(NOW_MS).actions).toHaveLength(2)
    expect(ofOne.plan(NOW_MS).heldBack[0]).toMatchObject({ because: 'owner' })
    expect(heldBack).toHaveLength(20)
    expect(heldBack[0]).toMatchObject({ because: 'quota' })
  })

  test('is what the hour allows, begun in the order of what is wanted most', () => {
    const planner = nodeOf({ repairBudgetBytes: 3 * MB })
    for (let at = 0; at < 9; at++)
      planner.setRelease(candidateOf(`c${at}`, { demand: { count: at / 10, askers: 2 } }), NOW_MS)
    const { actions, heldBack, nextMs } = planner.plan(NOW_MS)
    expect(actions.map(({ name }) => name)).toEqual(['c8', 'c7', 'c6'])
    expect(heldBack[0]).toMatchObject({ because: 'budget' })
    expect(nextMs).toBe(NOW_MS)
    for (const { name } of actions) planner.setRelease(candidateOf(name, { have: 'coming' }), NOW_MS)
    expect(planner.plan(NOW_MS).actions).toEqual([])
    expect(planner.plan(NOW_MS).nextMs).toBeGreaterThan(NOW_MS)
    expect(planner.plan(NOW_MS + HOUR_MS / 3).actions).toHaveLength(1)
    expect(planner.plan(NOW_MS).usedBytes).toBe(3 * MB)
  })

  test('makes room for what is more urgent, of what enough others hold before this node', () => {
    const { text: surplus, order } = contentAt(5)
    const { text: needed } = contentAt(0)
    const planner = new MirrorPlanner({
      self: memberOf(0),
      policy: { ...POLICY, quotaBytes: 10 * MB }
    })
    planner.setMembers('all', MEMBERS)
    planner.setRelease(candidateOf(surplus, { have: 'mirror', bytes: 10 * MB, owner: 'a' }), NOW_MS)
    planner.setRelease(candidateOf(needed, { owner: 'b' }), NOW_MS)
    const key = contentOf(surplus).toString()
    planner.setKnown(key, NOW_MS)
    expect(planner.plan(NOW_MS).actions).toEqual([])
    planner.prove(key, order[0]!, NOW_MS)
    expect(planner.plan(NOW_MS).actions).toEqual([])
    planner.prove(key, order[1]!, NOW_MS)
    expect(planner.plan(NOW_MS).actions.map(describeAction)).toEqual(['drop: evicted'])
    // A node that leaves hands it over: that is more urgent than a rank.
    const handed = candidateOf(surplus, { have: 'mirror', bytes: 10 * MB, owner: 'a', isOffered: true })
    planner.setRelease(handed, NOW_MS)
    expect(planner.plan(NOW_MS).actions).toEqual([])
    planner.setRelease({ ...handed, isOffered: false }, NOW_MS)
    // Proven, but not lately.
    expect(planner.plan(NOW_MS + FRESH_MS).actions.map(({ kind }) => kind)).toEqual(['prove', 'prove'])
    planner.setRelease(candidateOf(surplus, { have: 'nothing', bytes: 10 * MB, owner: 'a' }), NOW_MS)
    expect(planner.plan(NOW_MS).actions.map(describeAction)).toEqual(['take: rank'])
  })

  test('goes down to a lower quota, but never below what must be', () => {
    const planner = new MirrorPlanner({ self: memberOf(0), policy: { ...POLICY, quotaBytes: 1 } })
    planner.setMembers('all', MEMBERS)
    const texts = Array.from({ length: 30 }, (_, at) => `c${at}`)
    for (const text of texts) {
      planner.setRelease(candidateOf(text, { have: 'mirror' }), NOW_MS)
      planner.setKnown(contentOf(text).toString(), NOW_MS)
    }
    expect(planner.plan(NOW_MS).actions).toEqual([])
    for (const text of texts)
      for (const { peer } of MEMBERS.slice(1)) planner.prove(contentOf(text).toString(), peer, NOW_MS)
    const dropped = planner.plan(NOW_MS).actions.filter(({ kind }) => kind === 'drop')
    const isBehindTwo = (text: string): boolean =>
      !roster.first(contentWords(contentOf(text)), 2).some(({ peer }) => peer === 'm0')
    expect(dropped.map(({ name }) => name).sort()).toEqual(texts.filter(isBehindTwo).sort())
  })
})

test.each(['mirror', 'own'] as const)(
  'a node that leaves hands over what too few others hold (%s), and says when it may go',
  have => {
    const one = new One(0, { have }, { isDraining: true })
    one.hold([1])
    one.planner.setPeer(one.order[2]!, { awaySinceMs: NOW_MS, presentSinceMs: 0 })
    // Of the others nobody knows whether they are there.
    for (const place of [3, 4]) one.planner.setPeer(one.order[place]!, { presentSinceMs: 0 })
    const plan = one.planner.plan(NOW_MS)
    expect(plan.actions.map(describeAction)).toEqual([`offer ${one.order[3]} ${one.order[4]}`])
    expect(plan.isSafeToLeave).toBe(false)
    // Who let go of it may have it again.
    one.hold([3])
    one.planner.refute(one.key, one.order[3]!, NOW_MS)
    expect(one.planner.plan(NOW_MS).actions.map(describeAction)).toEqual([describeAction(plan.actions[0]!)])
    one.hold([3])
    expect(one.planner.plan(NOW_MS)).toMatchObject({ actions: [], isSafeToLeave: true })
  }
)

test.each([
  ['popularity', { demand: { count: 12, askers: 2 } }, 5],
  ['popularity', {}, 3],
  ['geographic', { demand: { count: 1e6, askers: 2 } }, 3],
  ['access-pattern', { demand: { count: 12, askers: 2, lastMs: NOW_MS } }, 5],
  ['access-pattern', { demand: { count: 12, askers: 1, lastMs: NOW_MS } }, 3],
  ['access-pattern', { demand: { count: 12, askers: 2, lastMs: NOW_MS - 200 * HOUR_MS } }, 2],
  ['priority', { priority: 'low' }, 2],
  ['priority', { priority: 'normal' }, 3],
  ['priority', { priority: 'high' }, 4],
  ['priority', { priority: 'critical' }, 6],
  ['adaptive', { availability: 0.95 }, 3],
  ['adaptive', { availability: 0.8 }, 5],
  ['adaptive', { availability: 0 }, 6]
] as Array<[MirrorPolicy['strategy'], Partial<Candidate>, number]>)(
  '%s with %j makes %i copies',
  (strategy, over, copies) => {
    const takers = MEMBERS.filter(self => {
      const planner = new MirrorPlanner({ self, policy: { ...POLICY, strategy } })
      planner.setMembers('all', MEMBERS)
      planner.setRelease(candidateOf('x', over), NOW_MS)
      return planner.plan(NOW_MS).actions.length > 0
    })
    expect(takers).toHaveLength(copies)
  }
)

test('what many claim stays bounded, and never keeps out who proves it', () => {
  const planner = new MirrorPlanner({ self: memberOf(0), policy: POLICY })
  planner.setMembers('all', membersOf(200))
  planner.setRelease(candidateOf('x', { have: 'mirror' }), NOW_MS)
  const key = contentOf('x').toString()
  for (let at = 1; at < 150; at++) expect(planner.claim(key, `m${at}`, NOW_MS)).toBe(true)
  for (let at = 100; at < 160; at++) expect(planner.prove(key, `m${at}`, NOW_MS)).toBe(true)
  expect(planner.prove(key, 'm199', NOW_MS)).toBe(false)
  // What this node has itself stands before nobody.
  expect(planner.prove(key, 'm0', NOW_MS)).toBe(false)
})

describe('where many have proven a content', () => {
  const crowded = (state: (at: number) => PeerState): { planner: MirrorPlanner; key: string } => {
    const planner = new MirrorPlanner({ self: memberOf(0), policy: POLICY })
    planner.setMembers('all', membersOf(200))
    planner.setRelease(candidateOf('x', { have: 'mirror' }), NOW_MS)
    const key = contentOf('x').toString()
    for (let at = 1; at <= 60; at++) {
      planner.setPeer(`m${at}`, state(at))
      expect(planner.prove(key, `m${at}`, NOW_MS)).toBe(true)
    }
    return { planner, key }
  }

  test('names in one network keep nobody out', () => {
    const { planner, key } = crowded(at => ({ ...PRESENT, network: at < 60 ? 'one' : 'other' }))
    for (let at = 101; at < 159; at++) {
      planner.setPeer(`m${at}`, { ...PRESENT, network: `net ${at}` })
      expect(planner.prove(key, `m${at}`, NOW_MS)).toBe(true)
    }
    // Sixty networks, with the crowd as one of them.
    expect(planner.prove(key, 'm160', NOW_MS)).toBe(false)
  })

  test('who is away, or has proven nothing for a day, keeps nobody out', () => {
    const away = crowded(() => PRESENT)
    expect(away.planner.prove(away.key, 'm160', NOW_MS)).toBe(false)
    away.planner.setPeer('m7', { ...PRESENT, awaySinceMs: NOW_MS })
    expect(away.planner.prove(away.key, 'm160', NOW_MS)).toBe(true)
    expect(away.planner.prove(away.key, 'm161', NOW_MS)).toBe(false)
    const old = crowded(() => PRESENT)
    for (let at = 101; at < 161; at++)
      expect(old.planner.prove(old.key, `m${at}`, NOW_MS + PROOF_LIFETIME_MS)).toBe(true)
  })
})
