/**
 * Writes the tar stream of one content into a new, empty folder.
 *
 * Every path is checked again on the way out, as if nobody had checked it before. Files are created, never opened:
 * an existing name is an error, so a path that stands there twice, or a file where a folder should be, cannot do harm.
 * Links are made last, when every file has been written: nothing is ever written through one (`a -> /etc` with `a/x`
 * is refused). Devices, pipes and hard links cannot come through the tar reader.
 *
 * All file calls are synchronous: the command has no event loop to protect, and for small files a call that goes
 * through the thread pool costs several times the call itself.
 */
import { closeSync, constants, fchmodSync, mkdirSync, openSync, symlinkSync, writeSync } from 'node:fs'
import path from 'node:path'
import { CatalogError } from '../../base/index.ts'
import { checkEntryPath, checkSymlinkTarget } from '../content/paths.ts'
import type { TarEntry } from '../content/tar-header.ts'
import { CollisionCheck, type Folding } from './collisions.ts'
import { diskError } from './disk-error.ts'
import { TarReader, type TarSink } from './tar-reader.ts'

/** Permission bits that are given to files; setuid, setgid and sticky never are. */
const MODE_MASK = 0o777
/** As many as a publisher may bring (INGEST_LIMITS); their paths are remembered until the end. */
const MAX_ENTRIES = 5_000_000
/** Links of one release, held until the end. */
const SYMLINKS_MAX = 1_000_000
const CREATE_NEW = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

export interface ExtractOptions {
  /** What the disk folds (collisions.ts). */
  folding: Folding
  /** Entries at most; another than MAX_ENTRIES in tests. */
  maxEntries?: number
  /** Called about once per buffer of the stream. */
  onProgress?: (progress: ExtractedTotals) => void
  signal?: AbortSignal
}

export interface ExtractedTotals {
  files: number
  sizeBytes: number
}

/**
 * Writes a content into `folder`, which must exist and be empty; returns what was written. Throws PATH_REFUSED,
 * CONTENT_INVALID, LIMIT_EXCEEDED, STREAM_TRUNCATED, DISK_FULL, DISK_IO, TARGET_NOT_WRITABLE; the caller removes the folder then.
 */
export async function extractTar(
  tar: AsyncIterable<Uint8Array>,
  folder: string,
  options: ExtractOptions
): Promise<ExtractedTotals> {
  const writer = new FolderWriter(folder, options.folding, options.maxEntries ?? MAX_ENTRIES)
  const reader = new TarReader(writer)
  try {
    for await (const chunk of tar) {
      options.signal?.throwIfAborted()
      reader.write(chunk)
      options.onProgress?.(writer.totals)
    }
    reader.finish()
    writer.finish()
  } catch (error) {
    writer.abandon()
    throw diskError(error, folder)
  }
  return writer.totals
}

class FolderWriter implements TarSink {
  readonly totals: ExtractedTotals = { files: 0, sizeBytes: 0 }
  readonly #root: string
  readonly #umask = process.umask()
  readonly #collisions: CollisionCheck
  /** Folders that were made, and those entries that may have nothing below them. */
  readonly #folders = new Set<string>([''])
  readonly #leaves = new Set<string>()
  readonly #symlinks: Array<{ path: string; target: string }> = []
  readonly #emptyFolders: Array<{ path: string; mode: number }> = []
  readonly #maxEntries: number
  #entries = 0
  #open: { path: string; descriptor: number } | undefined

  constructor(root: string, folding: Folding, maxEntries: number) {
    this.#root = root
    this.#maxEntries = maxEntries
    this.#collisions = new CollisionCheck(folding)
  }

  entry(entry: TarEntry): void {
    if (++this.#entries > this.#maxEntries)
      throw new CatalogError('LIMIT_EXCEEDED', `the content has more than ${this.#maxEntries} entries`)
    checkEntryPath(entry.path)
    this.#parents(entry.path)
    this.#claim(entry.path)
    switch (entry.kind) {
      case 'file':
        this.#create(entry)
        break
      case 'directory':
        this.#emptyFolders.push(entry)
        mkdirSync(path.join(this.#root, entry.path))
        break
      case 'symlink':
        checkSymlinkTarget(entry.path, entry.target)
        if (this.#symlinks.length >= SYMLINKS_MAX)
          throw new CatalogError('LIMIT_EXCEEDED', `the content has more than ${SYMLINKS_MAX} symbolic links`)
        this.#symlinks.push(entry)
    }
  }

  data(bytes: Uint8Array): void {
    const { descriptor } = this.#open!
    let written = 0
    while (written < bytes.length) written += writeSync(descriptor, bytes, written, bytes.length - written)
    this.totals.sizeBytes += bytes.length
  }

  fileEnd(): void {
    const { descriptor } = this.#open!
    this.#open = undefined
    closeSync(descriptor)
    this.totals.files++
  }

  /** Makes the links, then gives empty folders their modes: a folder without write permission is still new until here. */
  finish(): void {
    for (const link of this.#symlinks) symlinkSync(link.target, path.join(this.#root, link.path))
    for (const folder of this.#emptyFolders) {
      const descriptor = openSync(
        path.join(this.#root, folder.path),
        constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
      )
      fchmodSync(descriptor, folder.mode & MODE_MASK)
      closeSync(descriptor)
    }
  }

  /** Closes what is open after a failure. */
  abandon(): void {
    if (this.#open !== undefined) closeSync(this.#open.descriptor)
    this.#open = undefined
  }

  #create(entry: TarEntry & { kind: 'file' }): void {
    const mode = entry.mode & MODE_MASK
    const descriptor = openSync(path.join(this.#root, entry.path), CREATE_NEW, mode)
    this.#open = { path: entry.path, descriptor }
    if ((mode & this.#umask) !== 0) fchmodSync(descriptor, mode)
  }

  /** Makes the folders above a path, and refuses one of which an entry says that it is no folder. */
  #parents(entryPath: string): void {
    const end = entryPath.lastIndexOf('/')
    const parent = end === -1 ? '' : entryPath.slice(0, end)
    if (this.#folders.has(parent)) return
    this.#parents(parent)
    if (this.#leaves.has(parent)) throw refused(entryPath, `lies below the entry ${JSON.stringify(parent)}`)
    this.#collisions.add(parent)
    mkdirSync(path.join(this.#root, parent))
    this.#folders.add(parent)
  }

  #claim(entryPath: string): void {
    if (this.#leaves.has(entryPath)) throw refused(entryPath, 'stands there twice')
    if (this.#folders.has(entryPath)) throw refused(entryPath, 'is a folder as well')
    this.#collisions.add(entryPath)
    this.#leaves.add(entryPath)
  }
}

function refused(entryPath: string, reason: string): CatalogError {
  return new CatalogError('PATH_REFUSED', `the path ${JSON.stringify(entryPath)} ${reason}`, {
    details: { path: entryPath, reason }
  })
}
