import { setTimeout as wait } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { timeoutSignal, toCatalogError } from '../../../base/index.ts'

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
