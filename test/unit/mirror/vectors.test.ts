/** The bytes of member records and demand summaries, and who stands where (frozen vectors of docs/mirror.md: when one fails, the code is wrong). */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import { describe, expect, test } from 'vitest'
import { DemandCounter } from '../../../mirror/demand/counter.ts'
import { decodeCounts, encodeCounts } from '../../../mirror/demand/stored.ts'
import { decodeSummary, MAX_SUMMARY_BYTES, signSummary } from '../../../mirror/demand/summary.ts'
import { decodeMember, MAX_MEMBER_BYTES, signMember } from '../../../mirror/members/member.ts'
import { contentWords, costOf, exponential, memberWords, scaleOf } from '../../../mirror/placement/cost.ts'
import { halfSipHash } from '../../../mirror/placement/half-sip-hash.ts'
import { Roster } from '../../../mirror/placement/roster.ts'
import { HALVES, spreadOut, THIRDS } from '../../../mirror/placement/spread.ts'
import { SigningKey } from '../../../trust/index.ts'
import { codeOf } from '../records/examples.ts'
import { contentOf } from './support.ts'

interface Invalid {
  name: string
  code: string
  bytes: string
}
interface Vectors {
  seed: string
  member: {
    statement: { region: string; capacityClass: number; sequence: number; expires: number }
    bytes: string
  }
  memberWithUnknownField: string
  invalidMembers: Invalid[]
  summary: { sequence: number; counts: Array<[string, number]>; bytes: string }
  invalidSummaries: Invalid[]
  storedCounts: {
    halfLifeMs: number
    salt: string
    served: Array<[string, string, number, number]>
    time: number
    bytes: string
  }
  exponentials: Array<[number, number]>
  members: Array<{ peer: string; key: string; region: string; capacityClass: number }>
  placements: Array<{
    content: string
    words: [number, number]
    costs: string[]
    order: string[]
    halves: string[]
    thirds: string[]
  }>
}
const vectors = JSON.parse(
  readFileSync(new URL('../../fixtures/vectors/mirror/mirror.json', import.meta.url), 'utf8')
) as Vectors
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const unhex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))
const signer = SigningKey.fromSeed(unhex(vectors.seed))

/** Changes one byte anywhere, and gives any other bytes: nothing of it is read. */
function expectTight(
  good: Uint8Array,
  decode: (bytes: Uint8Array) => unknown,
  code: RegExp,
  maxBytes: number
) {
  fc.assert(
    fc.property(fc.nat(good.byteLength - 1), fc.integer({ min: 1, max: 255 }), (at, bits) => {
      const changed = Uint8Array.from(good)
      changed[at]! ^= bits
      expect(codeOf(() => decode(changed))).toMatch(code)
    }),
    { numRuns: 150 }
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: maxBytes + 10 }), bytes => {
      expect(codeOf(() => decode(bytes))).toMatch(code)
    }),
    { numRuns: 50 }
  )
}

test('counts at rest have the bytes that they have', () => {
  const { halfLifeMs, served, time, bytes, ...texts } = vectors.storedCounts
  const salt = unhex(texts.salt)
  const counter = new DemandCounter({ halfLifeMs, salt })
  for (const [content, origin, share, atMs] of served) counter.add({ content, origin, share }, atMs)
  expect(hex(encodeCounts(counter, salt, time))).toBe(bytes)
  const read = decodeCounts(unhex(bytes), { halfLifeMs })
  expect(hex(read.salt)).toBe(texts.salt)
  expect(read.counter.top(10, time)).toEqual(counter.top(10, time))
})

