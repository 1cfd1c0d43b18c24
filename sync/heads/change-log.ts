/**
 * What each head of this node's libraries changed, so that who has the head before needs one message to follow: a row for each head, of the
 * keys that came, were replaced or went with it. It is a convenience with an end: old rows go, and a change of very many records
 * gets no row, for then comparing the sets costs less than repeating it.
 */
import { CatalogError } from '../../base/index.ts'
import {
  type DatabaseReader,
  KeyFamily,
  makeKey,
  type SetChange,
  type WriteOperation
} from '../../library/index.ts'

/** Heads whose changes are kept: of a library that changes every minute those of the last 17 hours. */
export const MAX_LOGGED_HEADS = 1024
/** Changes that one row may hold, 16 KB; with MAX_LOGGED_HEADS it bounds the log of a library to 17 MB. */
export const MAX_LOGGED_CHANGES = 256

const LOG_VERSION = 1
const HASH_BYTES = 32
const CHANGE_BYTES = 2 * HASH_BYTES
/** In place of a recHash: the record went. */
const GONE = new Uint8Array(HASH_BYTES)

function logKey(library: Uint8Array, revision: number): Uint8Array {
  const number = Buffer.alloc(8)
  number.writeBigUInt64BE(BigInt(revision))
  return makeKey(KeyFamily.ChangeLog, library, number)
}

/** The writes that log the changes of a head, undefined = they are not known, and let go of those that are too old. */
export function logChanges(
  library: Uint8Array,
  revision: number,
  changes: readonly SetChange[] | undefined
): WriteOperation[] {
  const operations: WriteOperation[] = []
  // A writer that has forgotten its heads counts from 1 again: a row of then must not speak for a head of now.
  if (changes === undefined || changes.length > MAX_LOGGED_CHANGES)
    operations.push({ type: 'del', key: logKey(library, revision) })
  else {
    const value = Buffer.concat([
      Uint8Array.of(LOG_VERSION),
      ...changes.flatMap(({ trieKey, recHash }) => [trieKey, recHash ?? GONE])
    ])
    operations.push({ type: 'put', key: logKey(library, revision), value })
  }
  if (revision > MAX_LOGGED_HEADS)
    operations.push({ type: 'del', key: logKey(library, revision - MAX_LOGGED_HEADS) })
  return operations
}

/** What the head of a revision changed; undefined when that is not known any more, or was too much. Throws CONTENT_CORRUPT. */
export function readChanges(
  reader: DatabaseReader,
  library: Uint8Array,
  revision: number
): SetChange[] | undefined {
  const value = reader.get(logKey(library, revision))
  if (value === undefined) return undefined
  const bytes = Uint8Array.from(value)
  const count = (bytes.byteLength - 1) / CHANGE_BYTES
  if (bytes[0] !== LOG_VERSION || !Number.isInteger(count) || count > MAX_LOGGED_CHANGES)
    throw new CatalogError('CONTENT_CORRUPT', 'a row of the log of changes cannot be read')
  return Array.from({ length: count }, (_, index) => {
    const at = 1 + index * CHANGE_BYTES
    const recHash = bytes.slice(at + HASH_BYTES, at + CHANGE_BYTES)
    const isGone = recHash.every(byte => byte === 0)
    return { trieKey: bytes.slice(at, at + HASH_BYTES), recHash: isGone ? undefined : recHash }
  })
}
