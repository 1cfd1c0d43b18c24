import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { beforeEach, describe, expect, it, test } from 'vitest'
import { DAY_MS, GIB, MIB } from '../../../base/index.ts'
import { Ledger } from '../../../ledger/index.ts'
import { accountKey, decodeAccount, encodeAccount, peerOfKey } from '../../../ledger/rows.ts'

const WEEK_MS = 7 * DAY_MS
const NETWORK = '04c00002'
let nowMs: number
let networks: Map<string, string>
beforeEach(() => {
  nowMs = 1_700_000_000_000
  networks = new Map()
})

const open = (maxAccounts?: number): Ledger =>
  new Ledger(
    {
      clock: { now: () => nowMs, monotonicMs: () => nowMs },
      networkOf: peerId => networks.get(peerId) ?? ''
    },
    { halfLifeMs: WEEK_MS, ...(maxAccounts === undefined ? {} : { maxAccounts }) }
  )

/** Weights of peers that are all served at once, once that is known. */
function weights(ledger: Ledger, peers: readonly string[]): number[] {
  for (const peer of peers) ledger.weightOf(peer)
  nowMs += 2000
  return peers.map(peer => ledger.weightOf(peer))
}

const total = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0)

describe('many identities of one network', () => {
  const traffic = fc.record({
    sentBytes: fc.integer({ min: 0, max: 100 * GIB }),
    receivedBytes: fc.integer({ min: 0, max: 100 * GIB })
  })

  it('weigh no more together than one that had given and taken all of it', () => {
    fc.assert(
      fc.property(fc.array(traffic, { minLength: 1, maxLength: 30 }), fc.nat(10), (parts, fresh) => {
        const split = open()
        const one = open()
        const newcomers = Array.from({ length: fresh }, (_, i) => `fresh ${i}`)
        const peers = [...[...parts.keys()].map(String), ...newcomers]
        for (const peer of ['one', ...peers]) networks.set(peer, NETWORK)
        for (const [i, part] of parts.entries()) {
          split.note(String(i), part)
          one.note('one', part)
        }
        const startMs = nowMs
        const [whole] = weights(one, ['one'])
        nowMs = startMs
        expect(total(weights(split, peers))).toBeLessThanOrEqual(whole! + 1e-9)
      })
    )
  })

  it('gain nothing by a new identity when the old one is in debt', () => {
    const ledger = open()
    for (const peer of ['old', 'new']) networks.set(peer, NETWORK)
    ledger.note('old', { sentBytes: 100 * GIB })
    const [before] = weights(ledger, ['old'])
    nowMs += 20_000
    expect(weights(ledger, ['new'])[0]).toBeCloseTo(before!, 6)
  })

  it('leave a giver nearly all of what their network has, and have no share of it while they are away', () => {
    const ledger = open()
    const peers = ['giver', 'taker']
    for (const peer of peers) networks.set(peer, NETWORK)
    ledger.note('giver', { receivedBytes: 100 * GIB })
    ledger.note('taker', { sentBytes: 10 * GIB })
    const [giver, taker] = weights(ledger, peers) as [number, number]
    expect(giver).toBeGreaterThan(10 * taker)
    nowMs += 20_000
    const [alone] = weights(ledger, ['giver']) as [number]
    expect(alone).toBeGreaterThan(giver)
    expect(taker).toBeLessThan(0.3)
  })

  it("are nobody else's business: another network, and local peers, have weights of their own", () => {
    const ledger = open()
    networks.set('bad', NETWORK)
    networks.set('elsewhere', '04c00003')
    ledger.note('bad', { sentBytes: 100 * GIB, violations: 5 })
    expect(weights(ledger, ['bad', 'elsewhere', 'local'])).toEqual(
      [0.25, 1, 1].map(one => expect.closeTo(one, 1))
    )
  })

  it('do not answer for what one of them did against the protocols, nor for its forfeited stake', () => {
    const ledger = open()
    for (const peer of ['bad', 'liar', 'good']) networks.set(peer, NETWORK)
    ledger.note('bad', { violations: 9 })
    ledger.convict('liar', 1)
    const [bad, liar, good] = weights(ledger, ['bad', 'liar', 'good']) as [number, number, number]
    expect(good).toBeGreaterThan(2 * Math.max(bad, liar))
  })
})