describe('a member record', () => {
  const { statement, bytes } = vectors.member

  test('has the bytes it has', () => {
    expect(hex(signMember(statement, signer).bytes)).toBe(bytes)
    const { node, bytes: read, ...rest } = decodeMember(unhex(bytes))
    expect([hex(node), hex(read), rest]).toEqual([hex(signer.publicKey), bytes, statement])
    expect(bytes.length / 2).toBeLessThan(MAX_MEMBER_BYTES / 2)
  })

  test('keeps fields that this version does not know', () => {
    expect(hex(decodeMember(unhex(vectors.memberWithUnknownField)).bytes)).toBe(
      vectors.memberWithUnknownField
    )
  })

  test.each(vectors.invalidMembers)('refused: $name', ({ code, bytes }) => {
    expect(codeOf(() => decodeMember(unhex(bytes)))).toBe(code)
  })

  test('is nothing else', () => {
    expectTight(
      unhex(bytes),
      decodeMember,
      /^(MEMBER_INVALID|SIGNATURE_INVALID|UNSUPPORTED)$/,
      MAX_MEMBER_BYTES
    )
  })
})

describe('a demand summary', () => {
  const { sequence, counts, bytes } = vectors.summary
  const stated = counts.map(([content, count]) => ({ content: CID.parse(content), count }))

  test('has the bytes it has, in whatever order it is made', () => {
    expect(hex(signSummary(stated, sequence, signer).bytes)).toBe(bytes)
    expect(hex(signSummary(stated.toReversed(), sequence, signer).bytes)).toBe(bytes)
    const read = decodeSummary(unhex(bytes))
    expect([hex(read.node), read.sequence, hex(read.bytes)]).toEqual([hex(signer.publicKey), sequence, bytes])
    const byContent = new Map(read.counts.map(({ content, count }) => [content.toString(), count]))
    expect(byContent).toEqual(new Map(counts))
  })

  test.each(vectors.invalidSummaries)('refused: $name', ({ code, bytes }) => {
    expect(codeOf(() => decodeSummary(unhex(bytes)))).toBe(code)
  })

  test('is nothing else', () => {
    expectTight(
      unhex(bytes),
      decodeSummary,
      /^(DEMAND_INVALID|SIGNATURE_INVALID|UNSUPPORTED)$/,
      MAX_SUMMARY_BYTES
    )
  })

  test('has room for 256 counts and for no more', () => {
    const many = Array.from({ length: 257 }, (_, at) => ({ content: contentOf(`c${at}`), count: 999_999 }))
    expect(signSummary(many.slice(0, 256), sequence, signer).bytes.byteLength).toBeLessThan(MAX_SUMMARY_BYTES)
    expect(codeOf(() => signSummary(many, sequence, signer))).toBe('DEMAND_INVALID')
  })
})

describe('placement', () => {
  test('hashes as HalfSipHash-1-3 does (the test vector of Linux for eight bytes)', () => {
    expect(halfSipHash(0x03020100, 0x07060504, 0x03020100, 0x07060504)).toBe(0x577999b1)
  })

  test('has logarithms that are whole, frozen, and near enough', () => {
    for (const [hash, value] of vectors.exponentials) expect(exponential(hash)).toBe(value)
    fc.assert(
      fc.property(fc.nat(2 ** 32 - 1), hash => {
        const value = exponential(hash)
        expect(Number.isSafeInteger(value * scaleOf(0))).toBe(true)
        expect(Math.abs(value / 2 ** 32 + Math.log2((hash + 1) / 2 ** 32))).toBeLessThan(2 ** -20)
        if (hash > 0) expect(exponential(hash - 1)).toBeGreaterThanOrEqual(value)
      })
    )
  })

  test.each(vectors.placements)('of $content', ({ content, words, costs, order, halves, thirds }) => {
    const at = contentWords(CID.parse(content))
    expect([at.low, at.high]).toEqual(words)
    const members = vectors.members.map(member => ({ ...member, key: unhex(member.key) }))
    const roster = new Roster()
    for (const member of members) roster.set(member)
    expect(
      members.map(({ key, capacityClass }) => costOf(memberWords(key), scaleOf(capacityClass), at).toString())
    ).toEqual(costs)
    const first = roster.first(at, 12)
    expect(first.map(({ peer }) => peer)).toEqual(order)
    expect(spreadOut(first, 6, HALVES).map(({ peer }) => peer)).toEqual(halves)
    expect(spreadOut(first, 6, THIRDS).map(({ peer }) => peer)).toEqual(thirds)
  })
})
