/**
 * LevelDB as Catalog uses it. Both threads open the same folder with `multithreading`: the second open in a
 * process gets the same database, so the main thread sees what the worker has written at once. The thread
 * that opened first owns the cache and must close last: that is the main thread. A second process is kept out
 * by LevelDB's own lock file.
 */
import { readdirSync, statfsSync } from 'node:fs'
import { ClassicLevel } from 'classic-level'
import { CatalogError, MIB, Semaphore, toCatalogError } from '../../base/index.ts'
import { ChangeMarks } from './change-marks.ts'
import { prefixEnd } from './keys.ts'
import type { ReadNotes } from './remembered.ts'
import type { DatabaseReader, DatabaseSnapshot, DatabaseWriter, KeyRange, WriteOperation } from './types.ts'

export type Level = ClassicLevel<Uint8Array, Uint8Array>
type LevelSnapshot = ReturnType<Level['snapshot']>

/**
 * Large tables and few open files: with LevelDB's own 2 MiB tables and small caches of table handles an index
 * of 1 TB of content spends its time opening files. Hashes do not compress.
 */
const LEVEL_OPTIONS = {
  keyEncoding: 'view',
  valueEncoding: 'view',
  multithreading: true,
  compression: false,
  cacheSize: 4 * MIB,
  writeBufferSize: 4 * MIB,
  maxFileSize: 16 * MIB,
  maxOpenFiles: 256
} as const

/** Opens (or creates) the database in a folder. HOME_LOCKED when another process has it. */
export async function openLevel(folder: string): Promise<Level> {
  const level: Level = new ClassicLevel(folder, LEVEL_OPTIONS)
  try {
    await level.open()
    return level
  } catch (thrown) {
    const cause = thrown instanceof Error ? (thrown.cause as NodeJS.ErrnoException | undefined) : undefined
    if (cause?.code === 'LEVEL_LOCKED')
      throw new CatalogError('HOME_LOCKED', `another process has the database ${folder} open`, { cause })
    if (cause?.code === 'LEVEL_CORRUPTION' || cause?.code === 'LEVEL_IO_ERROR')
      throw new CatalogError('DISK_IO', `the database ${folder} cannot be opened: ${cause.message}`, {
        cause
      })
    throw toCatalogError(thrown)
  }
}

/** Reads of the database, on either thread. */
export class LevelReader implements DatabaseReader {
  readonly #level: Level
  /** Undefined for what is there now: reads without options are the fast ones. */
  readonly #at: { snapshot: LevelSnapshot } | undefined
  readonly #notes: ReadNotes | undefined

  /** `notes`: told of all that is read. */
  constructor(level: Level, { snapshot, notes }: { snapshot?: LevelSnapshot; notes?: ReadNotes } = {}) {
    this.#level = level
    this.#at = snapshot && { snapshot }
    this.#notes = notes
  }

  get(key: Uint8Array): Uint8Array | undefined {
    this.#notes?.key(key)
    const value = this.#at === undefined ? this.#level.getSync(key) : this.#level.getSync(key, this.#at)
    if (value !== undefined) this.#notes?.bytes(value.byteLength)
    return value
  }

