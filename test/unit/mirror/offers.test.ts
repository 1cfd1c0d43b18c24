/** What a node takes over that a node which leaves offers: only what it could hold, has room for and may transfer. */
import { describe, expect, test } from 'vitest'
import { HOUR_MS, SECOND_MS } from '../../../base/index.ts'
import { FRESH_MS, MirrorPlanner, type MirrorPolicy } from '../../../mirror/index.ts'
import { contentAt, MEMBERS } from './one.ts'
import { candidateOf, contentOf, MB, memberOf, membersOf, NOW_MS, POLICY, PRESENT } from './support.ts'

const plannerOf = (policy: Partial<MirrorPolicy>, members = MEMBERS): MirrorPlanner => {
  const planner = new MirrorPlanner({ self: memberOf(0), policy: { ...POLICY, ...policy } })
  planner.setMembers('all', members)
  return planner
}

const offer = (planner: MirrorPlanner, text: string, over = {}, nowMs = NOW_MS): string | undefined =>
  planner.whyNotTakeOver(candidateOf(text, { owner: text, ...over }), nowMs)

/** Takes it over, as who has said yes does. */
function accept(planner: MirrorPlanner, text: string): void {
  planner.setRelease(candidateOf(text, { owner: text, isOffered: true }), NOW_MS)
}

describe('an offer is refused', () => {
  test('by who may not hold it, moves nothing, or stands behind too many', () => {
    expect(offer(plannerOf({}), 'x')).toBeUndefined()
    expect(offer(plannerOf({}), 'x', { isBlocked: true })).toMatch(/blocked/)
    for (const policy of [{ isFrozen: true }, { isDraining: true }])
      expect(offer(plannerOf(policy), 'x')).toMatch(/moves nothing/)
    const crowd = plannerOf({}, membersOf(400))
    const refusals = Array.from({ length: 50 }, (_, at) => offer(crowd, `x${at}`))
    expect(refusals.filter(refusal => refusal === undefined).length).toBeLessThan(20)
  })

  test('when the quota is full of what was taken over before, though none of it has come', () => {
    const planner = plannerOf({ quotaBytes: 10 * MB })
    const answers = Array.from({ length: 12 }, (_, at) => offer(planner, `x${at}`))
    expect(answers.filter(answer => answer === undefined)).toHaveLength(10)
    expect(answers[11]).toMatch(/quota is full/)
    // So it stays when it is planned for.
    for (let at = 0; at < 10; at++) accept(planner, `x${at}`)
    expect(planner.plan(NOW_MS).heldBack).toEqual([])
    expect(offer(planner, 'x10', {}, NOW_MS + SECOND_MS)).toMatch(/quota is full/)
    // Who offers it anew hears the same.
    expect(offer(planner, 'x0', { isOffered: true }, NOW_MS + SECOND_MS)).toBeUndefined()
  })

  test('when its owner has a tenth', () => {
    const planner = plannerOf({ quotaBytes: 10 * MB })
    expect(offer(planner, 'one', { owner: 'z' })).toBeUndefined()
    expect(offer(planner, 'two', { owner: 'z' })).toMatch(/owner/)
  })

  test('when nothing is left of the budget, until something is', () => {
    const planner = plannerOf({ repairBudgetBytes: 2 * MB })
    expect(offer(planner, 'large', { bytes: 5 * MB })).toBeUndefined()
    expect(offer(planner, 'x')).toMatch(/budget/)
    // What is here already costs no transfer.
    expect(offer(planner, 'here', { have: 'cache' })).toBeUndefined()
    planner.setRelease(candidateOf('large', { have: 'coming', bytes: 5 * MB, owner: 'large' }), NOW_MS)
    expect(offer(planner, 'x', {}, NOW_MS + HOUR_MS)).toMatch(/budget/)
    expect(offer(planner, 'x', {}, NOW_MS + 2 * HOUR_MS)).toBeUndefined()
  })
})

test('an offer takes the room of what is less urgent and held by enough others, proven lately or not', () => {
  const { text: surplus, order } = contentAt(5)
  const planner = plannerOf({ quotaBytes: 10 * MB })
  planner.setRelease(candidateOf(surplus, { have: 'mirror', bytes: 10 * MB, owner: 'a' }), NOW_MS)
  const key = contentOf(surplus).toString()
  planner.setKnown(key, NOW_MS)
  expect(offer(planner, 'x')).toMatch(/quota is full/)
  for (const peer of order.slice(0, 2)) {
    planner.setPeer(peer, PRESENT)
    planner.prove(key, peer, NOW_MS)
  }
  expect(offer(planner, 'x', {}, NOW_MS + FRESH_MS)).toBeUndefined()
  planner.setRelease(candidateOf('x', { owner: 'x', isOffered: true }), NOW_MS + FRESH_MS)
  expect(planner.plan(NOW_MS + FRESH_MS).actions.map(({ kind }) => kind)).toEqual(['prove', 'prove'])
})
