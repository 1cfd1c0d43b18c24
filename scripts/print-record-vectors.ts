/**
 * Prints the test vectors of the record format (test/fixtures/vectors/records, docs/records.md):
 *
 *     node scripts/print-record-vectors.ts valid|invalid|statements
 *
 * The files are frozen. This script shows how they came to be and helps to add cases; the bytes of a case that is in a
 * file never change. Ed25519 is deterministic, so every run prints the same.
 */
import * as dagCbor from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import {
  canonicalKey,
  createAttestationRecord,
  createRecord,
  createReleaseRecord,
  createStatusRecord,
  type NewRelease,
  recordHash,
  releaseKey,
  type SignedRecord,
  trieKey
} from '../library/records/index.ts'
import { formatPublicKey, SigningKey, sha256 } from '../trust/index.ts'

/** 2026-01-01T00:00:00Z. */
const TIME_MS = 1_767_225_600_000
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const unhex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))
const keyOf = (name: string): SigningKey => SigningKey.fromSeed(sha256(Buffer.from(`catalog vector ${name}`)))
const contentOf = (text: string): CID => CID.createV1(0x55, createDigest(0x12, sha256(Buffer.from(text))))

const ada = keyOf('ada')
const bob = keyOf('bob')

const SMALL: NewRelease = {
  name: 'hello',
  version: '1.0.0',
  type: 'package',
  content: contentOf('hello'),
  sizeBytes: 12,
  files: 1,
  publishedAt: TIME_MS,
  sequence: TIME_MS
}

const FULL: NewRelease = {
  name: '@acme/hello-world',
  version: '2.0.0-rc.1',
  type: 'library',
  content: CID.createV1(0x71, createDigest(0x12, sha256(Buffer.from('a manifest')))),
  sizeBytes: Number.MAX_SAFE_INTEGER,
  files: 78_600,
  publishedAt: TIME_MS,
  sequence: TIME_MS + 1,
  description: 'Grüße an die Welt 🌍\nin two lines',
  keywords: ['hello', 'world'],
  categories: ['examples'],
  licence: 'Apache-2.0 OR MIT',
  authors: ['Ada Lovelace <ada@example.org>'],
  links: { homepage: 'https://example.org/hello?a=1#b', repository: 'git+https://example.org/hello.git' },
  entryPoint: 'src/index.js',
  dependencies: [
    { name: 'left-pad', range: '^1.2.0', kind: 'required' },
    { name: '@acme/fast', range: '>=1 <3', kind: 'optional', platform: 'linux-x64', features: ['simd'] }
  ],
  features: { default: ['colour'], colour: [] },
  requirements: { node: '>=20' },
  hooks: { postinstall: 'node setup.js' },
  migrations: { '1.0.0->2.0.0': 'node migrate.js' },
  provenance: { commit: '0123456789abcdef0123456789abcdef01234567' },
  workStamp: Uint8Array.of(1, 2, 3),
  extensions: { 'org.example': { deep: [1, -2, null, true, { cid: contentOf('linked') }] } }
}

const small = dagCbor.decode<{ body: object; sig: Uint8Array }>(createReleaseRecord(SMALL, ada).bytes)

/** The smallest release with fields of its envelope changed (undefined: left out), signed over whatever is there. */
function envelope(over: Record<string, unknown>, domain = 'record', key = ada): Uint8Array {
  const { sig: _, ...rest } = small
  const fields = Object.entries({ ...rest, ...over }).filter(([, value]) => value !== undefined)
  const unsigned = Object.fromEntries(fields)
  return dagCbor.encode({ ...unsigned, sig: key.sign(domain, dagCbor.encode(unsigned)) })
}

/** The same with fields of its body changed. */
const release = (over: Record<string, unknown>): Uint8Array => envelope({ body: { ...small.body, ...over } })

