import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { OptimisticSelect } from '../../../protocols/quic/optimistic-select.ts'
import { DEFAULT_QUIC_STREAM_OPTIONS } from '../../../protocols/quic/options.ts'
import { ReadPacer } from '../../../protocols/quic/read-pacer.ts'
import { WriteQueue } from '../../../protocols/quic/write-queue.ts'

describe('the write queue', () => {
  test('gives back exactly the bytes pushed, in order, in pieces of at most the size asked for', () => {
    const step = fc.oneof(
      fc.record({ push: fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }) }),
      fc.record({ take: fc.integer({ min: 1, max: 32 }) })
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const queue = new WriteQueue()
        const pushed: Uint8Array[] = []
        const taken: Uint8Array[] = []
        const take = (max: number): boolean => {
          const part = queue.take(max)
          if (part === undefined) return false
          expect(part.byteLength).toBeGreaterThan(0)
          expect(part.byteLength).toBeLessThanOrEqual(max)
          taken.push(part)
          queue.written()
          return true
        }
        for (const one of steps)
          if ('push' in one) {
            queue.push(one.push)
            pushed.push(...one.push)
          } else take(one.take)
        while (take(16)) {}
        expect(Buffer.concat(taken)).toEqual(Buffer.concat(pushed))
        expect(queue.pendingBytes).toBe(0)
      })
    )
  })

  test('counts the write in flight, also after clear()', () => {
    const queue = new WriteQueue()
    queue.push([new Uint8Array(10), new Uint8Array(10)])
    queue.take(8)
    expect(queue.pendingBytes).toBe(20)
    queue.clear()
    expect(queue.pendingBytes).toBe(8)
    queue.written()
    expect(queue.pendingBytes).toBe(0)
  })

  test('stays linear with many small parts', () => {
    const queue = new WriteQueue()
    const part = new Uint8Array(1)
    for (let i = 0; i < 100_000; i++) queue.push([part])
    let total = 0
    for (let bytes = queue.take(3); bytes !== undefined; bytes = queue.take(3)) total += bytes.byteLength
    expect(total).toBe(100_000)
  })
})

describe('the read pacer', () => {
  test('grows to its ceiling with full reads and shrinks to its floor with small ones', () => {
    const pacer = new ReadPacer(DEFAULT_QUIC_STREAM_OPTIONS)
    const sizes = Array.from({ length: 5 }, () => {
      pacer.record(new Uint8Array(pacer.sizeBytes))
      return pacer.sizeBytes
    })
    expect(sizes).toEqual([16_384, 65_536, 262_144, 262_144, 262_144])
    for (let i = 0; i < 5; i++) pacer.record(new Uint8Array(1))
    expect(pacer.sizeBytes).toBe(4096)
  })

  test('copies a read that would pin a mostly empty buffer', () => {
    const pacer = new ReadPacer(DEFAULT_QUIC_STREAM_OPTIONS)
    const pinned = new Uint8Array(4096).subarray(0, 100)
    expect(pacer.record(pinned).buffer.byteLength).toBe(100)
    const full = new Uint8Array(4096)
    expect(pacer.record(full)).toBe(full)
  })

  test('waits only after a small read on a stream that moves bulk data', () => {
    const pacer = new ReadPacer(DEFAULT_QUIC_STREAM_OPTIONS)
    expect(pacer.waitMs(1000, 1000)).toBe(0)
    expect(pacer.waitMs(1_000_000, 1060)).toBe(0)
    expect(pacer.waitMs(1000, 1061)).toBe(2)
    expect(pacer.waitMs(100_000, 1062)).toBe(0)
    expect(pacer.waitMs(1000, 1200)).toBe(0)
  })
})

describe('optimistic multistream-select', () => {
  test('accepts the right answer however it is cut, and leaves what follows', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20 })), fc.uint8Array(), (cuts, data) => {
        const select = new OptimisticSelect('/catalog/main/find/1')
        let rest = Buffer.concat([select.lines, data])
        const after: Uint8Array[] = []
        for (const cut of [...cuts, rest.byteLength]) {
          const part = rest.subarray(0, cut)
          rest = rest.subarray(cut)
          const bytes = select.isConfirmed ? part : select.strip(part)
          expect(bytes).toBeDefined()
          after.push(bytes ?? part)
        }
        expect(select.isConfirmed).toBe(true)
        expect(Buffer.concat([...after, rest])).toEqual(Buffer.from(data))
      })
    )
  })

  test('refuses any other answer', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 60 }), answer => {
        const select = new OptimisticSelect('/x/1')
        const expected = select.lines.subarray(0, answer.byteLength)
        fc.pre(Buffer.compare(answer.subarray(0, expected.byteLength), expected) !== 0)
        expect(select.strip(answer)).toBeUndefined()
      })
    )
  })

  test('knows which protocol ids fit its one-byte prefix', () => {
    expect(OptimisticSelect.fits('x'.repeat(126))).toBe(true)
    expect(OptimisticSelect.fits('x'.repeat(127))).toBe(false)
  })
})
