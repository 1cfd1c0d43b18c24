import { multiaddr } from '@multiformats/multiaddr'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { HOUR_MS, silentLogger } from '../../../base/index.ts'
import { compareDistance } from '../../../discovery/distance.ts'
import { displayNetwork, networkOf, networkPrefix } from '../../../discovery/index.ts'
import { kademliaId, keyText, nameKey } from '../../../discovery/keys.ts'
import type { ClaimBatch } from '../../../discovery/providers/admission.ts'
import { CLAIM_LIFETIME_MS } from '../../../discovery/providers/limits.ts'
import { ProviderStore } from '../../../discovery/providers/store.ts'
import { Verdict } from '../../../protocols/index.ts'
import { FakeClock } from './fake-clock.ts'
import { MemoryDatabase } from './memory-database.ts'

const { Accepted, StoreFull } = Verdict
const SELF = Buffer.from('self')
const BOUNDS = { maxProviders: 20, maxBytes: 10_000 }
const LIMITS = {
  claimsPerProvider: 6,
  claims: 20,
  providers: 8,
  claimsPerNetwork: 10,
  providersPerNetwork: 4,
  waitingBatches: 100
}
/** Keys from the nearest to this node to the farthest. */
const KEYS = Array.from({ length: 60 }, (_, n) => nameKey(`key-${n}`)).sort((a, b) =>
  compareDistance(kademliaId(SELF), kademliaId(a), kademliaId(b))
)
const NETWORKS = ['8.8.8.8', '9.9.9.9', '1.1.1.1', '127.0.0.1'].map(ip =>
  networkPrefix(multiaddr(`/ip4/${ip}/udp/1/quic-v1`))
)

