import { describe, expect, test } from 'vitest'
import { SingleFlight } from '../../../base/index.ts'

const create = (maxKeys = 10): SingleFlight<string, string> => new SingleFlight({ name: 'tests', maxKeys })

describe('SingleFlight', () => {
  test('callers of one key share one call, later ones start anew', async () => {
    const flights = create()
    let calls = 0
    const call = async (): Promise<string> => `call ${++calls}`
    expect(
      await Promise.all([flights.run('a', call), flights.run('a', call), flights.run('b', call)])
    ).toEqual(['call 1', 'call 1', 'call 2'])
    expect(flights.size).toBe(0)
    expect(await flights.run('a', call)).toBe('call 3')
  })

  test('all callers get the error, also one thrown at once', async () => {
    const flights = create()
    const call = (): never => {
      throw new Error('at once')
    }
    const both = await Promise.allSettled([flights.run('a', call), flights.run('a', call)])
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(flights.size).toBe(0)
  })

  test('one caller may leave; when the last leaves the call is aborted and the key is free', async () => {
    const flights = create()
    const seen: AbortSignal[] = []
    const call = (signal: AbortSignal): Promise<string> => {
      seen.push(signal)
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
      })
    }
    const [first, second] = [new AbortController(), new AbortController()]
    const one = flights.run('a', call, first.signal)
    const two = flights.run('a', call, second.signal)
    first.abort(new Error('one left'))
    await expect(one).rejects.toThrow('one left')
    expect(seen[0]!.aborted).toBe(false)
    second.abort(new Error('two left'))
    await expect(two).rejects.toThrow('two left')
    expect(seen[0]!.aborted).toBe(true)
    expect(seen[0]!.reason).toMatchObject({ code: 'ABORTED' })
    expect(flights.size).toBe(0)
  })

  test('a call that ended is not aborted afterwards', async () => {
    const flights = create()
    let signal: AbortSignal | undefined
    await flights.run('a', async given => {
      signal = given
      return 'done'
    })
    expect(signal!.aborted).toBe(false)
  })

  test('more keys than the limit are refused', async () => {
    const flights = create(1)
    const never = (): Promise<string> => new Promise(() => undefined)
    void flights.run('a', never)
    await expect(flights.run('b', never)).rejects.toMatchObject({ code: 'BUSY', details: { maxKeys: 1 } })
    const abort = AbortSignal.timeout(0)
    await expect(flights.run('a', never, abort)).rejects.toThrow()
  })
})
