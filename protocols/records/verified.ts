import { setImmediate as nextTurn } from 'node:timers/promises'
import { toCatalogError } from '../../base/index.ts'
import type { SignedRecord } from '../../library/index.ts'

/** Records verified before the event loop gets its turn: a few milliseconds. */
const RECORDS_PER_TURN = 8

/** Those records that can be read and are `expected`; why the others are refused goes to `refused`. */
export async function readVerified<T extends SignedRecord>(
  records: readonly Uint8Array[],
  decode: (bytes: Uint8Array) => T,
  expected: (record: T) => boolean,
  refused: string[]
): Promise<T[]> {
  const good: T[] = []
  for (const [index, bytes] of records.entries()) {
    if (index > 0 && index % RECORDS_PER_TURN === 0) await nextTurn()
    try {
      // A copy: the record is kept, the frame it came in is not.
      const record = decode(bytes.slice())
      if (expected(record)) good.push(record)
      else refused.push(`${record.id} was not asked for`)
    } catch (thrown) {
      const { code, message } = toCatalogError(thrown)
      // A record of a later format is no fault of the peer that passes it on.
      if (code !== 'UNSUPPORTED') refused.push(`${code}: ${message}`)
    }
  }
  return good
}
