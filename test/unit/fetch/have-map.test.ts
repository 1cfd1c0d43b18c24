import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GIB, MIB } from '../../../base/index.ts'
import { HaveMap, HaveTracker, MANIFEST_UNIT, unitBytesOf } from '../../../protocols/content/have-map.ts'

describe('a map of what is here', () => {
  it('has a unit when all of its bytes have come, in whatever pieces and order', () => {
    const pieces = fc.array(fc.integer({ min: 1, max: 3 * MIB }), { minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(pieces, fc.infiniteStream(fc.boolean()), (lengths, isHere) => {
        const sizeBytes = lengths.reduce((sum, length) => sum + length, 0)
        const tracker = new HaveTracker(sizeBytes)
        const covered = new Uint8Array(Math.ceil(sizeBytes / MIB)).fill(1)
        let offset = 0
        const here: Array<[number, number]> = []
        for (const length of lengths) {
          if (isHere.next().value === true) here.push([offset, length])
          else
            for (let u = Math.floor(offset / MIB); u <= Math.floor((offset + length - 1) / MIB); u++)
              covered[u] = 0
          offset += length
        }
        for (const [at, length] of here.reverse()) tracker.add(at, length)
        const map = new HaveMap(tracker.have, sizeBytes)
        expect([...covered.keys()].map(unit => map.has(unit))).toEqual([...covered].map(bit => bit === 1))
        expect(map.has(MANIFEST_UNIT)).toBe(false)
        expect(map.has(covered.length)).toBe(false)
      })
    )
  })

  it('is never longer than its limit', () => {
    expect(unitBytesOf(0)).toBe(MIB)
    expect(unitBytesOf(64 * GIB)).toBe(MIB)
    expect(unitBytesOf(64 * GIB + 1)).toBe(2 * MIB)
    expect(new HaveTracker(10_000 * GIB).have.units.byteLength).toBeLessThanOrEqual(8192)
  })

  it('is refused when it is not the map of this release', () => {
    const map = (...units: number[]) => ({ manifest: true, units: Uint8Array.from(units) })
    expect(new HaveMap(map(0xff, 0x03), 10 * MIB).has(9)).toBe(true)
    for (const wrong of [map(), map(0xff), map(0xff, 0x04), map(0xff, 0x03, 0)])
      expect(() => new HaveMap(wrong, 10 * MIB)).toThrow(
        expect.objectContaining({ code: 'PROTOCOL_VIOLATION' })
      )
    expect(() => new HaveMap(map(0), 0)).toThrow(expect.objectContaining({ code: 'PROTOCOL_VIOLATION' }))
    expect(new HaveMap(map(), 0).has(0)).toBe(false)
  })
})
