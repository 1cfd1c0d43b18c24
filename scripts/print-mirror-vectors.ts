/**
 * Prints the test vectors of mirroring (test/fixtures/vectors/mirror/mirror.json, docs/mirror.md): `node scripts/print-mirror-vectors.ts`.
 *
 * The file is frozen. This script shows how it came to be and helps to add cases; what is in the file never changes. Ed25519 is
 * deterministic, so every run prints the same.
 */
import * as dagCbor from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import { DEFAULT_HALF_LIFE_MS, DemandCounter } from '../mirror/demand/counter.ts'
import { encodeCounts } from '../mirror/demand/stored.ts'
import { signSummary } from '../mirror/demand/summary.ts'
import { signMember } from '../mirror/members/member.ts'
import { contentWords, costOf, exponential, memberWords, scaleOf } from '../mirror/placement/cost.ts'
import { Roster } from '../mirror/placement/roster.ts'
import { HALVES, spreadOut, THIRDS } from '../mirror/placement/spread.ts'
import { SigningKey, sha256 } from '../trust/index.ts'

/** 2026-01-01T00:00:00Z. */
const TIME_MS = 1_767_225_600_000
const DAY_MS = 86_400_000
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const hashOf = (text: string): Uint8Array => sha256(Buffer.from(text))
const contentOf = (text: string): CID => CID.createV1(0x55, createDigest(0x12, hashOf(text)))
const node = SigningKey.fromSeed(hashOf('catalog vector node'))
const other = SigningKey.fromSeed(hashOf('catalog vector other node'))

const MEMBER = { region: 'eu/fra', capacityClass: 3, sequence: TIME_MS, expires: TIME_MS + DAY_MS }
const member = signMember(MEMBER, node)
const COUNTS = [
  { content: contentOf('a'), count: 0.5 },
  { content: contentOf('b'), count: 12.345 },
  { content: contentOf('c'), count: 1 }
]
const summary = signSummary(COUNTS, TIME_MS, node)

/** A signed map with fields changed (undefined: left out), signed over whatever is there. */
function forged(
  bytes: Uint8Array,
  domain: string,
  over: Record<string, unknown>,
  key: SigningKey = node
): Uint8Array {
  const map = dagCbor.decode<Record<string, unknown>>(bytes)
  const fields = Object.entries({ ...map, ...over, sig: undefined }).filter(
    ([, value]) => value !== undefined
  )
  const unsigned = Object.fromEntries(fields)
  return dagCbor.encode({ ...unsigned, sig: key.sign(domain, dagCbor.encode(unsigned)) })
}
const forgedMember = (over: Record<string, unknown>, key?: SigningKey): Uint8Array =>
  forged(member.bytes, 'member', over, key)
const forgedSummary = (over: Record<string, unknown>, key?: SigningKey): Uint8Array =>
  forged(summary.bytes, 'demand', over, key)

const edited = (bytes: Uint8Array): Uint8Array => {
  const changed = Uint8Array.from(bytes)
  changed[bytes.byteLength - 1]! ^= 1
  return changed
}
const sorted = COUNTS.map(({ content }) => content).sort((a, b) => Buffer.compare(a.bytes, b.bytes))

const invalidMembers: Array<[string, string, Uint8Array]> = [
  ['no bytes', 'MEMBER_INVALID', new Uint8Array()],
  ['the last byte missing', 'MEMBER_INVALID', member.bytes.subarray(0, -1)],
  ['a byte too many', 'MEMBER_INVALID', Uint8Array.from([...member.bytes, 0])],
  ['a list', 'MEMBER_INVALID', dagCbor.encode([1])],
  ['more than 512 bytes', 'MEMBER_INVALID', forgedMember({ note: 'x'.repeat(512) })],
  ['another format', 'MEMBER_INVALID', forgedMember({ format: 'catalog-head/1' })],
  ['a later format', 'UNSUPPORTED', forgedMember({ format: 'catalog-member/2' })],
  ['no region', 'MEMBER_INVALID', forgedMember({ region: undefined })],
  ['a region of three parts', 'MEMBER_INVALID', forgedMember({ region: 'eu/de/fra' })],
  ['a region in capitals', 'MEMBER_INVALID', forgedMember({ region: 'EU' })],
  ['class 16', 'MEMBER_INVALID', forgedMember({ class: 16 })],
  ['class -1', 'MEMBER_INVALID', forgedMember({ class: -1 })],
  ['a class and a half', 'MEMBER_INVALID', forgedMember({ class: 1.5 })],
  ['expired when it was signed', 'MEMBER_INVALID', forgedMember({ expires: TIME_MS })],
  ['good for more than 7 days', 'MEMBER_INVALID', forgedMember({ expires: TIME_MS + 7 * DAY_MS + 1 })],
  ['signed by another key', 'SIGNATURE_INVALID', forgedMember({}, other)],
  ['signed as a head', 'SIGNATURE_INVALID', forged(member.bytes, 'head', {})],
  ['changed after signing', 'SIGNATURE_INVALID', edited(member.bytes)]
]
const pairs = (counts: unknown[]): Uint8Array => forgedSummary({ counts })
const invalidSummaries: Array<[string, string, Uint8Array]> = [
  ['no bytes', 'DEMAND_INVALID', new Uint8Array()],
  ['the last byte missing', 'DEMAND_INVALID', summary.bytes.subarray(0, -1)],
  ['a byte too many', 'DEMAND_INVALID', Uint8Array.from([...summary.bytes, 0])],
  ['a later format', 'UNSUPPORTED', forgedSummary({ format: 'catalog-demand/2' })],
  ['another format', 'DEMAND_INVALID', forgedSummary({ format: 'catalog-member/1' })],
  ['a count of nothing', 'DEMAND_INVALID', pairs([[sorted[0], 0]])],
  ['a negative count', 'DEMAND_INVALID', pairs([[sorted[0], -1000]])],
  ['a fraction of a thousandth', 'DEMAND_INVALID', pairs([[sorted[0], 1.5]])],
  ['a count beyond 1,000,000', 'DEMAND_INVALID', pairs([[sorted[0], 1e9 + 1]])],
  ['a content that is text', 'DEMAND_INVALID', pairs([['bafy', 1]])],
  ['three in a pair', 'DEMAND_INVALID', pairs([[sorted[0], 1, 1]])],
  [
    'one content twice',
    'DEMAND_INVALID',
    pairs([
      [sorted[0], 1],
      [sorted[0], 1]
    ])
  ],
  [
    'out of order',
    'DEMAND_INVALID',
    pairs([
      [sorted[1], 1],
      [sorted[0], 1]
    ])
  ],
  ['signed by another key', 'SIGNATURE_INVALID', forgedSummary({}, other)],
  ['signed as a member record', 'SIGNATURE_INVALID', forged(summary.bytes, 'member', {})],
  ['changed after signing', 'SIGNATURE_INVALID', edited(summary.bytes)]
]

