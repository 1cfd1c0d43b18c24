import {
  announcementKey,
  decodeU64,
  encodeU64,
  KeyFamily,
  makeKey,
  parseAnnouncementKey
} from '../database/keys.ts'
import type { DatabaseReader, WriteOperation } from '../database/types.ts'

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

/** The write that sets an entry. */
export function scheduleAnnouncement({ name, dueMs, addedMs }: Announcement): WriteOperation {
  return { type: 'put', key: announcementKey(name), value: encodeU64(dueMs, addedMs) }
}
