/**
 * Pages of a name for peers. A peer may ask for them again and again, so a page costs little and holds nobody up: the index
 * says version and owner of each release, the best `limit` entries behind the cursor are kept while it is streamed, and
 * only their records are read, with what is said of them, as bytes that are neither decoded nor verified: they were when they
 * came in, and the peer trusts nobody's word for it. The cursor is a place in the order, so it stays good when its record goes.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { CID } from 'multiformats/cid'
import { CatalogError } from '../../base/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import {
  KeyFamily,
  makeKey,
  type NameIndexKey,
  nameIndexKey,
  nameIndexPrefix,
  parseNameIndexKey,
  recordKey
} from '../database/keys.ts'
import type { DatabaseReader } from '../database/types.ts'
import { isVersion } from '../names.ts'
import { releaseKey } from '../records/index.ts'
import { compareVersions, isRange, specMatches } from '../spec.ts'
import { asRelease, checkedBytes, corrupt, isClosedValue, readIndexEntry, readRecordBytes } from './read.ts'
import { readStatementBytes } from './read-statements.ts'
import type { StoredPage, StoredQuery, StoredRecord } from './types.ts'
import { areClosedBytes, readPlace } from './visibility.ts'

/** Index entries that one page looks through, from the last key down: 20 ms. A name with more has them found by version or range. */
const MAX_SCANNED_ENTRIES = 10_000
/** Of them before the event loop gets its turn: less than a millisecond. */
const ENTRIES_PER_TURN = 256
const SHA256_CODE = 0x12

/**
 * Signed bytes of the release of an id. Statements are no answer by themselves, and what is closed is as good as not here. CONTENT_CORRUPT
 * when bytes have changed on disk.
 */
export async function readStoredById(
  reader: DatabaseReader,
  id: CID,
  signal?: AbortSignal
): Promise<StoredRecord | undefined> {
  if (id.multihash.code !== SHA256_CODE) return undefined
  const place = readPlace(reader, id.multihash.digest)
  if (place === undefined || place.isClosed) return undefined
  const bytes = readRecordBytes(reader, place.recHash)
  if (bytes === undefined) return undefined
  const record = asRelease(bytes)
  if (record === undefined) return undefined
  return { bytes, statements: await openStatements(reader, releaseKey(record.release), signal) }
}

/** What is said of a release and may be told to everybody. */
async function openStatements(
  reader: DatabaseReader,
  release: Uint8Array,
  signal?: AbortSignal
): Promise<Uint8Array[]> {
  const statements = await readStatementBytes(reader, release, signal)
  return statements.filter(bytes => !areClosedBytes(reader, bytes))
}

/** One page of a name, highest version first, then by owner and hash. */
export async function readStoredPage(
  reader: DatabaseReader,
  query: StoredQuery,
  signal?: AbortSignal
): Promise<StoredPage> {
  const entries = await nextEntries(reader, query, signal)
  const page = entries.slice(0, query.limit)
  const stored = await reader.getMany(page.map(entry => recordKey(entry.recHash)))
  const records: StoredPage['records'] = []
  for (const [at, found] of stored.entries()) {
    // One that was replaced since the index was read is left out.
    if (found === undefined) continue
    const entry = page[at]!
    const bytes = checkedBytes(found, entry.recHash)
    const release = readIndexEntry(nameIndexKey(entry), entry.value)
    const statements = await openStatements(reader, releaseKey(release), signal)
    records.push({ bytes, statements, cursor: cursorOf(entry) })
  }
  return { records, hasMore: entries.length > page.length }
}

interface PageEntry extends NameIndexKey {
  value: Uint8Array
}

/** The `limit` entries behind the cursor, and one more when there are more. */
async function nextEntries(
  reader: DatabaseReader,
  query: StoredQuery,
  signal?: AbortSignal
): Promise<PageEntry[]> {
  const { name, version, owner, limit } = query
  const after = query.after === undefined ? undefined : entryOfCursor(name, query.after)
  const prefix = nameIndexPrefix(name, version, version === undefined ? undefined : owner)
  const wanted = limit + 1
  let best: PageEntry[] = []
  const keepBest = (): void => {
    best = best.sort(compareEntries).slice(0, wanted)
  }
  let scanned = 0
  for await (const [key, value] of reader.iterate(
    { prefix, limit: MAX_SCANNED_ENTRIES, reverse: true },
    signal
  )) {
    if (++scanned % ENTRIES_PER_TURN === 0) await nextTurn()
    const entry = parseNameIndexKey(key)
    if (entry === undefined) throw corrupt('a key of the name index cannot be read')
    if (isClosedValue(value) || !isAskedFor(entry, query)) continue
    if (query.isHidden?.(readIndexEntry(key, value)) === true) continue
    if (after !== undefined && compareEntries(entry, after) <= 0) continue
    best.push({ ...entry, value })
    if (best.length === 4 * wanted) keepBest()
  }
  keepBest()
  return best
}

function isAskedFor(entry: NameIndexKey, { owner, range }: StoredQuery): boolean {
  if (owner !== undefined && !bytesEqual(entry.owner, owner)) return false
  return (
    range === undefined ||
    !isRange(range) ||
    specMatches({ kind: 'range', name: entry.name, range, exact: false }, entry.version)
  )
}

/** By what the key says alone, so that a cursor can be compared with. */
function compareEntries(a: NameIndexKey, b: NameIndexKey): number {
  return (
    compareVersions(b.version, a.version) ||
    // Versions that differ only in their build have one precedence.
    Buffer.compare(Buffer.from(a.version), Buffer.from(b.version)) ||
    Buffer.compare(a.owner, b.owner) ||
    Buffer.compare(a.recHash, b.recHash)
  )
}

/** The part of an entry's key behind its name. */
function cursorOf(entry: NameIndexKey): Uint8Array {
  return nameIndexKey(entry).slice(nameIndexPrefix(entry.name).byteLength)
}

function entryOfCursor(name: string, cursor: Uint8Array): NameIndexKey {
  const prefix = nameIndexPrefix(name).subarray(KeyFamily.NameIndex.length)
  const entry = parseNameIndexKey(makeKey(KeyFamily.NameIndex, prefix, cursor))
  if (entry === undefined || !isVersion(entry.version))
    throw new CatalogError('INVALID_ARGUMENT', 'the cursor of the page cannot be read')
  return entry
}
