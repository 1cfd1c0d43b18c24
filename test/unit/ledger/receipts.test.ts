import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { beforeEach, describe, expect, it, test } from 'vitest'
import { DAY_MS, GIB, toCatalogError } from '../../../base/index.ts'
import { liftOf, MAX_LIFT, type Vouched } from '../../../ledger/hints.ts'
import { Ledger } from '../../../ledger/index.ts'
import { decodeReceipt, isCurrent, MAX_RECEIPT_BYTES, signReceipt } from '../../../ledger/receipt.ts'
import { scoreOf } from '../../../ledger/standing.ts'
import { SigningKey, sha256 } from '../../../trust/index.ts'

interface Vectors {
  signerSeed: string
  giver: string
  takenBytes: number
  sequence: number
  expires: number
  bytes: string
  withUnknownField: string
  invalid: Array<{ name: string; code: string; bytes: string }>
}
const vectors = JSON.parse(
  readFileSync(new URL('../../fixtures/vectors/ledger/receipts.json', import.meta.url), 'utf8')
) as Vectors
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const unhex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))
const codeOf = (run: () => unknown): string => {
  try {
    run()
    return 'taken'
  } catch (thrown) {
    return toCatalogError(thrown).code
  }
}

describe('a receipt', () => {
  const { takenBytes, sequence, expires, bytes } = vectors
  const signer = SigningKey.fromSeed(sha256(Buffer.from(vectors.signerSeed)))
  const giver = unhex(vectors.giver)
  const read = { node: signer.publicKey, giver, bytes: takenBytes, sequence, expires }

  test('has the bytes it has', () => {
    const signed = signReceipt({ giver, bytes: takenBytes }, { nowMs: sequence }, signer)
    expect([hex(signed.bytes), signed.sequence]).toEqual([bytes, sequence])
    expect(decodeReceipt(unhex(bytes))).toEqual(read)
    expect(bytes.length / 2).toBeLessThan(MAX_RECEIPT_BYTES / 2)
  })

  test('may have fields that this version does not know', () => {
    expect(decodeReceipt(unhex(vectors.withUnknownField))).toEqual(read)
  })

  test.each(vectors.invalid)('refused: $name', sample => {
    expect(codeOf(() => decodeReceipt(unhex(sample.bytes)))).toBe(sample.code)
  })

  test('is nothing else', () => {
    const refused = /^(RECEIPT_INVALID|SIGNATURE_INVALID|UNSUPPORTED)$/
    const good = unhex(bytes)
    fc.assert(
      fc.property(fc.nat(good.byteLength - 1), fc.integer({ min: 1, max: 255 }), (at, bits) => {
        const changed = Uint8Array.from(good)
        changed[at]! ^= bits
        expect(codeOf(() => decodeReceipt(changed))).toMatch(refused)
      }),
      { numRuns: 150 }
    )
  })

  test('has a later sequence than the one before, though the clock was set back', () => {
    const { sequence: next } = signReceipt({ giver, bytes: 1 }, { nowMs: sequence, last: expires }, signer)
    expect(next).toBe(expires + 1)
  })

  test('counts from when it was signed, clocks aside, until it expires', () => {
    const counts = (atMs: number): boolean => isCurrent(read, atMs)
    expect([sequence, expires - 1].map(counts)).toEqual([true, true])
    expect([sequence - DAY_MS, expires].map(counts)).toEqual([false, false])
  })
})

const score = fc.double({ min: 0, max: 1, noNaN: true })
const bytes = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })
const network = fc.constantFrom('', '04c00002', '04c00003', '04c00004', '04c00005', '04c00006')
const vouched: fc.Arbitrary<Vouched> = fc.record({ bytes, score, network })
const many = fc.array(vouched, { maxLength: 20 })

describe('what receipts are worth', () => {
  it('is never more than a tenth, and never less for one more', () => {
    fc.assert(
      fc.property(many, vouched, network, (receipts, more, own) => {
        const lift = liftOf(receipts, own)
        expect(lift).toBeGreaterThanOrEqual(0)
        expect(lift).toBeLessThanOrEqual(MAX_LIFT)
        expect(liftOf([...receipts, more], own)).toBeGreaterThanOrEqual(lift)
      })
    )
    const best = ['04c00002', '04c00003', '04c00004', '04c00005', '04c00006']
    const all = best.map(one => ({ bytes: Number.MAX_SAFE_INTEGER, score: 1, network: one }))
    expect(scoreOf({ ...NOBODY }, liftOf(all, ''))).toBeCloseTo(0.6, 6)
  })

  it('never falls with what a signer took, or with how it stands here', () => {
    fc.assert(
      fc.property(many, vouched, vouched, (others, one, two) => {
        const [less, more] = [Math.min, Math.max].map(of => ({
          network: one.network,
          bytes: of(one.bytes, two.bytes),
          score: of(one.score, two.score)
        })) as [Vouched, Vouched]
        expect(liftOf([...others, more], '')).toBeGreaterThanOrEqual(liftOf([...others, less], ''))
      })
    )
  })

  it('is that of the best signer where all are of one network, and nothing in the own one', () => {
    fc.assert(
      fc.property(fc.array(vouched, { minLength: 1, maxLength: 20 }), network, (receipts, one) => {
        const together = receipts.map(receipt => ({ ...receipt, network: one }))
        const best = Math.max(...together.map(receipt => liftOf([receipt], 'elsewhere')))
        expect(liftOf(together, 'elsewhere')).toBeCloseTo(best, 12)
        if (one !== '') expect(liftOf(together, one)).toBe(0)
      })
    )
  })

  it('is outweighed by what was measured: with a lift, too, giving never lowers a score and taking never raises it', () => {
    const amount = fc.double({ min: 0, max: 1e13, noNaN: true })
    const lifts = fc.double({ min: 0, max: MAX_LIFT, noNaN: true })
    fc.assert(
      fc.property(amount, amount, amount, lifts, (sentBytes, receivedBytes, more, lift) => {
        const some = { ...NOBODY, sentBytes, receivedBytes }
        const lifted = scoreOf(some, lift)
        expect(lifted).toBeGreaterThanOrEqual(scoreOf(some))
        expect(lifted).toBeLessThanOrEqual(1)
        expect(scoreOf({ ...some, receivedBytes: receivedBytes + more }, lift)).toBeGreaterThanOrEqual(
          lifted - 1e-12
        )
        expect(scoreOf({ ...some, sentBytes: sentBytes + more }, lift)).toBeLessThanOrEqual(lifted + 1e-12)
      })
    )
    const taker = { ...NOBODY, sentBytes: 10 * GIB }
    expect(scoreOf(taker, MAX_LIFT) - scoreOf(taker)).toBeLessThan(0.001)
  })
})

