import { describe, expect, it } from 'vitest'
import { changedWithin, untilAborted } from '../../../base/index.ts'
import { ManualClock } from '../protocols/manual-clock.ts'

const never = new Promise<void>(() => undefined)
const abortedWith = (reason: Error): AbortSignal => AbortSignal.abort(reason)

/** Whether a promise has settled by now. */
async function isOver(promise: Promise<unknown>): Promise<boolean> {
  let over = false
  const settled = (): void => {
    over = true
  }
  promise.then(settled, settled)
  await new Promise(setImmediate)
  return over
}

describe('a wait for a change', () => {
  const { signal } = new AbortController()

  it('ends with the change, or with its time', async () => {
    const clock = new ManualClock()
    await changedWithin(Promise.resolve(), Number.POSITIVE_INFINITY, { clock, signal })
    const waiting = changedWithin(never, 1000, { clock, signal })
    await clock.advance(750)
    expect(await isOver(waiting)).toBe(false)
    await clock.advance(500)
    await waiting
    expect(await isOver(changedWithin(never, Number.POSITIVE_INFINITY, { clock, signal }))).toBe(false)
  })

  it('ends with the reason of its signal, before and while it waits', async () => {
    const clock = new ManualClock()
    const gone = new Error('gone')
    for (const waitMs of [1000, Number.POSITIVE_INFINITY]) {
      await expect(changedWithin(never, waitMs, { clock, signal: abortedWith(gone) })).rejects.toBe(gone)
      const abort = new AbortController()
      const waiting = changedWithin(never, waitMs, { clock, signal: abort.signal })
      abort.abort(gone)
      await expect(waiting).rejects.toBe(gone)
    }
  })
})

it('what an abort cuts off, before or while it is waited for, may still fail later', async () => {
  const gone = new Error('gone')
  for (const isEarly of [true, false]) {
    const later = Promise.withResolvers<void>()
    const abort = new AbortController()
    if (isEarly) abort.abort(gone)
    const cut = untilAborted(later.promise, abort.signal)
    abort.abort(gone)
    await expect(cut).rejects.toBe(gone)
    // An unhandled rejection would fail the run.
    later.reject(new Error('late'))
    await new Promise(setImmediate)
  }
})
