/**
 * One install at a time in a target, by a lock that the system takes back when the process dies, however it dies: the
 * lock that SQLite (part of Node) puts on its file. The file is empty and is removed again at the end.
 *
 * Removing a lock file while others wait for it lets two processes hold "the" lock on two files of one name. So after
 * getting the lock, the file is compared with the one that stood there before: when it is another one, the lock is void and
 * the whole is tried again.
 */
import { type BigIntStats, closeSync, openSync, rmSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { CatalogError } from '../../base/index.ts'

/** Each try fails only when another install ended at that very moment. */
const TRIES_MAX = 10

export interface HeldMutex {
  release(): void
}

/** Takes the lock on `file`, which is made. Undefined when another holds it. */
export function acquireMutex(file: string): HeldMutex | undefined {
  for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
    create(file)
    const before = identityOf(file)
    if (before === undefined) continue
    const database = new DatabaseSync(file)
    if (!lock(database, file)) {
      database.close()
      return undefined
    }
    if (identityOf(file) === before) {
      return {
        release: () => {
          rmSync(file, { force: true })
          database.close()
        }
      }
    }
    database.close()
  }
  throw new CatalogError('TARGET_BUSY', `the lock ${file} was taken away ${TRIES_MAX} times in a row`)
}

function lock(database: DatabaseSync, file: string): boolean {
  try {
    database.exec('BEGIN EXCLUSIVE')
    return true
  } catch (error) {
    const { errcode } = error as { errcode?: number }
    if (errcode === SQLITE_BUSY || errcode === SQLITE_LOCKED) return false
    // As at a release: removed while it is still held.
    if (errcode === SQLITE_FULL) rmSync(file, { force: true })
    database.close()
    if (errcode === SQLITE_FULL)
      throw new CatalogError('DISK_FULL', 'there is no room for the lock of the target', { cause: error })
    throw error
  }
}
/** sqlite3.h: another connection holds the lock. */
const SQLITE_BUSY = 5
const SQLITE_LOCKED = 6
/** sqlite3.h: no room; even a lock needs a page. */
const SQLITE_FULL = 13

/** Only a new file is opened here: closing one that is locked would drop this process's lock on it (POSIX). */
function create(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

function identityOf(file: string): string | undefined {
  const stats: BigIntStats | undefined = statSync(file, { bigint: true, throwIfNoEntry: false })
  return stats === undefined ? undefined : `${stats.dev}:${stats.ino}:${stats.birthtimeNs}`
}
