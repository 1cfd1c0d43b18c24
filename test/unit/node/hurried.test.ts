import { expect, test } from 'vitest'
import { SECOND_MS } from '../../../base/index.ts'
import { hurried } from '../../../node/services/hurried.ts'
import { FakeClock } from '../discovery/fake-clock.ts'

test('a wait ends when a peer that is waited for comes, but not at once, and else when its time is up', async () => {
  const clock = new FakeClock()
  const listeners = new Set<(peerId: string) => void>()
  const network = {
    onConnected(listener: (peerId: string) => void) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    }
  }
  const come = (peerId: string): void => {
    for (const listener of listeners) listener(peerId)
  }
  const soon = hurried(clock, network, peerId => peerId === 'wanted')
  const startMs = clock.monotonicMs()
  const tookMs = async (signal?: AbortSignal): Promise<number> => {
    const fromMs = clock.monotonicMs()
    await soon.wait(5 * SECOND_MS, signal)
    return clock.monotonicMs() - fromMs
  }
  const first = tookMs()
  await clock.advance(SECOND_MS)
  come('other')
  await clock.advance(SECOND_MS)
  come('wanted')
  expect(await first).toBe(2 * SECOND_MS)

  const second = tookMs()
  come('wanted')
  await clock.advance(SECOND_MS / 4)
  expect(await second).toBe(SECOND_MS / 4)

  const third = tookMs()
  await clock.advance(5 * SECOND_MS)
  expect(await third).toBe(5 * SECOND_MS)

  const stop = new AbortController()
  const fourth = tookMs(stop.signal)
  fourth.catch(() => {})
  await clock.advance(SECOND_MS)
  stop.abort(new Error('enough'))
  await expect(fourth).rejects.toThrow('enough')
  expect(listeners.size).toBe(0)
  expect(soon.monotonicMs() - startMs).toBe(clock.monotonicMs() - startMs)
})
