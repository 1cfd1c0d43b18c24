import { expect, it } from 'vitest'
import { Rests, systemClock } from '../../../base/index.ts'

const POLICY = { attempts: 1, firstDelayMs: 1000, maxDelayMs: 10_000, factor: 4, jitter: 0.5 }

it('leaves who failed alone longer each time, and nobody who does well again', () => {
  let nowMs = 0
  const rests = new Rests(
    { clock: { ...systemClock, monotonicMs: () => nowMs }, random: () => 1 },
    { policy: POLICY, maxKeys: 2 }
  )
  expect(rests.isResting('a')).toBe(false)
  for (const waitMs of [1000, 4000, 10_000, 10_000]) {
    expect(rests.failed('a')).toBe(waitMs)
    expect(rests.isResting('b')).toBe(false)
    nowMs += waitMs - 1
    expect(rests.isResting('a')).toBe(true)
    nowMs++
    expect(rests.isResting('a')).toBe(false)
  }
  rests.succeeded('a')
  expect(rests.failed('a')).toBe(1000)
  for (const key of ['b', 'c']) rests.failed(key)
  expect(['a', 'b', 'c'].map(key => rests.isResting(key))).toEqual([false, true, true])
})