  async getMany(keys: Uint8Array[]): Promise<Array<Uint8Array | undefined>> {
    for (const key of keys) this.#notes?.key(key)
    const values = await (this.#at === undefined
      ? this.#level.getMany(keys)
      : this.#level.getMany(keys, this.#at))
    for (const value of values) if (value !== undefined) this.#notes?.bytes(value.byteLength)
    return values
  }

  snapshot(): DatabaseSnapshot {
    // First, so that what is written meanwhile counts as written since.
    const notes = this.#notes?.ofSnapshot()
    return new SnapshotReader(this.#level, this.#level.snapshot(), notes)
  }

  async *iterate(range: KeyRange, signal?: AbortSignal): AsyncIterable<[Uint8Array, Uint8Array]> {
    const { prefix, after, limit = -1, reverse = false } = range
    const end = prefixEnd(prefix)
    // `after` is where the page before ended: a lower bound going up, an upper bound going down.
    const lower = after === undefined || reverse ? { gte: prefix } : { gt: after }
    const upper = after !== undefined && reverse ? { lt: after } : end === undefined ? {} : { lt: end }
    this.#notes?.prefix(prefix)
    const entries = this.#level.iterator({ ...this.#at, ...lower, ...upper, limit, reverse })
    try {
      for (;;) {
        signal?.throwIfAborted()
        const entry = await entries.next()
        if (entry === undefined) return
        this.#notes?.bytes(entry[0].byteLength + entry[1].byteLength)
        yield entry
      }
    } finally {
      await entries.close()
    }
  }
}

class SnapshotReader extends LevelReader implements DatabaseSnapshot {
  readonly #snapshot: LevelSnapshot

  constructor(level: Level, snapshot: LevelSnapshot, notes: ReadNotes | undefined) {
    super(level, { snapshot, ...(notes && { notes }) })
    this.#snapshot = snapshot
  }

  close(): Promise<void> {
    return this.#snapshot.close()
  }
}

/** Room below which LevelDB is not asked to write: its current log, one table of it, and some to spare. */
export const DATABASE_HEADROOM_BYTES = 8 * MIB
/** Batches that may wait for their turn; each belongs to a request the main thread has limited already. */
const MAX_WAITING_BATCHES = 10_000
/** After every key there is: compacting from there rewrites nothing. */
const BEYOND_ALL = Uint8Array.of(0xff, 0xff)

/**
 * The worker's side: what may change the database. Disk errors come out as DISK_FULL or DISK_IO.
 *
 * LevelDB does not survive a write to its log that fails half-way: it goes on as if the log stood where it should,
 * answers later batches with success, and cannot read any of them when it is opened again. So a batch is refused before
 * the disk is full; and when one fails all the same nothing more is written until LevelDB has begun a new log and put what it
 * holds in memory into a table. Batches run one at a time: one that waits in LevelDB's own queue behind a failing one would
 * end up in the torn log.
 */
export class LevelWriter extends LevelReader implements DatabaseWriter {
  readonly #level: Level
  readonly #turns = new Semaphore({
    name: 'database batches',
    maxActive: 1,
    maxWaiting: MAX_WAITING_BATCHES
  })
  readonly #freeBytes: (folder: string) => number
  readonly #marks: ChangeMarks
  #isLogTorn = false

  /**
   * `freeBytes`: room on the disk of a folder; another than the system's answer in tests. `marks`: where others of this process see what
   * is written; nobody reads beside this writer unless they are given.
   */
  constructor(level: Level, { freeBytes = systemFreeBytes, marks = new ChangeMarks() } = {}) {
    super(level)
    this.#level = level
    this.#freeBytes = freeBytes
    this.#marks = marks
  }

  batch(operations: WriteOperation[], options: { sync: boolean }): Promise<void> {
    return this.#turns.run(async () => {
      this.#expectRoom()
      if (this.#isLogTorn) await this.#beginNewLog()
      const write = this.#marks.begin(operations)
      try {
        await this.#level.batch(operations, options)
      } catch (thrown) {
        const error = diskError(thrown)
        this.#isLogTorn ||= error.code === 'DISK_FULL' || error.code === 'DISK_IO'
        throw error
      } finally {
        write.end()
      }
    })
  }

  async clear(prefix: Uint8Array): Promise<void> {
    const end = prefixEnd(prefix)
    const write = this.#marks.beginAll()
    try {
      await this.#level.clear(end === undefined ? { gte: prefix } : { gte: prefix, lt: end })
    } finally {
      write.end()
    }
  }

  #expectRoom(): void {
    const { location } = this.#level
    const free = this.#freeBytes(location)
    if (free < DATABASE_HEADROOM_BYTES)
      throw new CatalogError('DISK_FULL', `only ${free} bytes are free below ${location}`)
  }

  async #beginNewLog(): Promise<void> {
    const before = newestLog(this.#level.location)
    await this.#level.compactRange(BEYOND_ALL, BEYOND_ALL)
    if (newestLog(this.#level.location) === before)
      throw new CatalogError('DISK_IO', 'the database could not write and refuses to go on', {
        hint: 'restart the daemon; nothing that was acknowledged is lost'
      })
    this.#isLogTorn = false
  }
}

function systemFreeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}

/** Number of the log that LevelDB writes now: 000123.log. */
function newestLog(folder: string): number {
  const numbers = readdirSync(folder).map(name => Number(/^(\d+)\.log$/.exec(name)?.[1] ?? 0))
  return Math.max(0, ...numbers)
}

/** LevelDB says only in words what the system refused. */
function diskError(thrown: unknown): CatalogError {
  const error = thrown as NodeJS.ErrnoException
  if (error.code !== 'LEVEL_IO_ERROR') return toCatalogError(thrown)
  const full = /no space left|quota/i.test(error.message)
  return new CatalogError(full ? 'DISK_FULL' : 'DISK_IO', error.message, { cause: thrown })
}
