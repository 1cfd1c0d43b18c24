import { expect, test } from 'vitest'
import { recently } from '../../../base/index.ts'

test('a value is read once for all who ask within its time, and once more after that', () => {
  let nowMs = 0
  let reads = 0
  const value = recently({ monotonicMs: () => nowMs }, 1000, () => ++reads)
  expect(reads).toBe(0)
  expect(value()).toBe(1)
  nowMs = 999
  expect(value()).toBe(1)
  nowMs = 1000
  expect(value()).toBe(2)
  nowMs = 1999
  expect(value()).toBe(2)
})
