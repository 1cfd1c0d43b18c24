import { open, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { HomeFiles } from './driver.ts'

/** The files of a home on this machine. */
export class LocalHomeFiles implements HomeFiles {
  readonly #home: string

  constructor(home: string) {
    this.#home = home
  }

  async list(folder: string): Promise<Array<{ name: string; sizeBytes: number }>> {
    const path = join(this.#home, folder)
    const entries = await readdir(path, { withFileTypes: true }).catch(error => {
      if (error.code === 'ENOENT') return []
      throw error
    })
    const names = entries.filter(entry => entry.isFile()).map(({ name }) => name)
    return await Promise.all(
      names.sort().map(async name => ({ name, sizeBytes: (await stat(join(path, name))).size }))
    )
  }

  async read(path: string): Promise<Buffer> {
    return await readFile(join(this.#home, path))
  }

  async overwrite(path: string, offsetBytes: number, bytes: Uint8Array): Promise<void> {
    const file = await open(join(this.#home, path), 'r+')
    try {
      await file.write(bytes, 0, bytes.length, offsetBytes)
    } finally {
      await file.close()
    }
  }
}
