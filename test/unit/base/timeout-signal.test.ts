import { setTimeout as wait } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { HOUR_MS, timeoutSignal, toCatalogError, withTimeout } from '../../../base/index.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const ROUNDS = 100
const PATIENT = { timeout: 20_000 }

describe('a signal with a time', () => {
  it('is aborted after it, as one that is too late', async () => {
    const signal = timeoutSignal(5)
    expect(signal.aborted).toBe(false)
    await expect.poll(() => signal.aborted, PATIENT).toBe(true)
    expect(toCatalogError(signal.reason).code).toBe('TIMEOUT')
  })

  it('leaves next to nothing behind of signals that are made of it, and of those of these', async () => {
    const forever = new AbortController().signal
    const made: WeakRef<AbortSignal>[] = []
    for (let question = 0; question < ROUNDS; question++) {
      const search = AbortSignal.any([forever, timeoutSignal(1)])
      made.push(new WeakRef(search), new WeakRef(AbortSignal.any([search, timeoutSignal(1)])))
    }
    // What the last round had may still stand in a register.
    const few = ROUNDS / 10
    await expect
      .poll(async () => {
        // Collected signals are taken out of the lists of others in a turn of their own.
        await wait(1)
        collectGarbage()
        return made.filter(signal => signal.deref() !== undefined).length
      }, PATIENT)
      .toBeLessThan(few)
  })
})

describe('work with a time', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  const untilEnded = (signal: AbortSignal): Promise<never> =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))

  it('is ended after it, or by the signal that it came with', async () => {
    const late = withTimeout(5, new AbortController().signal, untilEnded)
    await expect(late.catch(toCatalogError)).resolves.toMatchObject({ code: 'TIMEOUT' })
    const stop = new AbortController()
    const stopped = withTimeout(HOUR_MS, stop.signal, untilEnded)
    stop.abort(new Error('enough'))
    await expect(stopped).rejects.toThrow('enough')
  })

  it('leaves no timer behind, however it ended', async () => {
    vi.useFakeTimers()
    const { signal } = new AbortController()
    expect(await withTimeout(HOUR_MS, signal, async () => vi.getTimerCount())).toBe(1)
    await withTimeout(HOUR_MS, signal, () => Promise.reject(new Error('no'))).catch(() => undefined)
    expect(vi.getTimerCount()).toBe(0)
  })
})
