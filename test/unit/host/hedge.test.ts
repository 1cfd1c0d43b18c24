import { expect, test } from 'vitest'
import { hedge } from '../../../node/host/hedge.ts'

/** Two attempts that end when the test says so. */
function attempts(headStartMs = 0) {
  const first = Promise.withResolvers<string>()
  const second = Promise.withResolvers<string>()
  const begun: string[] = []
  const signals: AbortSignal[] = []
  const late: string[] = []
  const stop = new AbortController()
  const run =
    (name: string, result: Promise<string>) =>
    (signal: AbortSignal): Promise<string> => {
      begun.push(name)
      signals.push(signal)
      signal.addEventListener('abort', () => (name === 'first' ? first : second).reject(signal.reason))
      return result
    }
  const options = { headStartMs, signal: stop.signal, giveBack: (value: string) => late.push(value) }
  const result = hedge(run('first', first.promise), run('second', second.promise), options)
  return { first, second, begun, signals, late, stop, result }
}

test('the second does not begin while the first is in time', async () => {
  const { first, begun, result } = attempts(60_000)
  first.resolve('quic')
  expect(await result).toBe('quic')
  expect(begun).toEqual(['first'])
})

test('the second begins at once when the first fails', async () => {
  const { first, second, begun, result } = attempts(60_000)
  first.reject(new Error('refused'))
  await expect.poll(() => begun).toEqual(['first', 'second'])
  second.resolve('tcp')
  expect(await result).toBe('tcp')
})

test('the faster one is used and the other told to stop', async () => {
  const { second, begun, signals, result } = attempts()
  await expect.poll(() => begun).toHaveLength(2)
  second.resolve('tcp')
  expect(await result).toBe('tcp')
  expect(signals.map(signal => signal.aborted)).toEqual([true, false])
})

test('what the slower one brings after all is given back', async () => {
  const late: string[] = []
  const first = Promise.withResolvers<string>()
  const options = {
    headStartMs: 0,
    signal: new AbortController().signal,
    giveBack: (value: string) => late.push(value)
  }
  expect(
    await hedge(
      () => first.promise,
      async () => 'tcp',
      options
    )
  ).toBe('tcp')
  first.resolve('quic')
  await expect.poll(() => late).toEqual(['quic'])
})

test('when both fail the error is that of the first', async () => {
  const { first, second, result } = attempts()
  first.reject(new Error('no answer'))
  second.reject(new Error('refused'))
  await expect(result).rejects.toThrow('no answer')
})

test('its signal ends both', async () => {
  const { begun, stop, result } = attempts()
  await expect.poll(() => begun).toHaveLength(2)
  stop.abort(new Error('enough'))
  await expect(result).rejects.toThrow('enough')
})
