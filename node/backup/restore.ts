/**
 * Makes a home of a backup, or none. What comes goes into the folder `restoring` of the home, everything checked; once the file has come to
 * its end, and all of it is on disk, it is put in place, FORMAT last. A home without that is none: no daemon runs on it, and after a
 * crash the restore is run again and begins anew. Nothing is written outside the home, and none that has anything in it is touched.
 *
 * The node goes on from an earlier state than others may know. The rows that say where its last heads were signed are left out,
 * so that the next head of each library begins a new epoch (sync/heads/own.ts): a second head for a revision that others have seen
 * would show the node to be a liar, also where the home is restored into the very folder that it stood in.
 */
import { chmod, type FileHandle, open, readdir, rename, rm, rmdir, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { CatalogError, displaySize, syncPath, toCatalogError, writeNewFile } from '../../base/index.ts'
import {
  DISK_HEADROOM_BYTES,
  KeyFamily,
  makeKey,
  type WriteOperation,
  withDatabase
} from '../../library/index.ts'
import { CURRENT_FORMAT, writeFormat } from '../home/format.ts'
import {
  HOME_MODE,
  type HomeLayout,
  homeLayout,
  makeFolders,
  makeHomeFolder,
  PRIVATE_FILE_MODE,
  RESTORING_FOLDER
} from '../home/layout.ts'
import { putLastBackup } from './last-backup.ts'
import type { BackupPart, BackupState, Row } from './parts.ts'
import { readBackup } from './read.ts'
import { BackupSummary, type Summary } from './summary.ts'

export interface RestoreOptions {
  /** Absolute path of the home: not there, empty, or what a restore that was cut off has left. */
  root: string
  /** Of the file; what has to fit. */
  sizeBytes: number
  signal?: AbortSignal | undefined
}

/**
 * HOME_EXISTS where there is anything, HOME_PERMISSIONS where nothing can be made, DISK_FULL where it cannot fit, FORMAT_TOO_NEW, BACKUP_INVALID, DISK_IO. After an error nothing is left that was not
 * there.
 */
export async function restoreBackup(
  source: AsyncIterable<Uint8Array>,
  { root, sizeBytes, signal }: RestoreOptions
): Promise<Summary> {
  const isNew = makeHomeFolder(root)
  try {
    await expectUnused(root)
    await expectRoom(root, sizeBytes)
    return await restoreInto(root, readBackup(source), { sizeBytes, signal })
  } catch (thrown) {
    if (isNew && (await readdir(root)).length === 0) await rmdir(root)
    throw toCatalogError(thrown)
  }
}

async function restoreInto(
  root: string,
  parts: AsyncIterable<BackupPart>,
  options: Pick<RestoreOptions, 'sizeBytes' | 'signal'>
): Promise<Summary> {
  const staging = join(root, RESTORING_FOLDER)
  try {
    const summary = await stage(parts, homeLayout(staging), options)
    options.signal?.throwIfAborted()
    await putInPlace(staging, root)
    return summary
  } catch (thrown) {
    // Nothing else was here.
    const names = await readdir(root)
    if (!names.includes('FORMAT'))
      for (const name of names) await rm(join(root, name), { recursive: true, force: true })
    throw thrown
  }
}

/** Nothing is here but what a restore that was cut off has left, which goes. */
async function expectUnused(root: string): Promise<void> {
  const names = await readdir(root)
  if (names.length === 0) return
  const known = new Set(Object.values(homeLayout(root)).map(path => path.slice(root.length + 1)))
  const isLeft = names.includes(RESTORING_FOLDER) && !names.includes('FORMAT')
  const foreign = names.find(name => name !== RESTORING_FOLDER && !(isLeft && known.has(name)))
  if (foreign !== undefined)
    throw new CatalogError('HOME_EXISTS', `${root} is not empty: it holds ${foreign}`, {
      hint: 'a restore writes over nothing: give another --home, or move what is there away',
      details: { home: root }
    })
  for (const name of names) await rm(join(root, name), { recursive: true, force: true })
}

async function expectRoom(root: string, sizeBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(root)
  const freeBytes = bavail * bsize
  if (freeBytes >= sizeBytes + DISK_HEADROOM_BYTES) return
  throw new CatalogError(
    'DISK_FULL',
    `the backup has ${displaySize(sizeBytes)}, and ${displaySize(freeBytes)} are free for ${root}`
  )
}

/** Writes what the parts say below `home`, on disk when it resolves. */
async function stage(
  parts: AsyncIterable<BackupPart>,
  home: HomeLayout,
  { sizeBytes, signal }: Pick<RestoreOptions, 'sizeBytes' | 'signal'>
): Promise<Summary> {
  makeFolders(home)
  const summary = new BackupSummary()
  const segments = new SegmentFilesWritten(home.segments)
  try {
    await withDatabase(home.root, async database => {
      for await (const part of parts) {
        signal?.throwIfAborted()
        summary.add(part)
        if (part.kind === 'state') expectKnown(part.state)
        else if (part.kind === 'file')
          await writeNewFile(join(home.root, part.name), part.bytes, PRIVATE_FILE_MODE)
        else if (part.kind === 'rows') await database.batch(rowsToPut(part.rows), { sync: false })
        else if (part.kind === 'piece') await segments.write(part)
      }
      const { createdAt } = summary.done().state
      await database.batch([putLastBackup({ createdAt, sizeBytes })], { sync: false })
    })
  } finally {
    await segments.close()
  }
  // A batch with `sync` would sync the log that it is written to, and not the one before, which may be in no table yet.
  for (const name of await readdir(home.database)) await syncPath(join(home.database, name))
  for (const folder of [home.segments, home.keyring, home.database]) await syncPath(folder)
  await writeFormat(home, summary.done().state.homeFormat)
  return summary.done()
}

function expectKnown({ homeFormat }: BackupState): void {
  if (homeFormat <= CURRENT_FORMAT) return
  throw new CatalogError(
    'FORMAT_TOO_NEW',
    `the backup is of a home of format ${homeFormat}, this Catalog knows ${CURRENT_FORMAT}`,
    { details: { found: homeFormat, current: CURRENT_FORMAT } }
  )
}

const PLACE_PREFIX = makeKey(KeyFamily.HeadPlace)

const rowsToPut = (rows: readonly Row[]): WriteOperation[] =>
  rows
    .filter(({ key }) => Buffer.compare(key.subarray(0, PLACE_PREFIX.byteLength), PLACE_PREFIX) !== 0)
    .map(({ key, value }) => ({ type: 'put', key, value }))

/** The segments as they come: one at a time, each synced before the next begins. */
class SegmentFilesWritten {
  readonly #folder: string
  #open: { segment: number; file: FileHandle } | undefined

  constructor(folder: string) {
    this.#folder = folder
  }

  async write({ segment, offsetBytes, bytes }: Extract<BackupPart, { kind: 'piece' }>): Promise<void> {
    if (this.#open?.segment !== segment) {
      await this.close()
      this.#open = { segment, file: await open(join(this.#folder, String(segment)), 'wx', PRIVATE_FILE_MODE) }
    }
    for (let written = 0; written < bytes.byteLength; ) {
      const rest = bytes.byteLength - written
      written += (await this.#open.file.write(bytes, written, rest, offsetBytes + written)).bytesWritten
    }
  }

  async close(): Promise<void> {
    const open = this.#open
    this.#open = undefined
    try {
      await open?.file.datasync()
    } finally {
      await open?.file.close()
    }
  }
}

async function putInPlace(staging: string, root: string): Promise<void> {
  await chmod(root, HOME_MODE)
  const names = (await readdir(staging)).filter(name => name !== 'FORMAT')
  for (const name of names) await rename(join(staging, name), join(root, name))
  await syncPath(root)
  await rename(join(staging, 'FORMAT'), join(root, 'FORMAT'))
  await syncPath(root)
  await rmdir(staging)
  await syncPath(dirname(root))
}
