import { CatalogError } from '../../base/index.ts'
import { decodeMember, expectTimely, type MemberRecord, recordHash, trieKey } from '../../library/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import type { Head } from '../heads/index.ts'
import { verifyProof } from '../trie/index.ts'

/**
 * A record of a bundle, verified by itself and as a member of the library that the head is of. Throws what decoding a record throws,
 * and PROOF_INVALID.
 */
export function checkBundleRecord(
  { record: bytes, proof }: { record: Uint8Array; proof: Uint8Array },
  head: Pick<Head, 'root'>,
  nowMs: number
): MemberRecord {
  // A copy: it stays where the part that it came in does not.
  const record = decodeMember(Uint8Array.from(bytes))
  expectTimely(record.sequence, nowMs)
  const proven = verifyProof(proof, head.root)
  const isOfRecord =
    bytesEqual(proven.trieKey, trieKey(record)) &&
    proven.recHash !== undefined &&
    bytesEqual(proven.recHash, recordHash(record.bytes))
  if (!isOfRecord) throw new CatalogError('PROOF_INVALID', 'a proof of a bundle is of another record')
  return record
}
