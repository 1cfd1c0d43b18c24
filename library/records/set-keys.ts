/**
 * How records join a set (docs/records.md, "Keys and hashes"). A set holds one record per canonical key; of two, the one
 * with the larger sequence stays, of equal ones the one with the larger hash. That makes joining commutative, associative and
 * idempotent: every node that has seen the same records holds the same set. `trieKey` and `recordHash` are what the
 * set's tree is made of; their prefixes keep them apart from every other SHA-256 in Catalog.
 */
import { CatalogError } from '../../base/index.ts'
import { domainPrefix, sha256 } from '../../trust/index.ts'
import { understandRelease } from './release.ts'
import type { ReleaseIdentity, ReleaseRecord, SignedRecord } from './types.ts'

const KEY_PREFIX = domainPrefix('key')
const RECORD_PREFIX = domainPrefix('rec')

/** Each part behind its length in two bytes, so that no two lists of parts meet in one key. */
function joinParts(parts: Array<string | Uint8Array>): Uint8Array {
  const pieces: Uint8Array[] = []
  for (const part of parts) {
    const bytes = typeof part === 'string' ? new TextEncoder().encode(part) : part
    if (bytes.byteLength > 0xffff)
      throw new CatalogError('INTERNAL', 'a part of a key is longer than 65,535 bytes')
    pieces.push(Uint8Array.of(bytes.byteLength >> 8, bytes.byteLength & 0xff), bytes)
  }
  return Uint8Array.from(Buffer.concat(pieces))
}

const isRelease = (record: SignedRecord | ReleaseRecord): record is ReleaseRecord => 'release' in record

/**
 * Release: kind, name, version, owner, content. Any other kind: kind, signer, subject; the signer stands in it so
 * that nobody can push out what another signed. Throws as `understandRelease` for a release that is none.
 */
export function canonicalKey(record: SignedRecord | ReleaseRecord): Uint8Array {
  if (record.kind !== 'release') return canonicalSubjectKey(record)
  return canonicalReleaseKey((isRelease(record) ? record : understandRelease(record)).release)
}

type Subject = Pick<SignedRecord, 'kind' | 'signer' | 'subject'>

const canonicalSubjectKey = ({ kind, signer, subject = new Uint8Array() }: Subject): Uint8Array =>
  joinParts([kind, signer, subject])

/** The `trieKey` of every record of a kind other than `release` that one signer makes about one subject. */
export const trieKeyOf = (about: Subject): Uint8Array => sha256(KEY_PREFIX, canonicalSubjectKey(about))

const canonicalReleaseKey = ({ name, version, owner, content }: ReleaseIdentity): Uint8Array =>
  joinParts(['release', name, version, owner, content.bytes])

/** The `trieKey` of every record of this release: it names the release, whichever words its owner signs for it. */
export function releaseKey(release: ReleaseIdentity): Uint8Array {
  return sha256(KEY_PREFIX, canonicalReleaseKey(release))
}

/** SHA-256(`catalog/key/1\0` || canonical key): where the record stands in the tree. */
export function trieKey(record: SignedRecord | ReleaseRecord): Uint8Array {
  return sha256(KEY_PREFIX, canonicalKey(record))
}

/** SHA-256(`catalog/rec/1\0` || the record's bytes). */
export function recordHash(bytes: Uint8Array): Uint8Array {
  return sha256(RECORD_PREFIX, bytes)
}

/** Whether `a` takes the place of `b`, a record of the same canonical key. */
export function supersedes(a: SignedRecord, b: SignedRecord): boolean {
  if (a.sequence !== b.sequence) return a.sequence > b.sequence
  return Buffer.compare(recordHash(a.bytes), recordHash(b.bytes)) > 0
}
