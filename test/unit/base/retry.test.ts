import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { backoffDelayMs, CatalogError, type Clock, type RetryPolicy, retry } from '../../../base/index.ts'

const POLICY: RetryPolicy = { attempts: 4, firstDelayMs: 100, maxDelayMs: 300, factor: 2, jitter: 1 }

/** A clock whose waits end at once and are written down. */
function recordingClock(): { clock: Clock; waitsMs: number[] } {
  const waitsMs: number[] = []
  const clock: Clock = {
    now: () => 0,
    monotonicMs: () => 0,
    wait: async (ms, signal) => {
      signal?.throwIfAborted()
      waitsMs.push(ms)
    }
  }
  return { clock, waitsMs }
}

const failing = (times: number): (() => Promise<string>) => {
  let calls = 0
  return async () => {
    calls++
    if (calls <= times) throw new CatalogError('BUSY', `failure ${calls}`)
    return `call ${calls}`
  }
}

describe('retry', () => {
  test('waits longer and longer up to the limit, then succeeds', async () => {
    const { clock, waitsMs } = recordingClock()
    expect(await retry(failing(3), POLICY, { clock, random: () => 0.999_999_9 })).toBe('call 4')
    expect(waitsMs.map(Math.round)).toEqual([100, 200, 300])
  })

  test('throws the last error as it came when the attempts are used up', async () => {
    const { clock, waitsMs } = recordingClock()
    await expect(retry(failing(9), POLICY, { clock })).rejects.toThrow('failure 4')
    expect(waitsMs).toHaveLength(3)
  })

  test('does not repeat what is not retryable, nor an abort', async () => {
    const { clock, waitsMs } = recordingClock()
    await expect(retry(failing(9), POLICY, { clock, retryable: () => false })).rejects.toThrow('failure 1')
    const aborted = async (): Promise<never> => {
      throw new CatalogError('ABORTED', 'no more')
    }
    await expect(retry(aborted, POLICY, { clock })).rejects.toThrow('no more')
    expect(waitsMs).toEqual([])
  })

  test('an abort during the wait ends it with the reason and starts no attempt', async () => {
    const abort = new AbortController()
    const reason = new Error('stop')
    let calls = 0
    const call = async (): Promise<never> => {
      calls++
      throw new Error('fails')
    }
    const clock: Clock = {
      now: () => 0,
      monotonicMs: () => 0,
      wait: (_ms, signal) =>
        new Promise((_resolve, reject) => {
          signal!.addEventListener('abort', () => reject(signal!.reason))
          abort.abort(reason)
        })
    }
    await expect(retry(call, POLICY, { clock, signal: abort.signal })).rejects.toBe(reason)
    expect(calls).toBe(1)
  })

  test('an aborted signal starts nothing', async () => {
    const { clock } = recordingClock()
    const started = retry(failing(0), POLICY, { clock, signal: AbortSignal.abort(new Error('early')) })
    await expect(started).rejects.toThrow('early')
  })

  test('tells of every retry', async () => {
    const { clock } = recordingClock()
    const told: unknown[] = []
    const onRetry = (error: unknown, attempt: number, delayMs: number): unknown =>
      told.push([(error as Error).message, attempt, delayMs])
    await retry(failing(2), { ...POLICY, jitter: 0 }, { clock, onRetry })
    expect(told).toEqual([
      ['failure 1', 1, 100],
      ['failure 2', 2, 200]
    ])
  })

  test('refuses a policy that makes no sense', async () => {
    const { clock } = recordingClock()
    for (const wrong of [{ attempts: 0 }, { jitter: 2 }, { factor: 0.5 }, { maxDelayMs: 1 }])
      await expect(retry(failing(0), { ...POLICY, ...wrong }, { clock })).rejects.toMatchObject({
        code: 'INTERNAL'
      })
  })
})

test('the wait stays between the part that is not random and the limit', () => {
  fc.assert(
    fc.property(
      fc.record({
        first: fc.nat(1000),
        extra: fc.nat(10_000),
        factor: fc.double({ min: 1, max: 10, noNaN: true })
      }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer({ min: 1, max: 500 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      ({ first, extra, factor }, jitter, attempt, random) => {
        const maxDelayMs = first + extra
        const policy = { attempts: 1, firstDelayMs: first, maxDelayMs, factor, jitter }
        const delayMs = backoffDelayMs(policy, attempt, random)
        expect(delayMs).toBeLessThanOrEqual(maxDelayMs)
        expect(delayMs).toBeGreaterThanOrEqual(first * (1 - jitter) * 0.999_999)
      }
    )
  )
})