/** DAG-JSON: CIDs as {"/": "…"}, bytes as {"/": {"bytes": base64 without padding}}. */
function toDagJson(value: unknown): unknown {
  if (value instanceof Uint8Array) {
    return { '/': { bytes: Buffer.from(value).toString('base64').replaceAll('=', '') } }
  }
  const cid = CID.asCID(value)
  if (cid !== null) return { '/': cid.toString() }
  if (Array.isArray(value)) return value.map(toDagJson)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, toDagJson(entry)]))
}

function describeRecord(name: string, key: SigningKey, record: SignedRecord): object {
  return {
    name,
    seed: hex(key.exportSeed()),
    signer: formatPublicKey(key.publicKey),
    envelope: toDagJson(dagCbor.decode(record.bytes)),
    record: hex(record.bytes),
    id: record.id.toString(),
    canonicalKey: hex(canonicalKey(record)),
    trieKey: hex(trieKey(record)),
    recHash: hex(recordHash(record.bytes))
  }
}

function valid(): object {
  const status = { kind: 'status', subject: contentOf('a release').bytes, body: { yanked: true } }
  const records: Array<[string, SigningKey, SignedRecord]> = [
    ['the smallest release', ada, createReleaseRecord(SMALL, ada)],
    ['a release with every field', ada, createReleaseRecord(FULL, ada)],
    ['the same name of another owner', bob, createReleaseRecord(SMALL, bob)],
    ['the same key, a later sequence', ada, createReleaseRecord({ ...SMALL, sequence: TIME_MS + 1 }, ada)],
    ['the same key and sequence, other bytes', ada, createReleaseRecord({ ...SMALL, description: 'x' }, ada)],
    [
      'other content, so another key',
      ada,
      createReleaseRecord({ ...SMALL, content: contentOf('other') }, ada)
    ],
    [
      'a release with fields that this version does not know',
      ada,
      createReleaseRecord({ ...SMALL, unknown: { mood: 'good', grid: [[1], [2]] } }, ada)
    ],
    ['the deepest nesting', ada, createReleaseRecord({ ...SMALL, unknown: { deep: nested(14) } }, ada)],
    ['a kind that this version does not understand', ada, createRecord({ ...status, sequence: 7 }, ada)],
    ['a kind nobody has thought of', bob, createRecord({ ...status, kind: 'poem-2', sequence: 0 }, bob)]
  ]
  const [first, , , later, equal] = records.map(([, , record]) => record)
  const larger = (a: SignedRecord, b: SignedRecord): SignedRecord =>
    hex(recordHash(a.bytes)) > hex(recordHash(b.bytes)) ? a : b
  return {
    about:
      'Valid records of the format catalog-record/1, see docs/records.md. Frozen: cases are added, never changed.',
    records: records.map(([name, key, record]) => describeRecord(name, key, record)),
    winners: [
      {
        of: [first!.id.toString(), later!.id.toString()],
        winner: later!.id.toString(),
        because: 'larger sequence'
      },
      {
        of: [first!.id.toString(), equal!.id.toString()],
        winner: larger(first!, equal!).id.toString(),
        because: 'equal sequence, larger recHash'
      }
    ]
  }
}

/** `bytes` with the only occurrence of `from` replaced. */
function edit(bytes: Uint8Array, from: string, to: string): Uint8Array {
  const text = hex(bytes)
  if (text.split(from).length !== 2) throw new Error(`${from} stands not once in the record`)
  return unhex(text.replace(from, to))
}

const textHex = (text: string): string => hex(dagCbor.encode(text))

/** That many lists in each other. */
const nested = (levels: number): unknown => (levels === 0 ? 0 : [nested(levels - 1)])
/** Values of the smallest release with an empty list more: 13 in the envelope, 19 in the body, the list and its key. */
const OTHER_VALUES = 34