const NOBODY = { sentBytes: 0, receivedBytes: 0, transfers: 0, failures: 0, violations: 0 }

describe('a ledger that is shown receipts', () => {
  let nowMs: number
  let networks: Map<string, string>
  let ledger: Ledger
  beforeEach(() => {
    nowMs = 1_700_000_000_000
    networks = new Map()
    ledger = open()
  })
  const open = (): Ledger =>
    new Ledger(
      { clock: { now: () => nowMs, monotonicMs: () => nowMs }, networkOf: peerId => networks.get(peerId) },
      { halfLifeMs: 7 * DAY_MS }
    )
  const signedBy = (...signers: string[]) =>
    signers.map(signer => ({ signer, bytes: GIB, expires: nowMs + 7 * DAY_MS }))

  it('lifts a newcomer for whom nodes sign that gave to this one, until their receipts expire', () => {
    networks.set('giver', '04c00002').set('newcomer', '04c00003')
    ledger.note('giver', { receivedBytes: 10 * GIB })
    ledger.show('newcomer', signedBy('giver'))
    const lifted = ledger.scoreOf('newcomer')
    expect(lifted).toBeGreaterThan(0.52)
    expect(ledger.weightOf('newcomer')).toBeGreaterThan(1.05)
    expect(ledger.receiptsOf('newcomer')).toEqual({ shown: 1, adds: expect.closeTo(lifted - 0.5, 9) })
    nowMs += 7 * DAY_MS
    expect(ledger.receiptsOf('newcomer')).toEqual({ shown: 0, adds: 0 })
    expect(ledger.scoreOf('newcomer')).toBe(0.5)
  })

  it('gives identities nothing that sign for each other, whatever they sign, in as many networks as they like', () => {
    const sybil = fc.record({
      sentBytes: fc.integer({ min: 0, max: 100 * GIB }),
      network,
      signs: fc.array(fc.nat(19), { maxLength: 16 }),
      bytes
    })
    fc.assert(
      fc.property(fc.array(sybil, { minLength: 1, maxLength: 20 }), sybils => {
        ledger = open()
        const before = sybils.map(({ sentBytes, network: one }, at) => {
          networks.set(`${at}`, one)
          if (sentBytes > 0) ledger.note(`${at}`, { sentBytes })
          return ledger.scoreOf(`${at}`)
        })
        for (const [at, one] of sybils.entries())
          ledger.show(
            `${at}`,
            one.signs.map(signer => ({ signer: `${signer}`, bytes: one.bytes, expires: nowMs + DAY_MS }))
          )
        expect(sybils.map((_, at) => ledger.scoreOf(`${at}`))).toEqual(before)
      })
    )
  })

  it('ends with who is known: a lifted peer lifts nobody, and a signer that lost its stake none', () => {
    ledger.note('giver', { receivedBytes: 10 * GIB })
    ledger.show('first', signedBy('giver'))
    ledger.show('second', signedBy('first'))
    expect(ledger.scoreOf('first')).toBeGreaterThan(0.5)
    expect(ledger.scoreOf('second')).toBe(0.5)
    ledger.convict('giver', 1)
    expect(ledger.scoreOf('first')).toBe(0.5)
  })

  it('lets a network weigh no more than the best lifted peer of it', () => {
    const peers = Array.from({ length: 10 }, (_, at) => `peer ${at}`)
    for (const peer of peers) networks.set(peer, '04c00002')
    networks.set('giver', '04c00003')
    ledger.note('giver', { receivedBytes: 10 * GIB })
    for (const peer of peers) ledger.show(peer, signedBy('giver'))
    for (const peer of peers) ledger.weightOf(peer)
    nowMs += 2000
    const total = peers.reduce((all, peer) => all + ledger.weightOf(peer), 0)
    expect(total).toBeCloseTo(4 ** (2 * ledger.scoreOf('peer 0') - 1), 6)
    expect(ledger.scoreOf('peer 0')).toBeGreaterThan(0.52)
  })
})
