/**
 * Prints the test vectors of receipts (test/fixtures/vectors/ledger/receipts.json, docs/wire.md): `node scripts/print-receipt-vectors.ts`.
 *
 * The file is frozen. This script shows how it came to be and helps to add cases; what is in the file never changes. Ed25519 is
 * deterministic, so every run prints the same.
 */
import * as dagCbor from '@ipld/dag-cbor'
import { signReceipt } from '../ledger/receipt.ts'
import { SigningKey, sha256 } from '../trust/index.ts'

/** 2026-01-01T00:00:00Z. */
const TIME_MS = 1_767_225_600_000
const WEEK_MS = 7 * 86_400_000
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const keyOf = (name: string): SigningKey => SigningKey.fromSeed(sha256(Buffer.from(name)))
const node = keyOf('catalog vector node')
const other = keyOf('catalog vector other node')

const { bytes } = signReceipt({ giver: other.publicKey, bytes: 123_456_789 }, { nowMs: TIME_MS }, node)

/** With fields changed (undefined: left out), signed over whatever is there. */
function forged(over: Record<string, unknown>, { key = node, domain = 'receipt' } = {}): Uint8Array {
  const map = dagCbor.decode<Record<string, unknown>>(bytes)
  const fields = Object.entries({ ...map, ...over, sig: undefined }).filter(
    ([, value]) => value !== undefined
  )
  const unsigned = Object.fromEntries(fields)
  return dagCbor.encode({ ...unsigned, sig: key.sign(domain, dagCbor.encode(unsigned)) })
}

const edited = Uint8Array.from(bytes)
edited[edited.byteLength - 1]! ^= 1

const INVALID: Array<[string, string, Uint8Array]> = [
  ['no bytes', 'RECEIPT_INVALID', new Uint8Array()],
  ['the last byte missing', 'RECEIPT_INVALID', bytes.subarray(0, -1)],
  ['a byte too many', 'RECEIPT_INVALID', Uint8Array.from([...bytes, 0])],
  ['a list', 'RECEIPT_INVALID', dagCbor.encode([1])],
  ['more than 512 bytes', 'RECEIPT_INVALID', forged({ note: 'x'.repeat(512) })],
  ['another format', 'RECEIPT_INVALID', forged({ format: 'catalog-member/1' })],
  ['a later format', 'UNSUPPORTED', forged({ format: 'catalog-receipt/2' })],
  ['no giver', 'RECEIPT_INVALID', forged({ giver: undefined })],
  ['a short giver', 'RECEIPT_INVALID', forged({ giver: other.publicKey.subarray(1) })],
  ['for who signed it', 'RECEIPT_INVALID', forged({ giver: node.publicKey })],
  ['of nothing', 'RECEIPT_INVALID', forged({ bytes: 0 })],
  ['of half a byte more', 'RECEIPT_INVALID', forged({ bytes: 1.5 })],
  ['expired when it was signed', 'RECEIPT_INVALID', forged({ expires: TIME_MS })],
  ['good for more than 7 days', 'RECEIPT_INVALID', forged({ expires: TIME_MS + WEEK_MS + 1 })],
  ['signed by another key', 'SIGNATURE_INVALID', forged({}, { key: keyOf('catalog vector third node') })],
  ['signed as a member record', 'SIGNATURE_INVALID', forged({}, { domain: 'member' })],
  ['changed after signing', 'SIGNATURE_INVALID', edited]
]

console.log(
  JSON.stringify(
    {
      comment: 'Receipts of docs/wire.md. Keys: SHA-256 of `catalog vector node` and so on is the seed.',
      signerSeed: 'catalog vector node',
      giver: hex(other.publicKey),
      takenBytes: 123_456_789,
      sequence: TIME_MS,
      expires: TIME_MS + WEEK_MS,
      bytes: hex(bytes),
      withUnknownField: hex(forged({ note: 'later' })),
      invalid: INVALID.map(([name, code, sample]) => ({ name, code, bytes: hex(sample) }))
    },
    null,
    2
  )
)