function twinOf(bytes: Uint8Array): Uint8Array {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n
  const map = dagCbor.decode<{ sig: Uint8Array }>(bytes)
  const s = BigInt(`0x${hex(map.sig.slice(32).reverse())}`) + order
  const sig = Uint8Array.from([...map.sig.slice(0, 32), ...unhex(s.toString(16).padStart(64, '0')).reverse()])
  return dagCbor.encode({ ...map, sig })
}

function invalid(): object {
  const good = release({})
  const smallOrder = Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? 1 : 0))
  const cases: Array<[string, string, Uint8Array]> = [
    ['no bytes', 'RECORD_INVALID', new Uint8Array()],
    ['the last byte missing', 'RECORD_INVALID', good.subarray(0, -1)],
    ['a byte too many', 'RECORD_INVALID', Uint8Array.from([...good, 0])],
    ['not a map', 'RECORD_INVALID', dagCbor.encode([1])],
    [
      'a count in two bytes that fits one',
      'RECORD_INVALID',
      edit(good, `656669${'6c6573'}01`, '6566696c65731801')
    ],
    ['an indefinite map', 'RECORD_INVALID', Uint8Array.from([0xbf, ...good.subarray(1), 0xff])],
    ['keys out of order', 'RECORD_INVALID', unhex(`a2${textHex('b')}00${textHex('a')}00`)],
    ['a key twice', 'RECORD_INVALID', unhex(`a2${textHex('a')}00${textHex('a')}00`)],
    ['a floating point number', 'RECORD_INVALID', release({ extra: 0.5 })],
    ['a tag that is not 42', 'RECORD_INVALID', unhex('c100')],
    ['the value undefined', 'RECORD_INVALID', unhex(`a1${textHex('a')}f7`)],
    ['an integer of 2^53', 'RECORD_INVALID', release({ extra: 2n ** 53n })],
    ['text that is not UTF-8', 'RECORD_INVALID', unhex(`a1${textHex('a')}62c328`)],
    ['17 levels of lists and maps', 'RECORD_INVALID', release({ deep: nested(15) })],
    ['8,193 values', 'RECORD_INVALID', release({ many: new Array(8193 - OTHER_VALUES).fill(0) })],
    ['another format', 'RECORD_INVALID', envelope({ format: 'something-else/1' })],
    ['a later format', 'UNSUPPORTED', envelope({ format: 'catalog-record/2' })],
    ['no kind', 'RECORD_INVALID', envelope({ kind: undefined })],
    ['a kind with a space', 'RECORD_INVALID', envelope({ kind: 'a kind', subject: new Uint8Array() })],
    ['a kind without a subject', 'RECORD_INVALID', envelope({ kind: 'status' })],
    ['a release with a subject', 'RECORD_INVALID', envelope({ subject: new Uint8Array() })],
    ['a negative sequence', 'RECORD_INVALID', envelope({ sequence: -1 })],
    ['a key of 31 bytes', 'RECORD_INVALID', envelope({ signer: ada.publicKey.slice(1) })],
    ['a body that is a list', 'RECORD_INVALID', envelope({ body: [] })],
    ['signed by another key', 'SIGNATURE_INVALID', envelope({}, 'record', bob)],
    ['signed in another domain', 'SIGNATURE_INVALID', envelope({}, 'head')],
    ['a word changed after signing', 'SIGNATURE_INVALID', edit(good, textHex('1.0.0'), textHex('1.0.1'))],
    ['S + L, the malleable twin of the signature', 'SIGNATURE_INVALID', twinOf(good)],
    ['a key of small order', 'SIGNATURE_INVALID', smallOrderForgery(smallOrder)],
    ['upper case in the name', 'RECORD_INVALID', release({ name: 'Hello' })],
    ['a path as the name', 'RECORD_INVALID', release({ name: '../hello' })],
    ['build metadata', 'RECORD_INVALID', release({ version: '1.0.0+linux' })],
    ['a leading zero', 'RECORD_INVALID', release({ version: '1.02.0' })],
    ['no content', 'RECORD_INVALID', release({ content: null })],
    ['content format 0', 'RECORD_INVALID', release({ format: 0 })],
    ['no content format', 'RECORD_INVALID', release({ format: null })],
    ['a later content format', 'UNSUPPORTED', release({ format: 2, sizeBytes: 'said otherwise' })],
    ['an unknown type', 'RECORD_INVALID', release({ type: 'virus' })],
    ['a script as a link', 'RECORD_INVALID', release({ links: { home: 'javascript:alert(1)' } })],
    ['an escape sequence in the description', 'RECORD_INVALID', release({ description: 'a\u001b[2J' })],
    ['an entry point outside the content', 'RECORD_INVALID', release({ entryPoint: 'a/../../b' })],
    ['33 keywords', 'RECORD_INVALID', release({ keywords: Array.from({ length: 33 }, (_, at) => `k${at}`) })],
    ['a release from 1970', 'RECORD_INVALID', release({ publishedAt: 1 })],
    ['an owner that did not sign', 'RECORD_INVALID', release({ owner: bob.publicKey })],
    ['a chain, reserved', 'UNSUPPORTED', release({ owner: bob.publicKey, chain: contentOf('chain') })]
  ]
  return {
    about:
      'Bytes that must be refused when read as a release, and the code of the error. `zeros`: that many zero bytes. Frozen.',
    records: [
      ...cases.map(([name, code, bytes]) => ({ name, code, record: hex(bytes) })),
      { name: '32 KiB of zeros', code: 'RECORD_INVALID', zeros: 32 * 1024 },
      { name: 'a byte more than 32 KiB', code: 'RECORD_TOO_LARGE', zeros: 32 * 1024 + 1 },
      { name: '1 MiB', code: 'RECORD_TOO_LARGE', zeros: 1024 * 1024 }
    ]
  }
}

