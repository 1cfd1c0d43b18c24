/** Files that are still there, and whole, after a power cut. */
import { open } from 'node:fs/promises'

/** Writes a file that is not there yet; its bytes are on disk when this resolves, its name once its folder is synced. */
export async function writeNewFile(path: string, bytes: Uint8Array | string, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode)
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** What was written to the file is on disk when this resolves, whoever wrote it; of a folder: which names it has. */
export async function syncPath(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
