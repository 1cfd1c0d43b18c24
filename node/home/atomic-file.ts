import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { PRIVATE_FILE_MODE } from './layout.ts'

/**
 * Replaces a small file so that a reader, and the disk after a crash, has the old bytes or the new ones, never a part:
 * written beside it, flushed, renamed over it, and the folder flushed so that the name is durable too.
 */
export async function writeFileAtomic(path: string, text: string): Promise<void> {
  const beside = `${path}.${process.pid}.new`
  const file = await open(beside, 'w', PRIVATE_FILE_MODE)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(beside, path)
  const folder = await open(dirname(path), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
