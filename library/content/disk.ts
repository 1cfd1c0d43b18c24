/**
 * The few file operations the store needs, as an interface, so that tests can put disks below it that lose
 * what was not synced, run full or write less than asked. Paths are absolute. Errors carry the system's code
 * (ENOSPC, EIO).
 */
import { constants, type FileHandle, mkdir, open, readdir, rm, stat, statfs } from 'node:fs/promises'
import { syncPath } from '../../base/index.ts'

export interface DiskFile {
  /** Writes at a position; may write fewer bytes than given, and says how many. */
  write(bytes: Uint8Array, positionBytes: number): Promise<number>
  /** Fills `target` from a position; fewer bytes only at the end of the file. */
  read(target: Uint8Array, positionBytes: number): Promise<number>
  /** What was written is on disk when this resolves (fdatasync). */
  datasync(): Promise<void>
  truncate(sizeBytes: number): Promise<void>
  size(): Promise<number>
  close(): Promise<void>
}

export interface Disk {
  /** Opens for reading and writing; creates the file when it is not there. */
  open(path: string): Promise<DiskFile>
  /** Size of a file, undefined when it is not there. */
  sizeOf(path: string): Promise<number | undefined>
  /** Names in a folder. */
  list(folder: string): Promise<string[]>
  /** Creates a folder, its parent exists; nothing happens when it is there. */
  makeFolder(folder: string): Promise<void>
  /** Takes a file away; nothing happens when it is not there. */
  remove(path: string): Promise<void>
  /** Files created in this folder are so after a crash too, and removed ones gone (fsync of the folder). */
  syncFolder(folder: string): Promise<void>
  /** Bytes this user may still write below a folder. */
  freeBytes(folder: string): Promise<number>
}

class NodeFile implements DiskFile {
  readonly #handle: FileHandle

  constructor(handle: FileHandle) {
    this.#handle = handle
  }

  async write(bytes: Uint8Array, positionBytes: number): Promise<number> {
    return (await this.#handle.write(bytes, 0, bytes.byteLength, positionBytes)).bytesWritten
  }

  async read(target: Uint8Array, positionBytes: number): Promise<number> {
    let filled = 0
    while (filled < target.byteLength) {
      const { bytesRead } = await this.#handle.read(
        target,
        filled,
        target.byteLength - filled,
        positionBytes + filled
      )
      if (bytesRead === 0) break
      filled += bytesRead
    }
    return filled
  }

  datasync(): Promise<void> {
    return this.#handle.datasync()
  }

  truncate(sizeBytes: number): Promise<void> {
    return this.#handle.truncate(sizeBytes)
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

const isMissing = (thrown: unknown): boolean => (thrown as NodeJS.ErrnoException).code === 'ENOENT'

/** The machine's own file system. Files are 0600, folders 0700. */
export const nodeDisk: Disk = {
  open: async path => new NodeFile(await open(path, constants.O_RDWR | constants.O_CREAT, 0o600)),
  sizeOf: async path => {
    try {
      return (await stat(path)).size
    } catch (thrown) {
      if (isMissing(thrown)) return undefined
      throw thrown
    }
  },
  list: folder => readdir(folder),
  makeFolder: async folder => {
    try {
      await mkdir(folder, { mode: 0o700 })
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown
    }
  },
  remove: path => rm(path, { force: true }),
  syncFolder: syncPath,
  freeBytes: async folder => {
    const { bavail, bsize } = await statfs(folder)
    return bavail * bsize
  }
}
