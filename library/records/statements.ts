/**
 * Statements: records about one release. A *status* is its owner's word on whether it should be used; an *attestation* is
 * anybody's word that something holds of it, such as that it was tested. Neither changes the release: content under a name, version
 * and owner never changes, and what was said is taken back by saying something else with a larger sequence.
 *
 * Which release is meant stands twice: in words in the body, for people and indexes, and as the release's own set key in the
 * subject, which makes the statement's set key. So a statement stays with its release when the owner signs newer words for the
 * same content, and a node that knows neither kind still holds one status for each release, and one attestation for each signer, release
 * and word.
 */
import type { CID } from 'multiformats/cid'
import { CatalogError } from '../../base/index.ts'
import { bytesEqual, type Signer } from '../../trust/index.ts'
import { isName } from '../names.ts'
import { parseSpec } from '../spec.ts'
import * as check from './checks.ts'
import { createRecord, decodeRecord, decodeVerifiedRecord } from './envelope.ts'
import { checkFields, may, must, name, publicKey, range, version, withoutUndefined } from './fields.ts'
import { RECORD_LIMITS as LIMITS } from './limits.ts'
import { checkSignedByOwner } from './owner.ts'
import { asArgumentError } from './publish-checks.ts'
import { releaseKey } from './set-keys.ts'
import {
  type Attestation,
  type AttestationRecord,
  type NewAttestation,
  type NewStatus,
  RELEASE_STATES,
  type ReleaseIdentity,
  type SignedRecord,
  type StatementRecord,
  type Status,
  type StatusRecord
} from './types.ts'

const IDENTITY_FIELDS = {
  name: must(name),
  version: must(version),
  owner: must(publicKey),
  content: must(check.cid)
}

const stateWord = check.text({ maxBytes: LIMITS.statementChars, form: /^[a-z][a-z-]*$/, what: 'a state' })

/** `name` or `name@range`; only for its form, like the range of a dependency. */
const replacement: check.Check = (value, field) => {
  check.text({ maxBytes: LIMITS.replacementBytes })(value, field)
  const text = value as string
  const at = text.indexOf('@', 1)
  if (!isName(at < 0 ? text : text.slice(0, at))) check.refuse(field, 'does not begin with a package name')
  if (at >= 0) range(text.slice(at + 1), field)
}

const STATUS_FIELDS = {
  ...IDENTITY_FIELDS,
  chain: may(check.cid),
  state: must(stateWord),
  reason: may(check.text({ maxBytes: LIMITS.reasonBytes })),
  replacement: may(replacement)
}

const statementWord = check.text({
  maxBytes: LIMITS.statementChars,
  form: /^[a-z][a-z0-9-]*$/,
  what: 'a word such as approved, built or tested'
})

const holds: check.Check = (value, field) => {
  if (typeof value !== 'boolean') check.refuse(field, 'is not true or false')
}

const ATTESTATION_FIELDS = { ...IDENTITY_FIELDS, statement: must(statementWord), holds: must(holds) }

/**
 * Reads the body of a status or an attestation. Throws RECORD_INVALID for another kind, a field out of bounds, a subject that is not
 * the release of the body, and a status that its owner did not sign; RECORD_TOO_LARGE; UNSUPPORTED for a state of a later version
 * and for a delegate's status.
 */
export function understandStatement(record: SignedRecord): StatementRecord {
  if (record.bytes.byteLength > LIMITS.statementBytes) throw tooLarge(record)
  if (record.kind === 'status') return understandStatus(record)
  if (record.kind === 'attestation') return understandAttestation(record)
  throw new CatalogError('RECORD_INVALID', `the record is a ${record.kind}, not a statement about a release`)
}

