import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { syncPath } from '../../base/index.ts'
import { PRIVATE_FILE_MODE } from './layout.ts'

/**
 * Replaces a small file so that a reader has the old bytes or the new ones, never a part: written beside it and renamed over
 * it. With `durable` the same holds for the disk after a power cut, and the new ones are there when this resolves: the
 * bytes are flushed before the rename, the folder after it.
 */
export async function writeFileAtomic(
  path: string,
  text: string,
  { durable }: { durable: boolean }
): Promise<void> {
  const beside = `${path}.${process.pid}.new`
  try {
    await writeNew(beside, text, durable)
    await rename(beside, path)
  } catch (error) {
    await rm(beside, { force: true })
    throw error
  }
  if (durable) await syncPath(dirname(path))
}

async function writeNew(path: string, text: string, durable: boolean): Promise<void> {
  const file = await open(path, 'w', PRIVATE_FILE_MODE)
  try {
    await file.writeFile(text)
    if (durable) await file.sync()
  } finally {
    await file.close()
  }
}
