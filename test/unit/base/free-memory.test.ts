import { describe, expect, test } from 'vitest'
import { freeMemory } from '../../../base/index.ts'

describe('memory that is given back', () => {
  test('goes when the bytes are all of it', () => {
    const bytes = new Uint8Array(65_536)
    freeMemory(bytes)
    expect(bytes.byteLength).toBe(0)
  })

  test('stays when somebody else may have a part of it, or it is shared', () => {
    const whole = new Uint8Array(65_536).fill(7)
    freeMemory(whole.subarray(1))
    freeMemory(whole.subarray(0, 65_535))
    expect(whole.every(byte => byte === 7)).toBe(true)
    const pooled = Buffer.from('a few bytes')
    freeMemory(pooled)
    expect(pooled.toString()).toBe('a few bytes')
    const shared = new Uint8Array(new SharedArrayBuffer(64)).fill(7)
    freeMemory(shared)
    expect(shared.byteLength).toBe(64)
  })
})
