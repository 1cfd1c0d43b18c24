/** Files that a command writes: whole, or not there. */
import { existsSync } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { CatalogError, toCatalogError } from '../../base/index.ts'

/** Less what the umask takes. */
const ORDINARY_MODE = 0o666

/** A file that is whole and on disk under its name, or not there at all. Never writes over anything. */
export async function writeWhole<T>(
  file: string,
  write: (handle: FileHandle) => Promise<T>,
  mode = ORDINARY_MODE
): Promise<T> {
  if (existsSync(file))
    throw new CatalogError('INVALID_ARGUMENT', `${file} exists already`, { hint: 'give another file' })
  const part = `${file}.part`
  const handle = await openNew(part, mode)
  try {
    const result = await write(handle)
    await onDisk(part, () => handle.sync())
    await handle.close()
    await onDisk(file, () => rename(part, file))
    return result
  } catch (error) {
    await handle.close()
    await rm(part, { force: true })
    throw error
  }
}

/** Of two commands that write one file only one does; what is left of one that was killed is the user's to remove. */
async function openNew(part: string, mode: number): Promise<FileHandle> {
  try {
    return await open(part, 'wx', mode)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw notWritable(part, error)
    throw new CatalogError('INVALID_ARGUMENT', `${part} exists already`, {
      hint: 'another command is writing it, or one was killed; remove it, or give another file'
    })
  }
}

/** The error of the disk, with the name of the file. */
export async function onDisk<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw notWritable(file, error)
  }
}

function notWritable(file: string, thrown: unknown): CatalogError {
  if (thrown instanceof CatalogError) return thrown
  const { code: reason } = thrown as NodeJS.ErrnoException
  const named = toCatalogError(thrown).code
  return new CatalogError(named === 'INTERNAL' ? 'DISK_IO' : named, `${file} cannot be written (${reason})`, {
    cause: thrown,
    ...(named === 'DISK_FULL'
      ? {}
      : { hint: 'give a file in a folder that is there and that this user may write' })
  })
}
