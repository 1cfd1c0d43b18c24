import { CatalogError } from '../../base/index.ts'
import { type Signer, SigningKey } from '../../trust/index.ts'
import { checkName, checkVersion } from '../names.ts'
import { createRecord, decodeRecord, decodeVerifiedRecord } from './envelope.ts'
import { checkFields, withoutUndefined } from './fields.ts'
import { CONTENT_FORMAT } from './limits.ts'
import { checkSignedByOwner } from './owner.ts'
import { asArgumentError, checkForPublish } from './publish-checks.ts'
import { RELEASE_FIELDS } from './release-fields.ts'
import type { NewRelease, Release, ReleaseDescription, ReleaseRecord, SignedRecord } from './types.ts'

/**
 * Reads the body of a release. Throws RECORD_INVALID for another kind or a field out of bounds, UNSUPPORTED for a
 * content of a later format, and for a release signed by a delegate: this version cannot check the chain, so it must
 * not believe in the owner. Fields it does
 * not know are in `unknown`.
 */
export function understandRelease(record: SignedRecord): ReleaseRecord {
  if (record.kind !== 'release') {
    throw new CatalogError('RECORD_INVALID', `the record is a ${record.kind}, not a release`)
  }
  const body = record.body
  checkFormat(body.format)
  checkFields(body, RELEASE_FIELDS)
  const entries = Object.entries(body)
  const known = entries.filter(([field]) => isKnown(field))
  const unknown = entries.filter(([field]) => !isKnown(field))
  const release = {
    ...(Object.fromEntries(known) as Omit<Release, 'signer' | 'sequence'>),
    signer: record.signer,
    sequence: record.sequence,
    ...(unknown.length === 0 ? {} : { unknown: Object.fromEntries(unknown) })
  }
  checkSignedByOwner(release, 'release')
  return { ...record, kind: 'release', release }
}

/** First of all: in another format the other fields may mean something else. */
function checkFormat(format: unknown): void {
  if (!Number.isSafeInteger(format) || (format as number) <= CONTENT_FORMAT) return
  throw new CatalogError(
    'UNSUPPORTED',
    `the content of the release has format ${format}, not ${CONTENT_FORMAT}`,
    {
      hint: 'upgrade Catalog to use it',
      details: { format: format as number }
    }
  )
}

/** Reads and verifies a release that came from anywhere. Throws as `decodeRecord` and `understandRelease`. */
export function decodeRelease(bytes: Uint8Array): ReleaseRecord {
  return understandRelease(decodeRecord(bytes))
}

/** The same for bytes that were verified before they were stored here. */
export function decodeVerifiedRelease(bytes: Uint8Array): ReleaseRecord {
  return understandRelease(decodeVerifiedRecord(bytes))
}

/**
 * Signs a release as its owner. Stricter than what `decodeRelease` accepts: the licence, ranges and URLs must be readable
 * today. Throws NAME_INVALID, VERSION_INVALID, INVALID_ARGUMENT with `details.field`, RECORD_TOO_LARGE.
 */
export function createReleaseRecord(release: NewRelease, signer: Signer): ReleaseRecord {
  checkName(release.name)
  checkVersion(release.version)
  const body = bodyOf(release, signer.publicKey)
  try {
    checkFields(body, RELEASE_FIELDS)
    checkForPublish(release)
    return understandRelease(createRecord({ kind: 'release', sequence: release.sequence, body }, signer))
  } catch (thrown) {
    throw asArgumentError(thrown)
  }
}

/** Throws what `createReleaseRecord` would, RECORD_TOO_LARGE too, for who has yet to store the content: of its CID only the length counts. */
export function checkNewRelease(release: NewRelease): void {
  createReleaseRecord(release, SigningKey.generate())
}

/**
 * The checks that `createReleaseRecord` makes of some fields alone, for who has not all of them yet. Throws INVALID_ARGUMENT with
 * `details.field`.
 */
export function checkDescription(fields: Partial<ReleaseDescription>): void {
  const given = withoutUndefined(fields)
  const checks = Object.entries(RELEASE_FIELDS).filter(([field]) => Object.hasOwn(given, field))
  try {
    checkFields(given, Object.fromEntries(checks))
    checkForPublish(fields)
  } catch (thrown) {
    throw asArgumentError(thrown)
  }
}

/** Picks the fields of the body, so that a whole `Release` may be given too; what signs decides whose it is. */
function bodyOf(release: NewRelease, owner: Uint8Array): Record<string, unknown> {
  const known = Object.entries(release).filter(([field]) => isKnown(field))
  const unknown = Object.entries(release.unknown ?? {}).filter(([field]) => !isKnown(field))
  const dependencies = release.dependencies?.map(withoutUndefined)
  return withoutUndefined({
    ...Object.fromEntries([...unknown, ...known]),
    dependencies,
    chain: undefined,
    format: CONTENT_FORMAT,
    owner
  })
}

const isKnown = (field: string): boolean => Object.hasOwn(RELEASE_FIELDS, field)

/** The sequence of the next record for a key: the time in ms, unless the last one was dated later. */
export function nextSequence(nowMs: number, last?: number): number {
  return last === undefined ? nowMs : Math.max(nowMs, last + 1)
}
