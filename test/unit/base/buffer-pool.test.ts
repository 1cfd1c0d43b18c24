import { describe, expect, it } from 'vitest'
import { BufferPool } from '../../../base/index.ts'

describe('a buffer pool', () => {
  it('hands out a buffer again once it came back, and keeps no more than it may', () => {
    const pool = new BufferPool({ sizeBytes: 100, maxKept: 1 })
    const [first, second] = [pool.take(10), pool.take(100)]
    expect(first).not.toBe(second)
    expect(first.byteLength).toBe(100)
    pool.give(first)
    pool.give(second)
    expect(pool.take(50)).toBe(first)
    expect(pool.take(50)).not.toBe(second)
  })

  it('makes what is larger than its buffers, and forgets it', () => {
    const pool = new BufferPool({ sizeBytes: 100, maxKept: 1, shared: true })
    const large = pool.take(101)
    expect(large.byteLength).toBe(101)
    expect(large.buffer).toBeInstanceOf(SharedArrayBuffer)
    pool.give(large)
    expect(pool.take(1)).not.toBe(large)
  })
})
