/**
 * Records: signed, content-addressed statements, the unit of everything that peers tell each other about packages. This
 * folder makes and reads them: bytes in, a verified record or a CatalogError out, and back. It stores nothing, knows no
 * clock and no network. docs/records.md is the format, test/fixtures/vectors/records its frozen examples.
 */
export {
  ACCESS_CLASSES,
  ACCESS_LIFETIME_MS,
  type AccessClass,
  type AccessList,
  accessListKey,
  createAccessList,
  decodeAccessList,
  isAdmitted,
  type NewAccessList
} from './access-list.ts'
export { decodeCanonical, encodeCanonical } from './canonical.ts'
export * as check from './checks.ts'
export {
  createRecord,
  decodeRecord,
  type RecordStatement
} from './envelope.ts'
export { checkFields, may, must } from './fields.ts'
export { RECORD_LIMITS } from './limits.ts'
export {
  checkDescription,
  checkNewRelease,
  createReleaseRecord,
  decodeRelease,
  decodeVerifiedRelease,
  nextSequence
} from './release.ts'
export { canonicalKey, recordHash, releaseKey, supersedes, trieKey } from './set-keys.ts'
export { SignedMap } from './signed-map.ts'
export { StatementSet } from './statement-set.ts'
export {
  createAttestationRecord,
  createStatusRecord,
  decodeStatement,
  decodeVerifiedStatement,
  releaseOf
} from './statements.ts'
export * from './types.ts'