describe('a full provider store', () => {
  let database: MemoryDatabase
  let clock: FakeClock
  let store: ProviderStore
  let evicted: number
  let share: number

  const open = (limits: object = {}): void => {
    database = new MemoryDatabase()
    clock = new FakeClock()
    evicted = 0
    store = new ProviderStore(
      {
        database,
        clock,
        log: silentLogger,
        random: () => share,
        onEvict: count => {
          evicted += count
        }
      },
      { self: SELF, isNear: () => true, limits: { ...LIMITS, ...limits } }
    )
  }
  const batch = (who: string, keys: readonly number[], network?: number): ClaimBatch => {
    const prefix = network === undefined ? undefined : NETWORKS[network]
    return {
      provider: Buffer.from(who),
      ...(prefix === undefined ? {} : { network: prefix }),
      peerRecord: Buffer.from(`record of ${who}`),
      sequence: 1n,
      keys: keys.map(n => KEYS[n]!),
      lifetimeMs: CLAIM_LIFETIME_MS
    }
  }
  const holders = async (n: number): Promise<string[]> =>
    (await store.get(KEYS[n]!, BOUNDS)).map(({ provider }) => Buffer.from(provider).toString()).sort()
  const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)

  beforeEach(() => {
    share = 0
    open()
  })

  it('gives up the farthest claim for a nearer one, and none for a farther one', async () => {
    open({ claims: 4 })
    await store.add(batch('a', [10, 20, 30, 40]))
    expect(await store.add(batch('b', [50]))).toEqual([StoreFull])
    expect(await store.add(batch('b', [25]))).toEqual([Accepted])
    expect(await holders(40)).toEqual([])
    expect(await store.add(batch('b', [1, 35]))).toEqual([Accepted, StoreFull])
    expect(await Promise.all([1, 10, 20, 25].map(holders))).toEqual([['b'], ['a'], ['a'], ['b']])
    expect(store.totals()).toEqual({ claims: 4, providers: 2 })
    expect(evicted).toBe(2)
  })

  it('gives up an expired claim first, also for a farther one', async () => {
    open({ claims: 4 })
    await store.add({ ...batch('a', [10]), lifetimeMs: HOUR_MS })
    await store.add(batch('b', [20, 30, 40]))
    await clock.advance(2 * HOUR_MS)
    expect(await store.add(batch('c', [50]))).toEqual([Accepted])
    expect(await Promise.all([20, 30, 40, 50].map(holders))).toEqual([['b'], ['b'], ['b'], ['c']])
    expect(store.totals()).toEqual({ claims: 4, providers: 2 })
  })

  it('renews what it holds, and takes its own claims, whose number counts for nothing', async () => {
    open({ claims: 2 })
    await store.add(batch('a', [10, 20]))
    expect(await store.add(batch('a', [10, 20]))).toEqual([Accepted, Accepted])
    expect(await store.add(batch('self', range(0, 60)))).toEqual(range(0, 60).map(() => Accepted))
    expect(await holders(10)).toEqual(['a', 'self'])
    expect(store.totals()).toEqual({ claims: 2, providers: 1 })
    expect(await store.add(batch('b', [5]))).toEqual([Accepted])
    expect(await holders(59)).toEqual(['self'])
    await clock.advance(26 * HOUR_MS)
    expect(await store.cleanUp()).toEqual({ removed: 62, done: true })
    expect(database.rows.size).toBe(1)
  })

  it('makes room for a new provider by giving up one with a single far claim', async () => {
    open({ providers: 2 })
    await store.add(batch('a', [50, 51]))
    await store.add(batch('b', [40]))
    expect(await store.add(batch('c', [45]))).toEqual([StoreFull])
    expect(await store.add(batch('c', [30]))).toEqual([Accepted])
    expect(store.totals()).toEqual({ claims: 3, providers: 2 })
    expect(await holders(40)).toEqual([])
  })

  it('counts the claims of a provider that moves to its new network', async () => {
    await store.add(batch('a', range(0, 6), 0))
    await store.add(batch('b', range(0, 4), 0))
    expect(await store.add(batch('c', [0], 0))).toEqual([StoreFull])
    await store.add(batch('b', [0], 1))
    expect(await store.add(batch('c', range(0, 4), 0))).toEqual(range(0, 4).map(() => Accepted))
    // No room there: stays where it was counted.
    await store.add(batch('b', [0], 0))
    expect(await store.add(batch('d', range(0, 6), 1))).toEqual(range(0, 6).map(() => Accepted))
    expect(await store.add(batch('e', [7], 1))).toEqual([StoreFull])
  })

  it('is not filled by the identities of one network', async () => {
    for (let n = 0; n < 30; n++) await store.add(batch(`evil ${n}`, range(0, 6), 0))
    expect(store.totals()).toEqual({ claims: 10, providers: 2 })
    expect(await store.add(batch('honest', range(54, 60), 1))).toEqual(range(54, 60).map(() => Accepted))
  })

  it('keeps every near key of others, whatever one network announces', async () => {
    // The store is full of 20 claims; a network may have 10, so the 10 nearest of the honest ones stay in any case.
    const flood = fc.array(fc.record({ who: fc.nat(20), keys: keysOf() }), { minLength: 10, maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(flood, fc.double({ min: 0, max: 0.99, noNaN: true }), async (batches, luck) => {
        share = luck
        open()
        for (const n of range(10, 30)) await store.add(batch(`honest ${n % 5}`, [n], 1 + ((n % 5) % 3)))
        expect(store.totals().claims).toBe(LIMITS.claims)
        for (const { who, keys } of batches) await store.add(batch(`evil ${who}`, keys, 0))
        for (const n of range(10, 20)) expect(await holders(n)).toContain(`honest ${n % 5}`)
      })
    )
  })

  it('holds its bounds and keeps the nearest, as a model says', async () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ who: fc.nat(11), network: fc.nat(3), keys: keysOf() }) },
      { weight: 1, arbitrary: fc.record({ hours: fc.integer({ min: 1, max: 12 }) }) },
      { weight: 1, arbitrary: fc.constant('clean' as const) }
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 60 }), async steps => {
        open()
        const model = new Model(() => clock.now())
        for (const one of steps) {
          if (one === 'clean') await store.cleanUp()
          else if ('hours' in one) await clock.advance(one.hours * HOUR_MS)
          else model.apply(one, await store.add(batch(`peer ${one.who}`, one.keys, one.network)))
          model.check(claimsIn(database), store.totals())
          expect(countsIn(database)).toEqual(store.totals())
        }
      }),
      { numRuns: 60 }
    )
  })
})

const keysOf = (): fc.Arbitrary<number[]> =>
  fc.uniqueArray(fc.nat(KEYS.length - 1), { minLength: 1, maxLength: 5 })

/** What may be in the store: nothing that was not accepted, no live claim gone but for a nearer one. */
class Model {
  readonly #now: () => number
  /** Claims by "key index, provider", with when they expire. */
  #held = new Map<string, { at: number; expiresAt: number }>()
  #nearestNew = Number.POSITIVE_INFINITY

