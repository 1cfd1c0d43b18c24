/**
 * Prints the test vectors of heads (test/fixtures/vectors/sync/heads.json, docs/sync.md): `node scripts/print-head-vectors.ts`.
 *
 * The file is frozen. This script shows how it came to be and helps to add cases; what is in the file never changes. Ed25519 is
 * deterministic, so every run prints the same.
 */
import * as dagCbor from '@ipld/dag-cbor'
import { HEAD_LIFETIME_MS, type Head, type HeadStatement, libraryIdOf, signHead } from '../sync/index.ts'
import { SigningKey, sha256 } from '../trust/index.ts'

/** 2026-01-01T00:00:00Z. */
const TIME_MS = 1_767_225_600_000
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const hashOf = (text: string): Uint8Array => sha256(Buffer.from(text))
const node = SigningKey.fromSeed(hashOf('catalog vector node'))
const other = SigningKey.fromSeed(hashOf('catalog vector other node'))
const library = libraryIdOf(node.publicKey, 'home')

const FIRST: HeadStatement = {
  library,
  epoch: TIME_MS,
  revision: 1,
  time: TIME_MS,
  expires: TIME_MS + HEAD_LIFETIME_MS,
  root: hashOf('a root')
}

const first = signHead(FIRST, node)
const SECOND: HeadStatement = {
  ...FIRST,
  revision: 2,
  time: TIME_MS + 1000,
  expires: TIME_MS + 2000,
  root: hashOf('another root'),
  previous: first.hash
}
const second = signHead(SECOND, node)

function valid(name: string, { bytes, hash, ...head }: Head): object {
  const fields = Object.entries(head)
    .filter(([key, value]) => key !== 'isClosed' || value === true)
    .map(([key, value]) => [key, value instanceof Uint8Array ? hex(value) : value])
  return { name, fields: Object.fromEntries(fields), head: hex(bytes), hash: hex(hash) }
}

/** A head with fields changed (undefined: left out), signed over whatever is there. */
function forged(over: Record<string, unknown>, { domain = 'head', key = node } = {}): Uint8Array {
  const map = dagCbor.decode<Record<string, unknown>>(second.bytes)
  const fields = Object.entries({ ...map, ...over, sig: undefined }).filter(
    ([, value]) => value !== undefined
  )
  const unsigned = Object.fromEntries(fields)
  return dagCbor.encode({ ...unsigned, sig: key.sign(domain, dagCbor.encode(unsigned)) })
}

const edited = (bytes: Uint8Array, at: number): Uint8Array => {
  const changed = Uint8Array.from(bytes)
  changed[at]! ^= 1
  return changed
}

const invalid: Array<[string, string, Uint8Array]> = [
  ['no bytes', 'HEAD_INVALID', new Uint8Array()],
  ['the last byte missing', 'HEAD_INVALID', second.bytes.subarray(0, -1)],
  ['a byte too many', 'HEAD_INVALID', Uint8Array.from([...second.bytes, 0])],
  ['a list', 'HEAD_INVALID', dagCbor.encode([1])],
  ['more than 1,024 bytes', 'HEAD_INVALID', forged({ note: 'x'.repeat(1024) })],
  ['another format', 'HEAD_INVALID', forged({ format: 'catalog-record/1' })],
  ['a later format', 'UNSUPPORTED', forged({ format: 'catalog-head/2' })],
  ['no root', 'HEAD_INVALID', forged({ root: undefined })],
  ['a root of 31 bytes', 'HEAD_INVALID', forged({ root: new Uint8Array(31) })],
  ['revision 0', 'HEAD_INVALID', forged({ revision: 0 })],
  ['epoch 0', 'HEAD_INVALID', forged({ epoch: 0 })],
  ['a floating point revision', 'HEAD_INVALID', forged({ revision: 2.5 })],
  ['a head before the first', 'HEAD_INVALID', forged({ revision: 1 })],
  ['no head before the second', 'HEAD_INVALID', forged({ previous: undefined })],
  ['closed: false', 'HEAD_INVALID', forged({ closed: false })],
  ['expired when it was signed', 'HEAD_INVALID', forged({ expires: TIME_MS })],
  ['good for more than 7 days', 'HEAD_INVALID', forged({ expires: TIME_MS + 1001 + HEAD_LIFETIME_MS })],
  ['signed by another key', 'SIGNATURE_INVALID', forged({}, { key: other })],
  ['signed as a record', 'SIGNATURE_INVALID', forged({}, { domain: 'record' })],
  ['changed after signing', 'SIGNATURE_INVALID', edited(second.bytes, second.bytes.byteLength - 70)]
]

const vectors = {
  about: 'Heads of the format catalog-head/1, see docs/sync.md. Frozen: cases are added, never changed.',
  seed: hex(node.exportSeed()),
  libraryName: 'home',
  library: hex(library),
  heads: [
    valid('the first of a library', first),
    valid('the one after it', second),
    valid('of a new epoch', signHead({ ...SECOND, epoch: TIME_MS + 1 }, node)),
    valid('of a closed library', signHead({ ...SECOND, isClosed: true }, node))
  ],
  withUnknownField: hex(forged({ mood: 'good' })),
  invalid: invalid.map(([name, code, bytes]) => ({ name, code, head: hex(bytes) }))
}
process.stdout.write(`${JSON.stringify(vectors, null, 2)}\n`)
