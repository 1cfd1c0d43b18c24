/** Records as members of a set: of any kind, also of kinds that this version does not know, which it holds and passes on all the same. */
import { toCatalogError } from '../../base/index.ts'
import { decodeRecord, decodeVerifiedRecord } from '../records/envelope.ts'
import type { ReleaseRecord, SignedRecord, StatementRecord } from '../records/index.ts'
import { understandRelease } from '../records/release.ts'
import { understandStatement } from '../records/statements.ts'

export type MemberRecord = ReleaseRecord | StatementRecord | SignedRecord

/**
 * Reads and verifies a record of any kind. Throws as `decodeRecord`, `decodeRelease` and `decodeStatement`; a statement that only a
 * later version understands is no error.
 */
export const decodeMember = (bytes: Uint8Array): MemberRecord => understand(decodeRecord(bytes))

/** The same for bytes that were verified before they were stored here, or that are yet to be. */
export const decodeUnverifiedMember = (bytes: Uint8Array): MemberRecord =>
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
