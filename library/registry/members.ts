import { toCatalogError } from '../../base/index.ts'
import { KeyFamily, makeKey, membershipKey } from '../database/keys.ts'
import type { DatabaseReader } from '../database/types.ts'
import { decodeVerifiedRecord } from '../records/envelope.ts'
import { trieKey } from '../records/index.ts'
import { readRecordBytes } from './read.ts'

const DIGEST_BYTES = 32
/** What reading a record throws when its bytes on disk are not those that were stored. */
const UNREADABLE: readonly string[] = ['CONTENT_CORRUPT', 'RECORD_INVALID', 'RECORD_TOO_LARGE', 'UNSUPPORTED']

/** A record of a library. */
export interface Member {
  readonly recHash: Uint8Array
  /** Where it stands in the set; undefined when the record is lost or damaged. */
  readonly trieKey: Uint8Array | undefined
}

/** The recHash of every record of a library, in their order; only those behind `after` when it is given. */
export async function* readMemberHashes(
  reader: DatabaseReader,
  libraryId: string,
  { after, signal }: { after?: Uint8Array; signal?: AbortSignal } = {}
): AsyncIterable<Uint8Array> {
  const suffix = Buffer.from(libraryId)
  const prefix = makeKey(KeyFamily.Membership)
  const from = after === undefined ? {} : { after: membershipKey(after, libraryId) }
  for await (const [key] of reader.iterate({ prefix, ...from }, signal)) {
    const libraryAt = prefix.byteLength + DIGEST_BYTES
    if (suffix.equals(key.subarray(libraryAt)))
      yield Uint8Array.from(key.subarray(prefix.byteLength, libraryAt))
  }
}

/** The same with where each stands in the set, for which all records are read. */
export async function* readMembers(
  reader: DatabaseReader,
  libraryId: string,
  from: { after?: Uint8Array; signal?: AbortSignal } = {}
): AsyncIterable<Member> {
  for await (const recHash of readMemberHashes(reader, libraryId, from))
    yield { recHash, trieKey: keyOfStored(reader, recHash) }
}

/** The trieKey of a stored record; undefined when it is lost or damaged. */
export function keyOfStored(reader: DatabaseReader, recHash: Uint8Array): Uint8Array | undefined {
  return unlessDamaged(() => {
    const bytes = readRecordBytes(reader, recHash)
    return bytes === undefined ? undefined : trieKey(decodeVerifiedRecord(bytes))
  })
}

/** What reading a record gives; undefined, as for one that is lost, when its bytes on disk are not those that were stored. */
export function unlessDamaged<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (thrown) {
    if (UNREADABLE.includes(toCatalogError(thrown).code)) return undefined
    throw thrown
  }
}
