/**
 * The envelope that every record is: a canonical DAG-CBOR map of
 *
 *   format    `catalog-record/1`
 *   kind      what it says: `release`, and names reserved or not yet thought of
 *   sequence  of two records for one key the one with the larger sequence counts
 *   subject   what it is about, bytes; for every kind but `release`, whose body says it
 *   body      a map, understood by kind
 *   signer    raw Ed25519 public key
 *   sig       Ed25519 signature, domain `record`, over the map without `sig`
 *
 * Everything but `sig` is signed, fields that this version does not know too. The id of a record is the CID of all its
 * bytes. A record is never rebuilt from what was understood of it: the bytes are what is stored and passed on. `subject` and
 * `sequence` stand in the envelope so that a node can hold, order and pass on kinds that it does not understand, and
 * reaches the same set as a node that does.
 */
import type { CID } from 'multiformats/cid'
import { CatalogError } from '../../base/index.ts'
import {
  PUBLIC_KEY_BYTES,
  SIGNATURE_BYTES,
  type Signer,
  sha256,
  signWithDomain,
  verifyWithDomain
} from '../../trust/index.ts'
import { recordCid } from '../spec.ts'
import { checkSize, decodeCanonical, encodeCanonical, invalid } from './canonical.ts'
import * as check from './checks.ts'
import { RECORD_LIMITS } from './limits.ts'
import type { SignedRecord } from './types.ts'

export const RECORD_FORMAT = 'catalog-record/1'
const FORMAT_FORM = /^catalog-record\/[1-9]\d{0,3}$/
const SIGNATURE_DOMAIN = 'record'

const ENVELOPE_CHECKS = {
  kind: check.text({ maxBytes: RECORD_LIMITS.kindChars, form: /^[a-z][a-z0-9-]*$/, what: 'a kind' }),
  sequence: check.integer(0, RECORD_LIMITS.integer),
  signer: check.bytes(PUBLIC_KEY_BYTES, PUBLIC_KEY_BYTES),
  sig: check.bytes(SIGNATURE_BYTES, SIGNATURE_BYTES)
}

interface Envelope {
  format: string
  kind: string
  sequence: number
  subject?: Uint8Array
  body: Record<string, unknown>
  signer: Uint8Array
  sig: Uint8Array
}

function checkEnvelope(value: unknown): asserts value is Envelope {
  if (!check.isMap(value)) throw invalid('the record is not a map')
  if (value.format !== RECORD_FORMAT) throw unknownFormat(value.format)
  for (const [field, run] of Object.entries(ENVELOPE_CHECKS)) run(value[field], field)
  if (!check.isMap(value.body)) check.refuse('body', 'is not a map')
  if (value.kind === 'release') {
    if (value.subject !== undefined) check.refuse('subject', 'has no place in a release')
  } else check.bytes(0, RECORD_LIMITS.subjectBytes)(value.subject, 'subject')
}

function unknownFormat(format: unknown): CatalogError {
  if (typeof format !== 'string' || !FORMAT_FORM.test(format)) return invalid('this is not a Catalog record')
  return new CatalogError(
    'UNSUPPORTED',
    `the record has the format ${format}; this node knows ${RECORD_FORMAT}`,
    {
      hint: 'upgrade Catalog to read it'
    }
  )
}

/** CIDv1 dag-cbor SHA-256 of the exact bytes of a record. */
export function recordId(bytes: Uint8Array): CID {
  return recordCid(sha256(bytes))
}

/** What is signed: the envelope without `sig`. */
function signedPart(envelope: object): Uint8Array {
  const { sig: _, ...rest } = envelope as Partial<Envelope>
  return encodeCanonical(rest)
}

function readEnvelope(bytes: Uint8Array): Envelope {
  const value = decodeCanonical(bytes)
  checkEnvelope(value)
  return value
}

function toRecord(envelope: Envelope, bytes: Uint8Array): SignedRecord {
  const { kind, sequence, subject, body, signer } = envelope
  const id = recordId(bytes)
  return { id, bytes, kind, sequence, body, signer, ...(subject === undefined ? {} : { subject }) }
}

/**
 * Reads a record of any kind: size, canonical form, envelope, signature. The body of a kind is not looked at.
 * Throws RECORD_TOO_LARGE, RECORD_INVALID, SIGNATURE_INVALID, UNSUPPORTED (a later format). `bytes` must not change after.
 */
export function decodeRecord(bytes: Uint8Array): SignedRecord {
  const { record, verify } = openRecord(bytes)
  verify()
  return record
}

/** A record whose signature has yet to be verified: most of what decoding costs. */
export interface OpenedRecord<R = SignedRecord> {
  readonly record: R
  /** Throws SIGNATURE_INVALID. */
  verify(): void
}

/** The same, for who wants to know what a record is before that is worth it. */
export function openRecord(bytes: Uint8Array): OpenedRecord {
  const envelope = readEnvelope(bytes)
  const verify = (): void => {
    if (!verifyWithDomain(envelope.signer, SIGNATURE_DOMAIN, signedPart(envelope), envelope.sig))
      throw new CatalogError('SIGNATURE_INVALID', 'the signature of the record does not hold')
  }
  return { record: toRecord(envelope, bytes), verify }
}

/** The same without the signature: for bytes that were verified before they were stored here. */
export function decodeVerifiedRecord(bytes: Uint8Array): SignedRecord {
  return toRecord(readEnvelope(bytes), bytes)
}

/** What a new record says; see above. */
export interface RecordStatement {
  kind: string
  sequence: number
  subject?: Uint8Array
  body: Record<string, unknown>
}

/** Signs a statement. Throws RECORD_TOO_LARGE, RECORD_INVALID. */
export function createRecord(statement: RecordStatement, signer: Signer): SignedRecord {
  const unsigned = { format: RECORD_FORMAT, ...statement, signer: signer.publicKey }
  const sig = signWithDomain(signer, SIGNATURE_DOMAIN, encodeCanonical(unsigned))
  const bytes = encodeCanonical({ ...unsigned, sig })
  checkSize(bytes)
  return decodeRecord(bytes)
}
