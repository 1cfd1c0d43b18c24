import { CatalogError } from '../../base/index.ts'
import { decodeMember, expectTimely, type MemberRecord, recordHash, trieKey } from '../../library/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import { decodeHead, type Head, libraryIdOf } from '../heads/index.ts'
import { verifyProof } from '../trie/index.ts'

/**
 * The head of a bundle, verified by itself, and that the library is called `name` at its node. Throws what decoding a head throws, RECORD_EARLY,
 * NOT_PERMITTED for a library that is not for everybody, and BUNDLE_INVALID.
 */
export function checkBundleHead(bytes: Uint8Array, name: string, nowMs: number): Head {
  const head = decodeHead(Uint8Array.from(bytes))
  expectTimely(head.time, nowMs)
  if (head.isClosed)
    throw new CatalogError('NOT_PERMITTED', 'the library of this bundle is not for everybody', {
      hint: 'nodes on its access list follow it: catalog sync'
    })
  if (!bytesEqual(head.library, libraryIdOf(head.writer, name)))
    throw new CatalogError('BUNDLE_INVALID', 'the file has the name of another library')
  return head
}

/** A record of a bundle, and what its proof says of the set that it is in. */
export interface BundledRecord {
  readonly record: MemberRecord
  /** Records in the whole set of the head. */
  readonly count: number
}

/**
 * A record of a bundle, verified by itself and as a member of the library that the head is of. Throws what decoding a record throws,
 * and PROOF_INVALID.
 */
export function checkBundleRecord(
  { record: bytes, proof }: { record: Uint8Array; proof: Uint8Array },
  head: Pick<Head, 'root'>,
  nowMs: number
): BundledRecord {
  // A copy: it stays where the part that it came in does not.
  const record = decodeMember(Uint8Array.from(bytes))
  expectTimely(record.sequence, nowMs)
  const proven = verifyProof(proof, head.root)
  const isOfRecord =
    bytesEqual(proven.trieKey, trieKey(record)) &&
    proven.recHash !== undefined &&
    bytesEqual(proven.recHash, recordHash(record.bytes))
  if (!isOfRecord) throw new CatalogError('PROOF_INVALID', 'a proof of a bundle is of another record')
  return { record, count: proven.count }
}
