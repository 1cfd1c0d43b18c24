/** Records as members of a set: of any kind, also of kinds that this version does not know, which it holds and passes on all the same. */
import { toCatalogError } from '../../base/index.ts'
import { decodeVerifiedRecord, type OpenedRecord, openRecord } from '../records/envelope.ts'
import type { ReleaseRecord, SignedRecord, StatementRecord } from '../records/index.ts'
import { understandRelease } from '../records/release.ts'
import { understandStatement } from '../records/statements.ts'

export type MemberRecord = ReleaseRecord | StatementRecord | SignedRecord

/**
 * Reads a record of any kind; its signature is verified when it is asked for. Throws as `decodeRecord`, `decodeRelease` and
 * `decodeStatement`; a statement that only a later version understands is no error.
 */
export function openMember(bytes: Uint8Array): OpenedRecord<MemberRecord> {
  const { record, verify } = openRecord(bytes)
  return { record: understand(record), verify }
}

/** The same, verified. */
export function decodeMember(bytes: Uint8Array): MemberRecord {
  const { record, verify } = openMember(bytes)
  verify()
  return record
}

/** The same for bytes that were verified before. */
export const decodeVerifiedMember = (bytes: Uint8Array): MemberRecord =>
  understand(decodeVerifiedRecord(bytes))

function understand(record: SignedRecord): MemberRecord {
  if (record.kind === 'release') return understandRelease(record)
  if (record.kind !== 'status' && record.kind !== 'attestation') return record
  try {
    return understandStatement(record)
  } catch (thrown) {
    if (toCatalogError(thrown).code === 'UNSUPPORTED') return record
    throw thrown
  }
}

export const isReleaseRecord = (record: MemberRecord): record is ReleaseRecord => 'release' in record

export const isStatementRecord = (record: MemberRecord): record is StatementRecord =>
  'status' in record || 'attestation' in record