/** With the neutral point as key and as R, and S = 0, the signature equation holds for every message. */
function smallOrderForgery(point: Uint8Array): Uint8Array {
  const map = dagCbor.decode<Record<string, unknown>>(release({ owner: point }))
  return dagCbor.encode({ ...map, signer: point, sig: Uint8Array.from([...point, ...new Uint8Array(32)]) })
}

const ABOUT = { name: SMALL.name, version: SMALL.version, content: SMALL.content }
const ADAS = { ...ABOUT, owner: ada.publicKey }

function statements(): object {
  const status = { ...ABOUT, sequence: TIME_MS } as const
  const attestation = { ...ADAS, statement: 'tested', holds: true, sequence: TIME_MS }
  const valid: Array<[string, SigningKey, SignedRecord]> = [
    ['a yank', ada, createStatusRecord({ ...status, state: 'yanked', reason: 'leaks the key' }, ada)],
    [
      'a yank taken back',
      ada,
      createStatusRecord({ ...status, state: 'active', sequence: TIME_MS + 1 }, ada)
    ],
    [
      'a deprecation with every field',
      ada,
      createStatusRecord(
        { ...status, state: 'deprecated', reason: 'Größeres kommt', replacement: '@acme/hello@^2.0.0' },
        ada
      )
    ],
    ['an archived release', ada, createStatusRecord({ ...status, state: 'archived' }, ada)],
    ['another version', ada, createStatusRecord({ ...status, version: '1.0.1', state: 'yanked' }, ada)],
    ['fields that this version does not know', ada, statusOf({ mood: 'good' })],
    ['an attestation', bob, createAttestationRecord(attestation, bob)],
    [
      'an attestation taken back',
      bob,
      createAttestationRecord({ ...attestation, holds: false, sequence: TIME_MS + 1 }, bob)
    ],
    [
      'another word of the same signer',
      bob,
      createAttestationRecord({ ...attestation, statement: 'built' }, bob)
    ],
    ['the same word of another signer', ada, createAttestationRecord(attestation, ada)]
  ]
  const word = (over: Record<string, unknown>, statement = 'tested'): Uint8Array =>
    createRecord(
      {
        kind: 'attestation',
        sequence: TIME_MS,
        subject: Uint8Array.from([...releaseKey(ADAS), ...Buffer.from(statement)]),
        body: { ...ADAS, statement, holds: true, ...over }
      },
      bob
    ).bytes
  const invalid: Array<[string, string, Uint8Array]> = [
    ['a release', 'RECORD_INVALID', createReleaseRecord(SMALL, ada).bytes],
    ['a status by another key than the owner', 'RECORD_INVALID', statusOf({}, { key: bob }).bytes],
    [
      'a status by a delegate, reserved',
      'UNSUPPORTED',
      statusOf({ chain: contentOf('chain') }, { key: bob }).bytes
    ],
    ['a chain where the owner signed', 'RECORD_INVALID', statusOf({ chain: contentOf('chain') }).bytes],
    ['a state of a later version', 'UNSUPPORTED', statusOf({ state: 'withdrawn' }).bytes],
    ['a state that is no word', 'RECORD_INVALID', statusOf({ state: 'Yanked!' }).bytes],
    ['no state', 'RECORD_INVALID', statusOf({ state: null }).bytes],
    ['the subject of another release', 'RECORD_INVALID', statusOf({ version: '1.0.1' }).bytes],
    ['a subject of 31 bytes', 'RECORD_INVALID', statusOf({}, { subject: releaseKey(ADAS).slice(1) }).bytes],
    ['no content', 'RECORD_INVALID', statusOf({ content: null }).bytes],
    ['a reason of two lines', 'RECORD_INVALID', statusOf({ reason: 'a\nb' }).bytes],
    ['a reason of 1,025 bytes', 'RECORD_INVALID', statusOf({ reason: 'x'.repeat(1025) }).bytes],
    ['a replacement that is a path', 'RECORD_INVALID', statusOf({ replacement: '../hello' }).bytes],
    ['a replacement with an empty range', 'RECORD_INVALID', statusOf({ replacement: 'hello@' }).bytes],
    ['a statement of more than 4 KiB', 'RECORD_TOO_LARGE', statusOf({ more: 'x'.repeat(4096) }).bytes],
    ['an attestation of nothing', 'RECORD_INVALID', word({ statement: '' })],
    ['a word of 33 characters', 'RECORD_INVALID', word({}, 'x'.repeat(33))],
    ['another word than the subject has', 'RECORD_INVALID', word({ statement: 'built' })],
    ['an attestation that may hold', 'RECORD_INVALID', word({ holds: 'perhaps' })]
  ]
  return {
    about:
      'Statuses and attestations of catalog-record/1, see docs/records.md: valid ones, and bytes that must be refused when read as a statement, with the code of the error. Frozen: cases are added, never changed.',
    records: valid.map(([name, key, record]) => describeRecord(name, key, record)),
    invalid: invalid.map(([name, code, bytes]) => ({ name, code, record: hex(bytes) }))
  }
}

/** A yank of the smallest release with fields of its body changed, signed whatever is there. */
function statusOf(
  over: Record<string, unknown>,
  { key = ada, subject = releaseKey(ADAS) }: { key?: SigningKey; subject?: Uint8Array } = {}
): SignedRecord {
  const body = { ...ADAS, state: 'yanked', ...over }
  return createRecord({ kind: 'status', sequence: TIME_MS, subject, body }, key)
}

const PAGES: Record<string, () => object> = { valid, invalid, statements }
const page = PAGES[process.argv[2] ?? '']
if (page === undefined) {
  process.stderr.write(`usage: node scripts/print-record-vectors.ts ${Object.keys(PAGES).join('|')}\n`)
  process.exitCode = 2
} else {
  process.stdout.write(`${JSON.stringify(page(), null, 2)}\n`)
}
