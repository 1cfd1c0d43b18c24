/**
 * Records: signed, content-addressed statements, the unit of everything that peers tell each other about packages. This
 * folder makes and reads them: bytes in, a verified record or a CatalogError out, and back. It stores nothing, knows no
 * clock and no network. docs/records.md is the format, test/fixtures/vectors/records its frozen examples.
 */
export {
  createRecord,
  decodeRecord,
  decodeVerifiedRecord,
  RECORD_FORMAT,
  type RecordStatement,
  recordId,
  verifyRecord
} from './envelope.ts'
export { RECORD_LIMITS } from './limits.ts'
export {
  createReleaseRecord,
  decodeRelease,
  decodeVerifiedRelease,
  nextSequence,
  understandRelease
} from './release.ts'
export { canonicalKey, recordHash, supersedes, trieKey } from './set-keys.ts'
export * from './types.ts'
