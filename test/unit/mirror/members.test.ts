/** The set of members: the same in whatever order its records come. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DAY_MS, MINUTE_MS } from '../../../base/index.ts'
import { nextSequence } from '../../../library/index.ts'
import {
  capacityClassOf,
  MEMBER_LIFETIME_MS,
  type MemberRecord,
  MemberSet,
  signMember
} from '../../../mirror/index.ts'
import { keyOf } from '../records/examples.ts'
import { NOW_MS } from './support.ts'

const nodes = Array.from({ length: 8 }, (_, at) => keyOf(`member ${at}`))
const recordOf = (
  node: number,
  sequence: number,
  over: { region?: string; lifetimeMs?: number } = {}
): MemberRecord =>
  signMember(
    {
      region: over.region ?? 'eu',
      capacityClass: node % 4,
      sequence,
      expires: sequence + (over.lifetimeMs ?? MEMBER_LIFETIME_MS)
    },
    nodes[node]!
  )
const textOf = (set: MemberSet, nowMs = NOW_MS): string[] =>
  set.members(nowMs).map(({ bytes }) => Buffer.from(bytes).toString('hex'))

describe('a set of members', () => {
  test('has the newest record of each node', () => {
    const set = new MemberSet()
    expect(set.add(recordOf(0, NOW_MS - 1), NOW_MS)).toBe('taken')
    expect(set.add(recordOf(0, NOW_MS), NOW_MS)).toBe('taken')
    expect(set.add(recordOf(0, NOW_MS - 1), NOW_MS)).toBe('old')
    expect(set.add(recordOf(0, NOW_MS), NOW_MS)).toBe('old')
    expect(set.add(recordOf(0, NOW_MS + 11 * MINUTE_MS), NOW_MS)).toBe('early')
    expect(set.get(nodes[0]!.publicKey)?.sequence).toBe(NOW_MS)
    expect(nextSequence(NOW_MS, NOW_MS + 5)).toBe(NOW_MS + 6)
    expect(nextSequence(NOW_MS)).toBe(NOW_MS)
  })

  test('forgets who expires, but not who left', () => {
    const set = new MemberSet()
    const before = recordOf(0, NOW_MS)
    set.add(before, NOW_MS)
    expect(set.nextExpiryMs(NOW_MS)).toBe(NOW_MS + DAY_MS)
    expect(set.members(NOW_MS + DAY_MS - 1)).toHaveLength(1)
    expect(set.members(NOW_MS + DAY_MS)).toHaveLength(0)
    set.add(recordOf(0, NOW_MS + 1, { lifetimeMs: 1 }), NOW_MS + 1)
    expect(set.members(NOW_MS + 2)).toHaveLength(0)
    // What it said before does not bring it back.
    expect(set.add(before, NOW_MS + 2)).toBe('old')
    expect(set.add(recordOf(1, NOW_MS - 8 * DAY_MS, { lifetimeMs: 7 * DAY_MS }), NOW_MS)).toBe('expired')
    expect(set.nextExpiryMs(NOW_MS + 2)).toBeUndefined()
  })

  test('is the same whatever the order, also when it is full', () => {
    const records = nodes.flatMap((_, node) => [
      recordOf(node, NOW_MS - 2),
      recordOf(node, NOW_MS - 1),
      recordOf(node, NOW_MS - 1, { region: 'us' })
    ])
    const expected = new MemberSet({ maxMembers: 5 })
    for (const record of records) expected.add(record, NOW_MS)
    expect(expected.size).toBe(5)
    fc.assert(
      fc.property(fc.shuffledSubarray(records, { minLength: records.length }), shuffled => {
        const set = new MemberSet({ maxMembers: 5 })
        for (const record of [...shuffled, ...shuffled]) set.add(record, NOW_MS)
        expect(textOf(set)).toEqual(textOf(expected))
      })
    )
  })
})

test('classes double', () => {
  const GIB = 2 ** 30
  expect(
    [1, GIB, 2 * GIB - 1, 2 * GIB, 10e9, 4096 * GIB, Number.MAX_SAFE_INTEGER].map(capacityClassOf)
  ).toEqual([0, 0, 0, 1, 3, 12, 15])
})
