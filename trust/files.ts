import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, link, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { CatalogError, makeFolder, syncPath, toCatalogError, writeNewFile } from '../base/index.ts'
import { plainBytes } from './hash.ts'

const PRIVATE_FILE_MODE = 0o600
const PRIVATE_FOLDER_MODE = 0o700
/** Permission bits of group and others. */
const OTHERS_MASK = 0o077

function isErrno(thrown: unknown, code: string): boolean {
  return (thrown as NodeJS.ErrnoException).code === code
}

/** Makes a folder that only its owner can enter, or checks that it is one. Throws HOME_PERMISSIONS. */
export async function ensurePrivateFolder(path: string): Promise<void> {
  try {
    makeFolder(path, PRIVATE_FOLDER_MODE)
    refuseReadableByOthers(path, (await stat(path)).mode)
  } catch (thrown) {
    throw fileError(path, thrown)
  }
}

function refuseReadableByOthers(path: string, mode: number): void {
  if ((mode & OTHERS_MASK) === 0) return
  const octal = (mode & 0o777).toString(8)
  throw new CatalogError('HOME_PERMISSIONS', `${path} can be read by other users (mode ${octal})`, {
    details: { path, mode: octal }
  })
}

/**
 * HOME_PERMISSIONS when another user owns the folder: root may write into it, and its owner could not read what root
 * wrote.
 */
export async function refuseForeignFolder(path: string): Promise<void> {
  const { uid: owner } = await stat(path)
  const user = process.getuid?.()
  if (user === undefined || owner === user) return
  throw new CatalogError('HOME_PERMISSIONS', `${path} belongs to user ${owner}, and this is user ${user}`, {
    details: { path, owner },
    hint: `run this as user ${owner}`
  })
}

/**
 * The bytes of a secret file, or undefined when there is none. Throws HOME_PERMISSIONS when others can read it,
 * KEY_INVALID when it is larger than `maxBytes` or no plain file. A symbolic link is not followed.
 */
export async function readPrivateFile(path: string, maxBytes: number): Promise<Uint8Array | undefined> {
  let file: FileHandle
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT')) return undefined
    if (isErrno(thrown, 'ELOOP')) throw new CatalogError('KEY_INVALID', `${path} is a symbolic link`)
    throw fileError(path, thrown)
  }
  try {
    const stat = await file.stat()
    if (!stat.isFile()) throw new CatalogError('KEY_INVALID', `${path} is no plain file`)
    refuseReadableByOthers(path, stat.mode)
    if (stat.size > maxBytes) throw new CatalogError('KEY_INVALID', `${path} is larger than any key file`)
    return plainBytes(await file.readFile())
  } finally {
    await file.close()
  }
}

function fileError(path: string, thrown: unknown): CatalogError {
  if (isErrno(thrown, 'EACCES') || isErrno(thrown, 'EPERM')) {
    return new CatalogError('HOME_PERMISSIONS', `this user may not use ${path}`, { cause: thrown })
  }
  return toCatalogError(thrown)
}

/**
 * Writes a file of mode 0600 so that a crash at any point leaves the old state or the new one: temporary file, fsync,
 * then `rename` (replaces) or `link` (returns false when the name is taken), then fsync of the folder. A failure (DISK_FULL,
 * DISK_IO, HOME_PERMISSIONS) leaves no temporary file behind.
 */
export async function writePrivateFile(
  path: string,
  bytes: Uint8Array,
  options: { replace: boolean }
): Promise<boolean> {
  const temporary = `${path}.${randomUUID()}.tmp`
  try {
    await writeNewFile(temporary, bytes, PRIVATE_FILE_MODE)
    const written = options.replace ? await renameOver(temporary, path) : await linkOnce(temporary, path)
    await syncPath(dirname(path))
    return written
  } catch (thrown) {
    throw fileError(path, thrown)
  } finally {
    await rm(temporary, { force: true })
  }
}

async function renameOver(temporary: string, path: string): Promise<boolean> {
  await rename(temporary, path)
  return true
}

/** Gives the file its final name unless that is taken. */
async function linkOnce(temporary: string, path: string): Promise<boolean> {
  try {
    await link(temporary, path)
    return true
  } catch (thrown) {
    if (isErrno(thrown, 'EEXIST')) return false
    throw thrown
  }
}