const SERVED: Array<[string, string, number, number]> = [
  ['a', 'one', 1, TIME_MS],
  ['a', 'two', 0.5, TIME_MS],
  ['b', 'one', 1, TIME_MS],
  ['c', 'two', 0.25, TIME_MS]
]
const salt = hashOf('catalog vector salt')
const counter = new DemandCounter({ halfLifeMs: DEFAULT_HALF_LIFE_MS, salt })
for (const [content, origin, share, atMs] of SERVED)
  counter.add({ content: contentOf(content).toString(), origin, share }, atMs)

const roster = new Roster()
const members = Array.from({ length: 24 }, (_, number) => ({
  peer: `m${number}`,
  key: hashOf(`catalog vector member ${number}`),
  region: ['eu/fra', 'eu/fra', 'eu/ams', 'us-east'][number % 4]!,
  capacityClass: number === 23 ? 15 : [0, 1, 2, 5, 3][number % 5]!
}))
for (const entry of members) roster.set(entry)

const placements = ['a', 'b', 'c', 'd'].map(text => {
  const content = contentOf(text)
  const words = contentWords(content)
  const inOrder = roster.first(words, 12)
  const peers = (list: ReadonlyArray<{ peer: string }>): string[] => list.map(({ peer }) => peer)
  return {
    content: content.toString(),
    words: [words.low, words.high],
    costs: members.map(entry =>
      costOf(memberWords(entry.key), scaleOf(entry.capacityClass), words).toString()
    ),
    order: peers(inOrder),
    halves: peers(spreadOut(inOrder, 6, HALVES)),
    thirds: peers(spreadOut(inOrder, 6, THIRDS))
  }
})

const vectors = {
  about:
    'Member records (catalog-member/1), demand summaries (catalog-demand/1) and placement, see docs/mirror.md. Frozen: cases are added, never changed.',
  seed: hex(node.exportSeed()),
  member: { statement: MEMBER, bytes: hex(member.bytes) },
  memberWithUnknownField: hex(forgedMember({ mood: 'good' })),
  invalidMembers: invalidMembers.map(([name, code, bytes]) => ({ name, code, bytes: hex(bytes) })),
  summary: {
    sequence: TIME_MS,
    counts: COUNTS.map(({ content, count }) => [content.toString(), count]),
    bytes: hex(summary.bytes)
  },
  invalidSummaries: invalidSummaries.map(([name, code, bytes]) => ({ name, code, bytes: hex(bytes) })),
  storedCounts: {
    halfLifeMs: DEFAULT_HALF_LIFE_MS,
    salt: hex(salt),
    served: SERVED.map(([content, ...rest]) => [contentOf(content).toString(), ...rest]),
    time: TIME_MS + DAY_MS,
    bytes: hex(encodeCounts(counter, salt, TIME_MS + DAY_MS))
  },
  exponentials: [0, 1, 2, 12_345, 2 ** 31 - 1, 2 ** 31, 3_000_000_000, 2 ** 32 - 2, 2 ** 32 - 1].map(hash => [
    hash,
    exponential(hash)
  ]),
  members: members.map(({ peer, key, region, capacityClass }) => ({
    peer,
    key: hex(key),
    region,
    capacityClass
  })),
  placements
}
process.stdout.write(`${JSON.stringify(vectors, null, 2)}\n`)