describe('a ledger', () => {
  it('weighs who gave above a newcomer, and that above who took', () => {
    const ledger = open()
    ledger.note('giver', { receivedBytes: GIB })
    ledger.note('taker', { sentBytes: GIB })
    const [giver, newcomer, taker] = weights(ledger, ['giver', 'newcomer', 'taker']) as [
      number,
      number,
      number
    ]
    expect(giver).toBeGreaterThan(3)
    expect(newcomer).toBe(1)
    expect(taker).toBeLessThan(0.35)
    nowMs += 100 * WEEK_MS
    for (const weight of weights(ledger, ['giver', 'taker'])) expect(weight).toBeCloseTo(1, 3)
  })

  it('holds a bounded number of accounts: those with little traffic go first, whose stake is forfeited last', () => {
    const ledger = open(100)
    ledger.convict('liar', 1)
    ledger.note('friend', { receivedBytes: GIB })
    for (let i = 0; i < 1000; i++) ledger.note(`peer ${i}`, { sentBytes: 1 + i })
    expect(ledger.size).toBeLessThanOrEqual(100)
    expect(ledger.account('liar')).toBeDefined()
    expect(ledger.account('friend')?.recent.receivedBytes).toBe(GIB)
    expect(ledger.account('peer 0')).toBeUndefined()
    expect(ledger.account('peer 999')).toBeDefined()
    const changed = ledger.takeChanged()
    expect(changed.has('peer 0')).toBe(true)
    expect(changed.get('peer 0')).toBeUndefined()
    expect([...changed.values()].filter(account => account !== undefined)).toHaveLength(ledger.size)
  })

  it('lets go of what an earlier life left over, and says so', () => {
    const before = open(100)
    for (let i = 0; i < 100; i++) before.note(`peer ${i}`, { sentBytes: 1 + i })
    const later = open(10)
    for (const [peerId, account] of before.takeChanged()) later.restore(peerId, account!)
    expect(later.size).toBeLessThanOrEqual(10)
    expect(later.account('peer 99')).toBeDefined()
    const changed = later.takeChanged()
    expect(changed.size).toBe(100 - later.size)
    expect([...changed.values()].every(account => account === undefined)).toBe(true)
  })

  it('convicts once for each contradiction', () => {
    const ledger = open()
    ledger.note('liar', { receivedBytes: GIB })
    expect(ledger.convict('liar', 1)).toBe(true)
    expect(ledger.convict('liar', 1)).toBe(false)
    expect(ledger.scoreOf('liar')).toBe(0)
    nowMs += 31 * DAY_MS
    expect(ledger.scoreOf('liar')).toBe(0.5)
    expect(ledger.convict('liar', 1)).toBe(false)
    expect(ledger.convict('liar', 2)).toBe(true)
    expect(ledger.scoreOf('liar')).toBe(0)
  })
})

describe('rows', () => {
  const vectors = JSON.parse(
    readFileSync(new URL('../../fixtures/vectors/ledger/accounts.json', import.meta.url), 'utf8')
  )

  test.each(vectors.valid as Array<{ name: string; hex: string; account: object }>)(
    'are as they were: $name',
    ({ hex, account }) => {
      expect(decodeAccount(Buffer.from(hex, 'hex'))).toEqual(account)
      expect(Buffer.from(encodeAccount(account as never)).toString('hex')).toBe(hex)
    }
  )

  test.each(vectors.invalid as Array<{ name: string; hex: string }>)('are refused: $name', ({ hex }) => {
    expect(decodeAccount(Buffer.from(hex, 'hex'))).toBeUndefined()
  })

  it('name their peer', () => {
    expect(peerOfKey(accountKey('12D3KooW'))).toBe('12D3KooW')
    expect(Buffer.from(accountKey('12D3KooW')).toString()).toBe('pe/12D3KooW')
  })

  it('hold whatever a ledger has, and throw at nothing', () => {
    const ledger = open()
    ledger.note('a', { sentBytes: MIB, failures: 1 / 3 })
    const [[, account] = []] = ledger.takeChanged()
    expect(decodeAccount(encodeAccount(account!))).toEqual(account)
    fc.assert(fc.property(fc.uint8Array({ maxLength: 120 }), bytes => void decodeAccount(bytes)))
  })
})