function understandStatus(record: SignedRecord): StatusRecord {
  const { body, signer, sequence } = record
  checkFields(body, STATUS_FIELDS)
  const { name, version, owner, content, chain, state, reason, replacement } = body as unknown as Status & {
    chain?: CID
  }
  checkSubject(record, releaseKey({ name, version, owner, content }))
  checkSignedByOwner({ owner, signer, chain }, 'status')
  if (!RELEASE_STATES.includes(state))
    throw new CatalogError('UNSUPPORTED', `the status says ${state}, which this version does not know`, {
      hint: 'upgrade Catalog to use it'
    })
  const status = { name, version, owner, content, state, signer, sequence }
  return { ...record, kind: 'status', status: { ...status, ...withoutUndefined({ reason, replacement }) } }
}

function understandAttestation(record: SignedRecord): AttestationRecord {
  const { body, signer, sequence } = record
  checkFields(body, ATTESTATION_FIELDS)
  const { name, version, owner, content, statement, holds } = body as unknown as Attestation
  checkSubject(record, attestationSubject({ name, version, owner, content }, statement))
  const attestation = { name, version, owner, content, statement, holds, signer, sequence }
  return { ...record, kind: 'attestation', attestation }
}

function attestationSubject(release: ReleaseIdentity, statement: string): Uint8Array {
  return Uint8Array.from(Buffer.concat([releaseKey(release), Buffer.from(statement)]))
}

function checkSubject(record: SignedRecord, expected: Uint8Array): void {
  if (record.subject === undefined || !bytesEqual(record.subject, expected))
    check.refuse('subject', 'is not the release that the body names')
}

function tooLarge({ bytes }: SignedRecord): CatalogError {
  return new CatalogError(
    'RECORD_TOO_LARGE',
    `the statement has ${bytes.byteLength} bytes, more than ${LIMITS.statementBytes}`,
    { details: { sizeBytes: bytes.byteLength, limitBytes: LIMITS.statementBytes } }
  )
}

/** Reads and verifies a statement that came from anywhere. Throws as `decodeRecord` and `understandStatement`. */
export function decodeStatement(bytes: Uint8Array): StatementRecord {
  return understandStatement(decodeRecord(bytes))
}

/** The same for bytes that were verified before they were stored here. */
export function decodeVerifiedStatement(bytes: Uint8Array): StatementRecord {
  return understandStatement(decodeVerifiedRecord(bytes))
}

/** Which release a statement is about. */
export function releaseOf(record: StatementRecord): ReleaseIdentity {
  return record.kind === 'status' ? record.status : record.attestation
}

/**
 * Signs a status as the owner of the release. Stricter than what `decodeStatement` accepts: the replacement must be a name or a
 * range that can be read today. Throws INVALID_ARGUMENT with `details.field`, SPEC_INVALID, NAME_INVALID, RECORD_TOO_LARGE.
 */
export function createStatusRecord(status: NewStatus, signer: Signer): StatusRecord {
  const { name, version, content, state, reason, replacement, sequence } = status
  if (replacement !== undefined && parseSpec(replacement).kind === 'id')
    throw new CatalogError('INVALID_ARGUMENT', 'a replacement is a name, with or without a range', {
      details: { field: 'replacement' }
    })
  const release = { name, version, owner: signer.publicKey, content }
  const body = withoutUndefined({ ...release, state, reason, replacement })
  return sign(
    { kind: 'status', sequence, body },
    STATUS_FIELDS,
    () => releaseKey(release),
    signer
  ) as StatusRecord
}

/** Signs an attestation. Throws INVALID_ARGUMENT with `details.field`. */
export function createAttestationRecord(attestation: NewAttestation, signer: Signer): AttestationRecord {
  const { sequence, ...body } = attestation
  const subject = (): Uint8Array => attestationSubject(attestation, attestation.statement)
  const statement = { kind: 'attestation', sequence, body }
  return sign(statement, ATTESTATION_FIELDS, subject, signer) as AttestationRecord
}

function sign(
  statement: { kind: string; sequence: number; body: Record<string, unknown> },
  fields: Parameters<typeof checkFields>[1],
  subject: () => Uint8Array,
  signer: Signer
): StatementRecord {
  try {
    checkFields(statement.body, fields)
    return understandStatement(createRecord({ ...statement, subject: subject() }, signer))
  } catch (thrown) {
    throw asArgumentError(thrown)
  }
}
