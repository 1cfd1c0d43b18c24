/** The rules of taking and dropping, one by one. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HOUR_MS, MINUTE_MS } from '../../../base/index.ts'
import {
  type Candidate,
  FRESH_MS,
  MirrorPlanner,
  type MirrorPolicy,
  PROOF_LIFETIME_MS
} from '../../../mirror/index.ts'
import { contentAt, MEMBERS, One } from './one.ts'
import { candidateOf, contentOf, GRACE_MS, memberOf, NOW_MS, POLICY, PRESENT } from './support.ts'

describe('take', () => {
  test('at once what this node should hold, and only that', () => {
    for (const rank of [0, 1, 2]) expect(new One(rank).what()).toEqual(['take: rank'])
    for (const rank of [3, 5]) expect(new One(rank).what()).toEqual([])
  })

  test('what more should hold because it is wanted, within max', () => {
    const wanted = { demand: { count: 1e6, askers: 2 } }
    expect(new One(3, wanted).what()).toEqual(['take: demand'])
    expect(new One(5, wanted).what()).toEqual(['take: demand'])
    expect(new One(4, wanted, { max: 4 }).what()).toEqual([])
    expect(new One(3, { demand: { count: 1.9, askers: 2 } }).what()).toEqual([])
    expect(new One(3, { demand: { count: 2, askers: 2 } }).what()).toEqual(['take: demand'])
  })

  test.each([3, 4, 5])('what too few hold, at rank %i after its grace', rank => {
    const one = new One(rank)
    one.hold([0])
    const waitMs = GRACE_MS * (rank - 2)
    expect(one.what(NOW_MS + waitMs - 1)).toEqual([])
    expect(one.planner.plan(NOW_MS + waitMs - 1).nextMs).toBe(NOW_MS + waitMs)
    expect(one.what(NOW_MS + waitMs)).toEqual(['take: repair'])
  })

  test('nothing while enough hold it, and counts the grace from when one went', () => {
    const one = new One(3)
    one.hold([0, 1])
    expect(one.what(NOW_MS + HOUR_MS)).toEqual([])
    const awayMs = NOW_MS + HOUR_MS
    one.planner.setPeer(one.order[0]!, { awaySinceMs: awayMs, presentSinceMs: 0 })
    expect(one.what(awayMs + GRACE_MS - 1)).toEqual([])
    expect(one.what(awayMs + GRACE_MS)).toEqual(['take: repair'])
    one.planner.setPeer(one.order[0]!, { presentSinceMs: awayMs + GRACE_MS })
    expect(one.what(awayMs + GRACE_MS)).toEqual([])
  })

  test('nothing because of a reboot', () => {
    const one = new One(3)
    one.hold([0, 1])
    for (let reboot = 0; reboot < 10; reboot++) {
      const atMs = NOW_MS + reboot * HOUR_MS
      one.planner.setPeer(one.order[1]!, { awaySinceMs: atMs, presentSinceMs: 0 })
      expect(one.what(atMs + GRACE_MS - 1)).toEqual([])
      one.planner.setPeer(one.order[1]!, { presentSinceMs: atMs + GRACE_MS - 1 })
      expect(one.what(atMs + GRACE_MS)).toEqual([])
    }
  })

  test('what is claimed and not proven, or proven long ago, or refuted', () => {
    const late = NOW_MS + GRACE_MS
    const claimed = new One(3)
    claimed.hold([0])
    for (const place of [1, 2]) claimed.planner.claim(claimed.key, claimed.order[place]!, NOW_MS)
    expect(claimed.what(late)).toEqual(['take: repair'])
    const old = new One(3)
    old.hold([0, 1])
    const expiredMs = NOW_MS + PROOF_LIFETIME_MS
    expect(old.what(expiredMs + GRACE_MS - 1)).toEqual([])
    expect(old.what(expiredMs + GRACE_MS)).toEqual(['take: repair'])
    const refuted = new One(3)
    refuted.hold([0, 1])
    refuted.planner.refute(refuted.key, refuted.order[1]!, NOW_MS)
    expect(refuted.what(late)).toEqual(['take: repair'])
  })

  test('what only one network holds, however many nodes are in it, and not in that network', () => {
    const here = (network: string) => () => ({ ...PRESENT, network })
    const late = NOW_MS + GRACE_MS
    const one = new One(3)
    one.hold([0, 1, 2], here('net'))
    expect(one.what(late)).toEqual(['take: repair'])
    const two = new One(3)
    two.hold([0, 1], place => ({ ...PRESENT, network: `net ${place}` }))
    expect(two.what(late)).toEqual([])
    const inside = new One(3, {}, {}, 'net')
    inside.hold([0, 1, 2], here('net'))
    expect(inside.what(late)).toEqual([])
  })

  test('nothing that nobody has looked up, and nothing for who is no member', () => {
    const planner = new MirrorPlanner({ self: memberOf(0), policy: POLICY })
    planner.setMembers('all', MEMBERS)
    const { text } = contentAt(3)
    planner.setRelease(candidateOf(text), NOW_MS)
    expect(planner.unlooked(10)).toEqual([contentOf(text).toString()])
    expect(planner.plan(NOW_MS + 100 * HOUR_MS).actions).toEqual([])
    planner.setKnown(contentOf(text).toString(), NOW_MS)
    expect(planner.plan(NOW_MS + 100 * HOUR_MS).actions).toHaveLength(1)
    planner.setMembers('all', MEMBERS.slice(1))
    expect(planner.plan(NOW_MS + 100 * HOUR_MS).actions).toEqual([])
    expect(planner.claim(contentOf(text).toString(), 'stranger', NOW_MS)).toBe(false)
  })

  test.each([
    ['blocked', { isBlocked: true }, {}, []],
    ['blocked and pinned', { isBlocked: true, isPinned: true }, {}, []],
    ['of a library that may not be read', { isReader: false, isPinned: true }, {}, []],
    ['not followed, and asked for by one', { isFollowed: false, demand: { count: 9, askers: 1 } }, {}, []],
    [
      'not followed, and asked for by two',
      { isFollowed: false, demand: { count: 2, askers: 2 } },
      {},
      ['take: rank']
    ],
    [
      'not followed, with accept = followed',
      { isFollowed: false, demand: { count: 2, askers: 2 } },
      { accept: 'followed' },
      []
    ],
    ['not listed, with accept = listed', {}, { accept: 'listed' }, []],
    ['listed, with accept = listed', { isListed: true }, { accept: 'listed' }, ['take: rank']],
    [
      'pinned, whatever is accepted',
      { isPinned: true, isFollowed: false },
      { accept: 'listed' },
      ['take: pinned']
    ],
    ['while the network is split', {}, { isFrozen: true }, []],
    ['when this node leaves', { isPinned: true }, { isDraining: true }, []],
    ['already coming', { have: 'coming' }, {}, []],
    ['its own', { have: 'own' }, {}, []]
  ] as Array<[string, Partial<Candidate>, Partial<MirrorPolicy>, string[]]>)(
    '%s',
    (_name, over, policy, expected) => {
      expect(new One(0, over, policy).what()).toEqual(expected)
    }
  )

  test('what a node that leaves hands over, and without a transfer what is here anyhow', () => {
    expect(new One(5, { isOffered: true }).what()).toEqual(['take: offered'])
    const [action] = new One(0, { have: 'cache' }).planner.plan(NOW_MS).actions
    expect(action).toMatchObject({ kind: 'take', bytes: 0 })
  })
})

describe('drop', () => {
  const heldAt = (rank: number, over: Partial<Candidate> = {}, policy: Partial<MirrorPolicy> = {}): One =>
    new One(rank, { have: 'mirror', ...over }, policy)

  test('only if as many proven ones as are wanted stand before', () => {
    const held = heldAt(3)
    held.hold([0, 1])
    expect(held.what()).toEqual([])
    held.hold([4, 5])
    expect(held.what()).toEqual([])
    held.hold([2])
    expect(held.what()).toEqual(['drop: surplus'])
  })

  test('never what this node should hold, is pinned, its own, or while the network is split', () => {
    for (const one of [
      heldAt(2),
      heldAt(4, { isPinned: true }),
      heldAt(4, { have: 'own' }),
      heldAt(4, {}, { isFrozen: true })
    ]) {
      one.hold([0, 1, 3, 5].filter(place => one.order[place] !== 'm0'))
      one.hold([0, 1, 2, 3].filter(place => one.order[place] !== 'm0'))
      expect(one.what()).toEqual([])
    }
  })

  test('has holders prove themselves anew first', () => {
    const held = heldAt(3)
    held.hold([0, 1, 2], undefined, FRESH_MS)
    expect(held.what().sort()).toEqual(
      held.order
        .slice(0, 3)
        .map(peer => `prove ${peer}`)
        .sort()
    )
    held.hold([0, 1])
    expect(held.what()).toEqual([`prove ${held.order[2]}`])
    held.hold([2])
    expect(held.what()).toEqual(['drop: surplus'])
    expect(held.what(NOW_MS + FRESH_MS - 1)).toEqual(['drop: surplus'])
    expect(held.what(NOW_MS + FRESH_MS)).toHaveLength(3)
  })

  test('not because of who is away, claims only, has let go of it, or shares a network', () => {
    const cases: Array<(one: One) => void> = [
      one => one.planner.setPeer(one.order[2]!, { awaySinceMs: NOW_MS, presentSinceMs: 0 }),
      one => one.planner.refute(one.key, one.order[2]!, NOW_MS),
      one => one.planner.removePeer(one.order[2]!),
      one => {
        for (const place of [1, 2]) one.planner.setPeer(one.order[place]!, { ...PRESENT, network: 'net' })
      }
    ]
    for (const change of cases) {
      const held = heldAt(3)
      held.hold([0, 1, 2])
      change(held)
      expect(held.what()).toEqual([])
    }
    const claimed = heldAt(3)
    claimed.hold([0, 1])
    claimed.planner.claim(claimed.key, claimed.order[2]!, NOW_MS)
    expect(claimed.what()).toEqual([])
  })

  test('not while a node that leaves hands it over, of whose copy nobody else knows that it goes', () => {
    const held = heldAt(3, { isOffered: true })
    held.hold([0, 1, 2])
    expect(held.what()).toEqual([])
    held.set({ isBlocked: true })
    expect(held.what()).toEqual(['drop: blocked'])
    held.set({ isBlocked: false, isOffered: false })
    expect(held.what()).toEqual(['drop: surplus'])
  })

  test('once they have been there for the grace', () => {
    const held = heldAt(3)
    held.hold([0, 1])
    held.hold([2], undefined, 0, 0)
    expect(held.what(NOW_MS + GRACE_MS - 1)).toEqual([])
    expect(held.what(NOW_MS + GRACE_MS)).toEqual(['drop: surplus'])
    const back = heldAt(3)
    back.hold([0, 1, 2], () => ({ presentSinceMs: NOW_MS }))
    expect(back.what(NOW_MS + GRACE_MS - 1)).toEqual([])
    expect(back.what(NOW_MS + GRACE_MS)).toEqual(['drop: surplus'])
  })

  test('only when demand has fallen to half of what it was taken for', () => {
    const held = heldAt(3, { demand: { count: 1, askers: 2 } })
    held.hold([0, 1, 2])
    expect(held.what()).toEqual([])
    held.set({ demand: { count: 0.9, askers: 2 } })
    expect(held.what()).toEqual(['drop: surplus'])
  })

  test('not soon after this node has changed its class, or the network was split', () => {
    const held = heldAt(5)
    held.hold([0, 1, 2, 3, 4])
    held.planner.setSelf(memberOf(0, { capacityClass: 2 }), NOW_MS)
    held.planner.setMembers('all', [memberOf(0, { capacityClass: 2 }), ...MEMBERS.slice(1)])
    expect(held.what()).toEqual([])
    held.planner.prove(held.key, held.order[0]!, NOW_MS + 2 * FRESH_MS)
    for (const place of [0, 1, 2, 3, 4])
      held.planner.prove(held.key, held.order[place]!, NOW_MS + 2 * FRESH_MS)
    expect(held.what(NOW_MS + 2 * FRESH_MS - 1)).toEqual([])
    expect(held.what(NOW_MS + 2 * FRESH_MS)).toEqual(['drop: surplus'])
    const split = heldAt(3)
    split.hold([0, 1, 2])
    split.planner.setPolicy({ ...split.policy, isFrozen: true }, NOW_MS)
    split.planner.setPolicy(split.policy, NOW_MS + MINUTE_MS)
    expect(split.what(NOW_MS + MINUTE_MS + GRACE_MS - 1)).toEqual([])
    expect(split.what(NOW_MS + MINUTE_MS + GRACE_MS)).toEqual(['drop: surplus'])
  })

  test('at once what is blocked or may not be read, whoever else has it', () => {
    expect(heldAt(0, { isBlocked: true, isPinned: true }).what()).toEqual(['drop: blocked'])
    expect(heldAt(0, { isBlocked: true, have: 'own' }).what()).toEqual(['drop: blocked'])
    expect(heldAt(0, { isReader: false }).what()).toEqual(['drop: not-reader'])
    expect(heldAt(0, { isBlocked: true }, { isFrozen: true }).what()).toEqual(['drop: blocked'])
  })

  test('what is no longer accepted only by the same rule', () => {
    const held = heldAt(0, { isFollowed: false })
    held.hold([1, 2, 3, 4, 5])
    expect(held.what()).toEqual([])
    const behind = heldAt(3, { isFollowed: false })
    behind.hold([0, 1, 2])
    expect(behind.what()).toEqual(['drop: surplus'])
  })

  test('nothing for each other: of any holders only those behind enough others drop', () => {
    const { text, costs } = contentAt(3)
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(11), { minLength: 1, maxLength: 12 }),
        fc.boolean(),
        (places, isFull) => {
          const holders = places.map(place => costs[place]!)
          const droppers = holders.filter(self => {
            const member = MEMBERS.find(({ peer }) => peer === self)!
            const policy = { ...POLICY, quotaBytes: isFull ? 1 : 0 }
            const planner = new MirrorPlanner({ self: member, policy })
            planner.setMembers('all', MEMBERS)
            planner.setRelease(candidateOf(text, { have: 'mirror' }), NOW_MS)
            planner.setKnown(contentOf(text).toString(), NOW_MS)
            for (const peer of holders.filter(other => other !== self)) {
              planner.setPeer(peer, PRESENT)
              planner.prove(contentOf(text).toString(), peer, NOW_MS - HOUR_MS)
              planner.prove(contentOf(text).toString(), peer, NOW_MS)
            }
            return planner.plan(NOW_MS).actions.some(({ kind }) => kind === 'drop')
          })
          // All of them at once.
          const left = holders.length - droppers.length
          expect(left).toBeGreaterThanOrEqual(Math.min(holders.length, isFull ? POLICY.min : POLICY.target))
        }
      ),
      { numRuns: 60 }
    )
  })
})

describe('what is told again', () => {
  test('has nothing decided anew', () => {
    const one = new One(1)
    one.planner.plan(NOW_MS)
    one.set({})
    expect(one.planner.hasChanged).toBe(false)
    one.set({ isPinned: true })
    expect(one.planner.hasChanged).toBe(true)
  })
})
