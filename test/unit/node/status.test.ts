import { expect, it } from 'vitest'
import { createStatus, type StatusModules } from '../../../node/services/status.ts'
import { WHOLE } from './whole.ts'

const reasonsAt = async (bytes: number, quotaBytes: number, freeBytes = 1e12): Promise<string[]> => {
  const modules = {
    lifecycle: { state: 'running' },
    operations: { running: 0 },
    peers: () => 1,
    partition: () => WHOLE,
    reachability: () => ({ state: 'local', relays: [] }),
    store: () => ({ bytes, chunks: 1 }),
    library: () => ({}),
    root: async () => null,
    queues: () => ({}),
    skipped: () => [],
    rates: async () => ({}),
    limits: () => ({ up: 0, down: 0 }),
    freeBytes: async () => freeBytes,
    alerts: () => [],
    anomalies: () => [],
    tuned: () => [],
    rssBytes: () => 0,
    uptimeMs: () => 1,
    scrub: () => undefined,
    holdings: async () => ({ complete: 1, damaged: 0, isUnchecked: false })
  } as unknown as StatusModules
  const status = createStatus(modules, { version: '0.0.0', quotaBytes, peersWanted: 1 })
  return (await status.status()).health.reasons
}

it('says how a store stands to its quota', async () => {
  expect(await reasonsAt(94, 100)).toEqual([])
  expect(await reasonsAt(95, 100)).toEqual(['the store has nearly reached its quota'])
  expect(await reasonsAt(100, 100)).toEqual(['the store has reached its quota'])
  expect(await reasonsAt(101, 100)).toEqual(['the store has exceeded its quota: 101 B of 100 B'])
  expect(await reasonsAt(1e12, 0)).toEqual([])
})

it('says that the disk is nearly full before the store refuses, and that it is when the store does', async () => {
  expect(await reasonsAt(0, 0, 2 ** 30)).toEqual([])
  expect(await reasonsAt(0, 0, 2 ** 30 - 1)).toEqual(['the disk is nearly full: 1.07 GB free'])
  expect(await reasonsAt(0, 0, 1e6)).toEqual([expect.stringContaining('takes nothing more')])
})
