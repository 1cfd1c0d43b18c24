import fc from 'fast-check'
import { expect, it } from 'vitest'
import { compareDistance, nearest } from '../../../discovery/distance.ts'
import { toVerdicts } from '../../../protocols/provide/index.ts'

it('takes no verdicts for all accepted, and another number of them than keys for a violation', () => {
  expect(toVerdicts(new Uint8Array(), 3)).toEqual([0, 0, 0])
  expect(toVerdicts(Uint8Array.of(0, 1, 9), 3)).toEqual([0, 1, 3])
  for (const bytes of [[1], [1, 1], [1, 1, 1, 1]])
    expect(() => toVerdicts(Uint8Array.from(bytes), 3)).toThrow(
      expect.objectContaining({ code: 'PROTOCOL_VIOLATION' })
    )
})

it('chooses the nearest as a full sort does', () => {
  const id = fc.uint8Array({ minLength: 32, maxLength: 32 })
  fc.assert(
    fc.property(id, fc.array(id, { maxLength: 60 }), fc.nat({ max: 25 }), (target, ids, count) => {
      const things = ids.map(kademliaId => ({ kademliaId }))
      const sorted = things.toSorted((a, b) => compareDistance(target, a.kademliaId, b.kademliaId))
      expect(nearest(target, things, count)).toEqual(sorted.slice(0, count))
    }),
    { seed: 42 }
  )
})
