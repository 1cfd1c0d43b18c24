/** Libraries of many records, written as fast as the disk takes them: for homes that no daemon runs on yet. */
import { createHash } from 'node:crypto'
import { rawCid } from '../../library/content/blocks.ts'
import { encodeU64, libraryStateKey } from '../../library/database/keys.ts'
import type { DatabaseWriter } from '../../library/database/types.ts'
import {
  createReleaseRecord,
  decodeRelease,
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
import { recordId } from '../../library/records/envelope.ts'
import { nameIndexRow } from '../../library/registry/plan.ts'
import { join, storeRows } from '../../library/registry/record-rows.ts'
import { newFollowed, putFollowed } from '../../sync/follow/rows.ts'
import {
  HASH_BYTES,
  HEAD_LIFETIME_MS,
  libraryIdOf,
  NodeCache,
  openTree,
  rootOf,
  signHead,
  TreeStore
} from '../../sync/index.ts'
import { type Signer, SigningKey, sha256, signWithDomain } from '../../trust/index.ts'

/** Their rows are sorted, so that LevelDB has little to merge: 70 MB of them. */
const RECORDS_PER_RUN = 50_000
const ROWS_PER_BATCH = 5000
const ENTRIES_PER_PART = 1024
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

/** The release of a number, the same one each time. */
export type NumberedRelease = (number: number) => ReleaseRecord

/** Digits of the number in the name of a release. */
const NUMBER_DIGITS = 9
/** In CBOR: text of three letters, then 64 bytes. The shortest key, so the first one of the map. */
const SIGNATURE_TAG = Buffer.concat([Buffer.from('csig'), Buffer.of(0x58, 0x40)])
const SIGNATURE_BYTES = 64

/**
 * Releases made from one by writing other bytes into it, which takes a fraction of what making each takes; their contents are nowhere.
 * Unsigned ones have noise for a signature, which compresses as little: as they stand in the database nobody verifies them again.
 */
export const numberedReleases = ({ isSigned }: { isSigned: boolean }): NumberedRelease => {
  const numbered = (number: number): string => `package-${String(number).padStart(NUMBER_DIGITS, '0')}`
  const model = benchRelease(0, { name: numbered(0) })
  const template = Buffer.from(model.bytes)
  const at = {
    name: template.indexOf(numbered(0)),
    digest: template.indexOf(model.release.content.multihash.digest),
    signature: template.indexOf(SIGNATURE_TAG) + SIGNATURE_TAG.byteLength
  }
  const make = (number: number): ReleaseRecord => {
    const record = Buffer.from(template)
    const name = numbered(number)
    const digest = sha256(Buffer.from(`content ${number}`))
    record.write(name, at.name)
    record.set(digest, at.digest)
    record.set(isSigned ? signatureOf(record, at.signature) : noise(name), at.signature)
    const bytes = Uint8Array.from(record)
    const release = { ...model.release, name, content: rawCid(digest) }
    return { ...model, id: recordId(bytes), bytes, release }
  }
  // What is made so is a record.
  if (isSigned) decodeRelease(make(1).bytes)
  return make
}

/** Of the map without its first entry, which the signature is. */
const signatureOf = (record: Buffer, at: number): Uint8Array => {
  const begin = Buffer.of(record[0]! - 1)
  const signed = Buffer.concat([
    begin,
    record.subarray(1, at - SIGNATURE_TAG.byteLength),
    record.subarray(at + SIGNATURE_BYTES)
  ])
  return signWithDomain(publisher, 'record', signed)
}

const noise = (text: string): Uint8Array => createHash('sha512').update(text).digest()

/** The releases of a library: so many, from a number on. */
interface Releases {
  release: NumberedRelease
  count: number
  from: number
  /** Several libraries have the same releases: their numbers begin anew behind so many, and what was written once is only joined. */
  shared?: { distinct: number; written: Map<number, Written> }
}

/** What the tree needs of a record, key and hash, and the bytes of the record. */
interface Written {
  entry: Buffer
  sizeBytes: number
}

/** Fills the home library of a new home; resolves to the bytes of all records. */
export const fillLibrary = async (
  home: string,
  count: number,
  release: NumberedRelease = numberedReleases({ isSigned: true })
): Promise<number> =>
  await withDatabase(home, async database => {
    const { sizeBytes } = await writeSet(database, [HOME_LIBRARY], { release, count, from: 0 })
    await database.batch([putState(HOME_LIBRARY, count)], { sync: true })
    return sizeBytes
  })

/**
 * Fills a home with a library that is both its own and, under the name that a follower gives it, the copy of the home of `writer`: made once, and
 * copied to both. The follower has the row of what it follows yet to be given (`followFilled`).
 */
export const fillBoth = async (home: string, count: number, writer: Uint8Array): Promise<void> =>
  await withDatabase(home, async database => {
    const copy = followedLibrary(libraryIdOf(writer, HOME_LIBRARY), 1, false)
    const release = numberedReleases({ isSigned: false })
    const { sizeBytes } = await writeSet(database, [HOME_LIBRARY, copy], { release, count, from: 0 })
    await database.batch([putState(HOME_LIBRARY, count), putState(copy, count, sizeBytes)], { sync: true })
  })

/** Has a home that `fillBoth` filled follow the home of `writer`, whose copy it has. */
export const followFilled = async (home: string, writer: Signer): Promise<void> =>
  await withDatabase(home, async database => {
    const library = libraryIdOf(writer.publicKey, HOME_LIBRARY)
    const { root } = openTree(database, followedLibrary(library, 1, false), new NodeCache())
    await database.batch([putCopy({ name: HOME_LIBRARY, writer }, root)], { sync: true })
  })

/** A library that a home has a copy of. */
interface CopyToMake extends Releases {
  /** Its name at the node of `writer`. */
  name: string
  writer: Signer
}

/** Writes copies of libraries as a home has them that follows them. */
export const fillCopies = async (home: string, copies: Iterable<CopyToMake>): Promise<void> =>
  await withDatabase(home, async database => {
    for (const { name, writer, ...releases } of copies) {
      const libraryId = followedLibrary(libraryIdOf(writer.publicKey, name), 1, false)
      const { sizeBytes, root } = await writeSet(database, [libraryId], releases)
      const operations = [putState(libraryId, releases.count, sizeBytes), putCopy({ name, writer }, root)]
      await database.batch(operations, { sync: false })
    }
  })

const putState = (libraryId: string, ...numbers: number[]): WriteOperation => ({
  type: 'put',
  key: libraryStateKey(libraryId),
  value: encodeU64(1, ...numbers)
})

/** What is known of a followed library whose first copy is here. */
const putCopy = ({ name, writer }: Pick<CopyToMake, 'name' | 'writer'>, root: Uint8Array): WriteOperation => {
  const library = libraryIdOf(writer.publicKey, name)
  const nowMs = Date.now()
  const times = { time: nowMs, expires: nowMs + HEAD_LIFETIME_MS }
  const head = signHead({ library, epoch: 1, revision: 1, ...times, root }, writer)
  return putFollowed(library, {
    ...newFollowed({ writer: writer.publicKey, name }),
    copy: 1,
    syncedMs: nowMs,
    head
  })
}

/** Writes the records of libraries that have the same ones, and their trees. */
const writeSet = async (
  database: DatabaseWriter,
  libraryIds: readonly string[],
  { release, count, from, shared }: Releases
): Promise<{ sizeBytes: number; root: Uint8Array }> => {
  const entries: Buffer[] = []
  let sizeBytes = 0
  for (let begin = 0; begin < count; begin += RECORDS_PER_RUN) {
    const rows: WriteOperation[] = []
    for (let at = begin; at < Math.min(count, begin + RECORDS_PER_RUN); at++) {
      const number = shared === undefined ? from + at : (from + at) % shared.distinct
      let written = shared?.written.get(number)
      if (written === undefined) {
        const record = release(number)
        const entry = Buffer.concat([trieKey(record), recordHash(record.bytes)])
        written = { entry, sizeBytes: record.bytes.byteLength }
        rows.push(...storeRows(record, nameIndexRow(record, false), false))
        shared?.written.set(number, written)
      }
      entries.push(written.entry)
      sizeBytes += written.sizeBytes
      const recHash = written.entry.subarray(HASH_BYTES)
      rows.push(...libraryIds.map(libraryId => join(recHash, libraryId)))
    }
    rows.sort((a, b) => Buffer.compare(a.key, b.key))
    for (let at = 0; at < rows.length; at += ROWS_PER_BATCH)
      await database.batch(rows.slice(at, at + ROWS_PER_BATCH), { sync: false })
  }
  const store = new TreeStore({ database, cache: new NodeCache() })
  entries.sort(Buffer.compare)
  let root = rootOf(undefined)
  for (const libraryId of libraryIds) {
    const tree = { libraryId, generation: store.nextGeneration(libraryId), revision: 1 }
    root = rootOf(await store.build(tree, inParts(entries), WITHOUT_PAUSE))
  }
  return { sizeBytes, root }
}

async function* inParts(entries: Buffer[]): AsyncGenerator<Buffer> {
  for (let at = 0; at < entries.length; at += ENTRIES_PER_PART)
    yield Buffer.concat(entries.slice(at, at + ENTRIES_PER_PART))
}