  constructor(now: () => number) {
    this.#now = now
  }

  apply(step: { who: number; keys: number[] }, verdicts: readonly Verdict[]): void {
    const fresh = step.keys.filter((n, i) => verdicts[i] === Accepted && !this.#held.has(name(n, step.who)))
    this.#nearestNew = Math.min(Number.POSITIVE_INFINITY, ...fresh)
    for (const [i, n] of step.keys.entries())
      if (verdicts[i] === Accepted)
        this.#held.set(name(n, step.who), { at: n, expiresAt: this.#now() + CLAIM_LIFETIME_MS })
  }

  check(stored: ReadonlySet<string>, totals: { claims: number; providers: number }): void {
    expect(totals.claims).toBe(stored.size)
    expect(totals.claims).toBeLessThanOrEqual(LIMITS.claims)
    expect(totals.providers).toBeLessThanOrEqual(LIMITS.providers)
    for (const id of stored) expect(this.#held.has(id)).toBe(true)
    for (const [id, { at, expiresAt }] of this.#held) {
      if (stored.has(id)) continue
      if (expiresAt > this.#now()) expect(at).toBeGreaterThan(this.#nearestNew)
      this.#held.delete(id)
    }
    this.#nearestNew = Number.POSITIVE_INFINITY
  }
}

const name = (n: number, who: number): string => `${n} peer ${who}`
const DISTANCES = new Map(
  KEYS.map((key, n) => [keyText(kademliaId(key).map((byte, i) => byte ^ kademliaId(SELF)[i]!)), n])
)

/** The claims of others in the rows as docs/disk-format.md has them, parsed here apart from the code. */
function claimsIn({ rows }: MemoryDatabase): Set<string> {
  const head = Buffer.from('dc/\0').toString('hex')
  const claims = [...rows.keys()].filter(row => row.startsWith(head)).map(row => row.slice(head.length))
  return new Set(
    claims.map(row => `${DISTANCES.get(row.slice(0, 64))} ${Buffer.from(row.slice(64), 'hex').toString()}`)
  )
}

/** The sum of what is counted of each network and of providers without one; no network beyond its limits. */
function countsIn({ rows }: MemoryDatabase): { claims: number; providers: number } {
  const sum = { claims: 0, providers: 0 }
  for (const [row, value] of rows) {
    const key = Buffer.from(row, 'hex').toString('latin1')
    const bytes = Buffer.from(value)
    const claims = bytes.readUInt32BE(1)
    const isUnlimited = key.startsWith('dp/') && bytes[13] === 0
    if (isUnlimited) sum.providers++
    if (key.startsWith('dw/')) {
      expect(claims).toBeLessThanOrEqual(LIMITS.claimsPerNetwork)
      expect(bytes.readUInt32BE(5)).toBeLessThanOrEqual(LIMITS.providersPerNetwork)
      sum.providers += bytes.readUInt32BE(5)
    }
    if (isUnlimited || key.startsWith('dw/')) sum.claims += claims
  }
  return sum
}

describe('the network of an address', () => {
  const of = (address: string): string | undefined => networkOf(multiaddr(address))

  it('is a /24 of IPv4 and a /48 of IPv6, also of an address read from bytes', () => {
    expect(of('/ip4/8.8.4.9/udp/1/quic-v1')).toBe('04080804')
    expect(of('/ip6/2a00:1:2:3::1/udp/1/quic-v1')).toBe('062a0000010002')
    const bytes = multiaddr('/ip6/2a00:1:2:3::1/udp/1/quic-v1').bytes
    expect(keyText(networkPrefix(multiaddr(bytes))!)).toBe('062a0000010002')
  })

  it('can be read', () => {
    expect(displayNetwork(of('/ip4/8.8.4.9/udp/1/quic-v1')!)).toBe('8.8.4.0/24')
    expect(displayNetwork(of('/ip6/2a00:1:2:3::1/udp/1/quic-v1')!)).toBe('2a00:1:2::/48')
  })

  it('is none for private, loopback and named addresses', () => {
    for (const address of ['/ip4/127.0.0.1', '/ip4/192.168.1.1', '/ip6/::1', '/ip6/fd00::1', '/dns4/x.org'])
      expect(of(`${address}/udp/1/quic-v1`)).toBeUndefined()
  })
})
