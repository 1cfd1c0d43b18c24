import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { HOUR_MS, silentLogger } from '../../../base/index.ts'
import { kademliaId, keyText, nameKey } from '../../../discovery/keys.ts'
import type { ClaimBatch } from '../../../discovery/providers/admission.ts'
import { CLAIM_LIFETIME_MS, PROVIDER_LIMITS } from '../../../discovery/providers/limits.ts'
import { placeAmongProviders } from '../../../discovery/providers/rows.ts'
import { ProviderStore } from '../../../discovery/providers/store.ts'
import { Verdict } from '../../../protocols/index.ts'
import { FakeClock } from './fake-clock.ts'
import { MemoryDatabase } from './memory-database.ts'

const provider = (n: number): Uint8Array => Buffer.from(`provider-${n}`)
const key = (n: number): Uint8Array => nameKey(`key-${n}`)
const BOUNDS = { maxProviders: 20, maxBytes: 10_000 }
const SELF = provider(0)

describe('provider store', () => {
  let database: MemoryDatabase
  let clock: FakeClock
  let near: (key: Uint8Array) => boolean
  let store: ProviderStore

  const open = (limits = {}): ProviderStore =>
    new ProviderStore(
      { database, clock, log: silentLogger, random: () => 0.5 },
      { self: SELF, isNear: wanted => near(wanted), limits: { ...PROVIDER_LIMITS, ...limits } }
    )
  const batch = (n: number, keys: number[], more: Partial<ClaimBatch> = {}): ClaimBatch => ({
    provider: provider(n),
    peerRecord: Buffer.from(`record of ${n}`),
    sequence: 1n,
    keys: keys.map(key),
    lifetimeMs: CLAIM_LIFETIME_MS,
    ...more
  })
  const told = async (n: number): Promise<string[]> =>
    (await store.get(key(n), BOUNDS)).map(record => Buffer.from(record.provider).toString()).sort()

  beforeEach(() => {
    database = new MemoryDatabase()
    clock = new FakeClock()
    near = () => true
    store = open()
  })

  it('tells what it was told, also after a restart', async () => {
    expect(await store.add(batch(1, [1, 2]))).toEqual([Verdict.Accepted, Verdict.Accepted])
    await store.add(batch(2, [1]))
    store = open()
    expect(await told(1)).toEqual(['provider-1', 'provider-2'])
    expect(await told(2)).toEqual(['provider-1'])
    expect(await told(3)).toEqual([])
    expect(store.totals()).toEqual({ claims: 3, providers: 2 })
    const [record] = await store.get(key(2), BOUNDS)
    expect(Buffer.from(record!.peerRecord).toString()).toBe('record of 1')
    expect(record!.expiresAt - record!.receivedAt).toBe(CLAIM_LIFETIME_MS)
  })

  it('lets the newest claim win and the newest addresses stay', async () => {
    await store.add(batch(1, [1], { sequence: 5n, peerRecord: Buffer.from('new') }))
    await clock.advance(20 * HOUR_MS)
    await store.add(batch(1, [1], { sequence: 4n, peerRecord: Buffer.from('old') }))
    await clock.advance(20 * HOUR_MS)
    const [record] = await store.get(key(1), BOUNDS)
    expect(Buffer.from(record!.peerRecord).toString()).toBe('new')
    expect(store.totals()).toEqual({ claims: 1, providers: 1 })
  })

  it('keeps no claim longer than the lifetime, and none shorter than was asked', async () => {
    await store.add(batch(1, [1], { lifetimeMs: 48 * HOUR_MS }))
    await store.add(batch(2, [1], { lifetimeMs: HOUR_MS }))
    await clock.advance(HOUR_MS - 1)
    expect(await told(1)).toEqual(['provider-1', 'provider-2'])
    await clock.advance(1)
    expect(await told(1)).toEqual(['provider-1'])
    await clock.advance(24 * HOUR_MS)
    expect(await told(1)).toEqual([])
  })

  it('refuses keys of others that are far away, and takes its own', async () => {
    near = wanted => keyText(wanted) === keyText(key(1))
    expect(await store.add(batch(1, [1, 2]))).toEqual([Verdict.Accepted, Verdict.NotNear])
    expect(await store.add(batch(0, [1, 2]))).toEqual([Verdict.Accepted, Verdict.Accepted])
  })

  it('holds its limits: for each provider, in all, and of providers', async () => {
    store = open({ claimsPerProvider: 2, claims: 4, providers: 2 })
    const { Accepted, ProviderFull, StoreFull } = Verdict
    expect(await store.add(batch(1, [1, 2, 3]))).toEqual([Accepted, Accepted, ProviderFull])
    expect(await store.add(batch(1, [1]))).toEqual([Accepted])
    expect(await store.add(batch(2, [1]))).toEqual([Accepted])
    expect(await store.add(batch(3, [1]))).toEqual([StoreFull])
    expect(await store.add(batch(2, [2, 3]))).toEqual([Accepted, ProviderFull])
    expect(store.totals()).toEqual({ claims: 4, providers: 2 })
    await clock.advance(26 * HOUR_MS)
    while (!(await store.cleanUp()).done);
    expect(store.totals()).toEqual({ claims: 0, providers: 0 })
    expect(await store.add(batch(3, [1]))).toEqual([Accepted])
  })

  it('counts a key that stands twice in a batch once', async () => {
    await store.add(batch(1, [1, 1]))
    expect(store.totals()).toEqual({ claims: 1, providers: 1 })
  })

  it('tells of each provider of a crowded key, not only of those whose ids come first', async () => {
    const told = new Set<string>()
    const crowd = 1000
    let share = 0
    const crowded = new ProviderStore(
      { database, clock, log: silentLogger, random: () => share },
      { self: SELF, isNear: () => true }
    )
    for (let n = 0; n < crowd; n++) {
      const id = placeAmongProviders(n / crowd)
      await crowded.add({ ...batch(1, [1]), provider: id })
    }
    for (share = 0; share < 1; share += 0.1)
      for (const { provider: id } of await crowded.get(key(1), { maxProviders: 256, maxBytes: 100_000 }))
        told.add(keyText(id))
    expect(told.size).toBe(crowd)
  })

  it('bounds an answer in providers and bytes', async () => {
    for (let n = 1; n <= 30; n++) await store.add(batch(n, [1]))
    expect(await store.get(key(1), { maxProviders: 7, maxBytes: 10_000 })).toHaveLength(7)
    expect(await store.get(key(1), { maxProviders: 30, maxBytes: 50 })).toHaveLength(4)
  })

  it('writes what comes together in one go, and refuses more than may wait', async () => {
    const writes = database.writes
    await Promise.all(Array.from({ length: 10 }, (_, n) => store.add(batch(n + 1, [n]))))
    expect(database.writes - writes).toBeLessThan(10)
    store = open({ waitingBatches: 2 })
    const results = await Promise.allSettled(
      Array.from({ length: 5 }, (_, n) => store.add(batch(n + 1, [n])))
    )
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(3)
    expect(results.at(-1)).toMatchObject({ reason: { code: 'BUSY' } })
  })

  it('tells a failed write and goes on', async () => {
    database.failure = new Error('disk')
    await expect(store.add(batch(1, [1]))).rejects.toThrow('disk')
    expect(await store.add(batch(1, [1]))).toEqual([Verdict.Accepted])
    expect(store.totals()).toEqual({ claims: 1, providers: 1 })
  })

  it('keeps counts right whatever is added, expires and is cleaned up', async () => {
    const step = fc.oneof(
      fc.record({ add: fc.nat(4), keys: fc.array(fc.nat(6), { minLength: 1, maxLength: 4 }) }),
      fc.record({ hours: fc.integer({ min: 1, max: 20 }) }),
      fc.constant('clean' as const)
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async steps => {
        database = new MemoryDatabase()
        clock = new FakeClock()
        store = open({ claimsPerProvider: 5, claims: 12, providers: 4 })
        for (const one of steps) {
          if (one === 'clean') await store.cleanUp()
          else if ('hours' in one) await clock.advance(one.hours * HOUR_MS)
          else await store.add(batch(one.add + 1, one.keys))
          const rows = [...database.rows.keys()].map(row => Buffer.from(row, 'hex').toString('latin1'))
          const totals = store.totals()
          expect(totals.claims).toBe(rows.filter(row => row.startsWith('dc/')).length)
          expect(totals.providers).toBe(rows.filter(row => row.startsWith('dp/')).length)
          expect(totals.claims).toBeLessThanOrEqual(12)
          expect(totals.providers).toBeLessThanOrEqual(4)
        }
      }),
      { numRuns: 40 }
    )
  })

  it('cleans up in bounded steps', async () => {
    const many = Array.from({ length: 2500 }, (_, n) => n)
    await store.add(batch(1, many))
    await clock.advance(26 * HOUR_MS)
    const steps = []
    for (let i = 0; i < 3; i++) steps.push(await store.cleanUp())
    expect(steps).toEqual([
      { removed: 1000, done: false },
      { removed: 1000, done: false },
      { removed: 500, done: true }
    ])
  })

  it('tells a crowded key’s providers by chance, not by the order of their ids', async () => {
    for (let n = 1; n <= 30; n++) await store.add(batch(n, [1]))
    let draw = 0
    const random = (): number => kademliaId(Buffer.from(`${draw++}`))[0]! / 256
    store = new ProviderStore({ database, clock, log: silentLogger, random }, { self: SELF, isNear: near })
    const seen = new Set<string>()
    for (let i = 0; i < 20; i++)
      for (const record of await store.get(key(1), { maxProviders: 5, maxBytes: 10_000 }))
        seen.add(Buffer.from(record.provider).toString())
    expect(seen.size).toBeGreaterThan(20)
  })
})
