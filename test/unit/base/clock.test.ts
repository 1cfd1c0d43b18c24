import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { DAY_MS, systemClock } from '../../../base/index.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})

afterEach(() => {
  vi.useRealTimers()
})

it.each([1, 24, 25, 100])('waits for %i days, and not a moment longer', async days => {
  let isOver = false
  const waiting = systemClock.wait(days * DAY_MS).then(() => {
    isOver = true
  })
  await vi.advanceTimersByTimeAsync(days * DAY_MS - 1)
  expect(isOver).toBe(false)
  await vi.advanceTimersByTimeAsync(1)
  await waiting
})

it('ends a long wait at once when it is aborted, and leaves no timer', async () => {
  const abort = new AbortController()
  const waiting = systemClock.wait(60 * DAY_MS, abort.signal)
  const refused = expect(waiting).rejects.toThrow('enough')
  await vi.advanceTimersByTimeAsync(30 * DAY_MS)
  abort.abort(new Error('enough'))
  await refused
  expect(vi.getTimerCount()).toBe(0)
})
