/** A home library of many records, written as fast as the disk takes them: for homes that no daemon runs on yet. */
import { rawCid } from '../../library/content/blocks.ts'
import { encodeU64, libraryStateKey } from '../../library/database/keys.ts'
import {
  createReleaseRecord,
  HOME_LIBRARY,
  type NewRelease,
  type ReleaseRecord,
  recordHash,
  type Slice,
  type WriteOperation,
  withDatabase
} from '../../library/index.ts'
import { nameIndexRow } from '../../library/registry/plan.ts'
import { join, storeRows } from '../../library/registry/record-rows.ts'
import { NodeCache, rebuildTree, TreeStore } from '../../sync/index.ts'
import { SigningKey, sha256 } from '../../trust/index.ts'

const RECORDS_PER_BATCH = 1000
const WITHOUT_PAUSE: Slice = { due: () => false, pause: async () => {} }

const publisher = SigningKey.fromSeed(sha256(Buffer.from('the publisher of benchmarks')))

/** A release of its own; its content is nowhere unless one is given. */
export const benchRelease = (number: number, content: Partial<NewRelease> = {}): ReleaseRecord => {
  const now = Date.now()
  return createReleaseRecord(
    {
      name: `package-${number}`,
      version: '1.0.0',
      type: 'package',
      content: rawCid(sha256(Buffer.from(`content ${number}`))),
      sizeBytes: 1000,
      files: 1,
      publishedAt: now,
      sequence: now,
      ...content
    },
    publisher
  )
}

/** Fills the home library of a new home; resolves to the bytes of all records. */
export const fillLibrary = async (home: string, records: number): Promise<number> =>
  await withDatabase(home, async database => {
    let bytes = 0
    for (let from = 0; from < records; from += RECORDS_PER_BATCH) {
      const operations: WriteOperation[] = []
      for (let number = from; number < Math.min(records, from + RECORDS_PER_BATCH); number++) {
        const record = benchRelease(number)
        bytes += record.bytes.byteLength
        operations.push(
          ...storeRows(record, nameIndexRow(record, false), false),
          join(recordHash(record.bytes), HOME_LIBRARY)
        )
      }
      await database.batch(operations, { sync: false })
    }
    const state = { type: 'put', key: libraryStateKey(HOME_LIBRARY), value: encodeU64(1, records) } as const
    await database.batch([state], { sync: true })
    const store = new TreeStore({ database, cache: new NodeCache() })
    await rebuildTree({ database, store }, { libraryId: HOME_LIBRARY }, WITHOUT_PAUSE)
    return bytes
  })
