/** Libraries of many records, written as fast as the disk takes them: for homes that no daemon runs on yet. */
import { randomFillSync } from 'node:crypto'
import { rawCid } from '../../library/content/blocks.ts'
import { encodeU64, libraryStateKey } from '../../library/database/keys.ts'
import {
  createReleaseRecord,
  decodeVerifiedRelease,
  followedLibrary,
  HOME_LIBRARY,
  type NewRelease,
  type ReleaseRecord,
  recordHash,
  type Slice,
  trieKey,
  type WriteOperation,
  withDatabase
} from '../../library/index.ts'
import { nameIndexRow } from '../../library/registry/plan.ts'
import { join, storeRows } from '../../library/registry/record-rows.ts'
import { newFollowed, putFollowed } from '../../sync/follow/rows.ts'
import {
  HEAD_LIFETIME_MS,
  libraryIdOf,
  NodeCache,
  rebuildTree,
  rootOf,
  signHead,
  TreeStore
} from '../../sync/index.ts'
import { type Signer, SigningKey, sha256 } from '../../trust/index.ts'

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

/** Digits of the number in the name of an unsigned release. */
const NUMBER_DIGITS = 9
/** In CBOR: text of three letters, then 64 bytes. */
const SIGNATURE_TAG = Buffer.concat([Buffer.from('csig'), Buffer.of(0x58, 0x40)])

/**
 * Makes releases whose signatures do not hold, and whose contents are nowhere: as they stand in the database nobody verifies them again, and
 * a million signatures would take minutes.
 */
const unsignedReleases = (): ((number: number) => ReleaseRecord) => {
  const numbered = (number: number): string => `package-${String(number).padStart(NUMBER_DIGITS, '0')}`
  const { bytes, release } = benchRelease(0, { name: numbered(0) })
  const template = Buffer.from(bytes)
  const at = {
    name: template.indexOf(numbered(0)),
    digest: template.indexOf(release.content.multihash.digest),
    signature: template.indexOf(SIGNATURE_TAG) + SIGNATURE_TAG.byteLength
  }
  return number => {
    const record = Buffer.from(template)
    record.write(numbered(number), at.name)
    // What does not shrink when LevelDB compresses it.
    randomFillSync(record, at.digest, 32)
    randomFillSync(record, at.signature, 64)
    return decodeVerifiedRelease(Uint8Array.from(record))
  }
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

/** A library that a home has a copy of. */
interface CopyToMake {
  /** Its name at the node of `writer`. */
  name: string
  writer: Signer
  releases: number
  /** Number of its first release. */
  from: number
}

/** Writes copies of libraries as a home has them that follows them. */
export const fillCopies = async (home: string, copies: Iterable<CopyToMake>): Promise<void> =>
  await withDatabase(home, async database => {
    const store = new TreeStore({ database, cache: new NodeCache() })
    const release = unsignedReleases()
    for (const { name, writer, releases, from } of copies) {
      const records = Array.from({ length: releases }, (_, at) => release(from + at))
      const library = libraryIdOf(writer.publicKey, name)
      const libraryId = followedLibrary(library, 1, false)
      const entries = records
        .map(record => Buffer.concat([trieKey(record), recordHash(record.bytes)]))
        .sort(Buffer.compare)
      const tree = { libraryId, generation: store.nextGeneration(libraryId), revision: 1 }
      const top = await store.build(tree, inOnePart(entries), WITHOUT_PAUSE)
      const nowMs = Date.now()
      const times = { time: nowMs, expires: nowMs + HEAD_LIFETIME_MS }
      const head = signHead({ library, epoch: 1, revision: 1, ...times, root: rootOf(top) }, writer)
      const row = { ...newFollowed({ writer: writer.publicKey, name }), copy: 1, syncedMs: nowMs, head }
      const bytes = records.reduce((sum, record) => sum + record.bytes.byteLength, 0)
      const state = encodeU64(1, releases, bytes)
      await database.batch(
        [
          ...records.flatMap(record => storeRows(record, nameIndexRow(record, false), false)),
          ...records.map(record => join(recordHash(record.bytes), libraryId)),
          { type: 'put', key: libraryStateKey(libraryId), value: state },
          putFollowed(library, row)
        ],
        { sync: false }
      )
    }
  })

async function* inOnePart(entries: Buffer[]): AsyncGenerator<Buffer> {
  if (entries.length > 0) yield Buffer.concat(entries)
}
