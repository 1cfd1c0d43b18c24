import type { CID } from 'multiformats/cid'
import {
  announcementKey,
  decodeU64,
  encodeU64,
  KeyFamily,
  makeKey,
  nameIndexPrefix,
  parseAnnouncementKey,
  parseNameIndexKey,
  recordKey
} from '../database/keys.ts'
import type { DatabaseReader, WriteOperation } from '../database/types.ts'
import { recordId } from '../records/envelope.ts'
import { isPublicLibrary } from './library-names.ts'
import { ownLibrariesOf } from './membership.ts'
import { isClosedValue } from './read.ts'

/**
 * The announcement schedule: one entry per package name that this node publishes, written in the same batch as the release.
 * So a name whose publish was acknowledged is announced even when the node stopped in between. Whoever announces reads
 * the schedule, and moves an entry on with `scheduleAnnouncement`.
 */
export interface Announcement {
  name: string
  /** When it must be announced next, ms since the epoch. */
  dueMs: number
  /** When the name was first published here. */
  addedMs: number
}

export function readAnnouncement(reader: DatabaseReader, name: string): Announcement | undefined {
  const value = reader.get(announcementKey(name))
  return value === undefined ? undefined : { name, dueMs: decodeU64(value, 0), addedMs: decodeU64(value, 1) }
}

/** All entries by name, due or not. */
export async function* readAnnouncements(
  reader: DatabaseReader,
  signal?: AbortSignal
): AsyncIterable<Announcement> {
  for await (const [key, value] of reader.iterate({ prefix: makeKey(KeyFamily.Announcement) }, signal)) {
    yield { name: parseAnnouncementKey(key), dueMs: decodeU64(value, 0), addedMs: decodeU64(value, 1) }
  }
}

/** Ids of the releases of a name in this node's public libraries, by version. Reads each record, and checks none. */
export async function* readPublishedIds(
  reader: DatabaseReader,
  name: string,
  signal?: AbortSignal
): AsyncIterable<CID> {
  for await (const [key, value] of reader.iterate({ prefix: nameIndexPrefix(name) }, signal)) {
    const entry = parseNameIndexKey(key)
    if (entry === undefined || isClosedValue(value)) continue
    if (!(await ownLibrariesOf(reader, entry.recHash)).some(isPublicLibrary)) continue
    const bytes = reader.get(recordKey(entry.recHash))
    if (bytes !== undefined) yield recordId(bytes)
  }
}

/** The write that makes a name due at once. */
export function dueNow(reader: DatabaseReader, name: string, nowMs: number): WriteOperation {
  return scheduleAnnouncement({
    name,
    dueMs: nowMs,
    addedMs: readAnnouncement(reader, name)?.addedMs ?? nowMs
  })
}

/** The write that sets an entry. */
export function scheduleAnnouncement({ name, dueMs, addedMs }: Announcement): WriteOperation {
  return { type: 'put', key: announcementKey(name), value: encodeU64(dueMs, addedMs) }
}
