import type { CID } from 'multiformats/cid'
import type { Clock } from '../base/index.ts'
import { nameKey, recordKey } from '../discovery/index.ts'
import {
  type Announcement,
  type Database,
  parseId,
  readAnnouncement,
  readAnnouncements,
  readPublishedIds,
  scheduleAnnouncement
} from '../library/index.ts'
import type { LibraryKeys } from './services/library-keys.ts'
import type { MirrorCopy } from './services/mirroring/copies.ts'

export interface AnnouncementScheduleModules {
  database: Database
  clock: Clock
  libraries: Pick<LibraryKeys, 'all'>
  /** What is held here for others. */
  mirrored: () => Iterable<Pick<MirrorCopy, 'name' | 'record'>>
}

/**
 * The announcement schedule that the registry writes in the same batch as a publish. An entry is due until its name was
 * handed to discovery, and again when discovery should long have announced it anew: so nothing published is forgotten.
 */
export class AnnouncementSchedule {
  readonly #database: Database
  readonly #clock: Clock
  readonly #libraries: Pick<LibraryKeys, 'all'>
  readonly #mirrored: AnnouncementScheduleModules['mirrored']
  readonly #intervalMs: number

  constructor(modules: AnnouncementScheduleModules, options: { intervalMs: number }) {
    this.#database = modules.database
    this.#clock = modules.clock
    this.#libraries = modules.libraries
    this.#mirrored = modules.mirrored
    this.#intervalMs = options.intervalMs
  }

  /** Names that are due at `nowMs`, at most `limit`. */
  async due(nowMs: number, limit: number, signal: AbortSignal): Promise<string[]> {
    const names: string[] = []
    for await (const { name, dueMs } of readAnnouncements(this.#database, signal)) {
      if (dueMs > nowMs) continue
      names.push(name)
      if (names.length >= limit) break
    }
    return names
  }

  /** Names that were announced since a time, at most `limit`. */
  async announcedSince(sinceMs: number, limit: number, signal: AbortSignal): Promise<string[]> {
    const names: string[] = []
    for await (const { name, dueMs } of readAnnouncements(this.#database, signal)) {
      if (dueMs < sinceMs + this.#intervalMs) continue
      names.push(name)
      if (names.length >= limit) break
    }
    return names
  }

  /** Discovery has written these down. Not flushed: announcing once more after a power cut does no harm. */
  async announced(names: readonly string[], signal: AbortSignal): Promise<void> {
    const dueMs = this.#clock.now() + this.#intervalMs
    const entries = names.map(name => readAnnouncement(this.#database, name))
    const operations = entries
      .filter((entry): entry is Announcement => entry !== undefined)
      .map(entry => scheduleAnnouncement({ ...entry, dueMs }))
    await this.#database.write(operations, { sync: false, signal })
  }

  /** Ids of the releases published here under these names, at most `limit`: the others are left to the sweep. */
  async idsOf(names: readonly string[], limit: number, signal: AbortSignal): Promise<CID[]> {
    const ids: CID[] = []
    for (const name of names)
      for await (const id of readPublishedIds(this.#database, name, signal)) {
        if (ids.length >= limit) return ids
        ids.push(id)
      }
    return ids
  }

  /** The keys of all names, of all libraries and then of all records, and of what is held for others, for discovery to announce again and again. */
  async *keys(signal: AbortSignal): AsyncGenerator<Uint8Array> {
    for await (const { name } of readAnnouncements(this.#database, signal)) yield nameKey(name)
    yield* await this.#libraries.all(signal)
    // By the names that are announced: a node that follows others knows far more records than it publishes.
    for await (const { name } of readAnnouncements(this.#database, signal))
      for await (const id of readPublishedIds(this.#database, name, signal)) yield recordKey(id.bytes)
    for (const { name, record } of this.#mirrored()) {
      yield nameKey(name)
      yield recordKey(parseId(record).bytes)
    }
  }
}
