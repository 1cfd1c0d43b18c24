/** Segments as files of one folder: what a node has unless it is told otherwise. */
import { join } from 'node:path'
import { assertInvariant, CatalogError, MIB } from '../../base/index.ts'
import type { Disk, DiskFile } from './disk.ts'
import type { SegmentBackend, SegmentReads } from './segment-backend.ts'

/**
 * Room left on the disk below which nothing is appended: LevelDB must still be able to write its log and
 * tables.
 */
export const DISK_HEADROOM_BYTES = 16 * MIB

export interface LocalSegmentsModules {
  disk: Disk
  /** Reads the files of the folder. */
  reads: SegmentReads
}

export class LocalSegments implements SegmentBackend {
  readonly #disk: Disk
  readonly #reads: SegmentReads
  readonly #folder: string
  /** The segment that is being appended to. */
  #open: { segment: number; file: DiskFile } | undefined
  /** This one and those before it are sealed. */
  #sealed = -1

  /** `folder` is an absolute path; its parent exists. */
  constructor({ disk, reads }: LocalSegmentsModules, folder: string) {
    this.#disk = disk
    this.#reads = reads
    this.#folder = folder
  }

  async prepare(): Promise<void> {
    await this.#disk.makeFolder(this.#folder)
    await this.#disk.syncFolder(join(this.#folder, '..'))
  }

  list(): Promise<number[]> {
    return listSegments(this.#disk, this.#folder)
  }

  sizeOf(segment: number): Promise<number | undefined> {
    return this.#disk.sizeOf(segmentPath(this.#folder, segment))
  }

  readInto(segment: number, targets: Uint8Array[], positionBytes: number): Promise<number> {
    return this.#reads.readInto(segment, targets, positionBytes)
  }

  async append(segment: number, positionBytes: number, bytes: Uint8Array): Promise<void> {
    assertInvariant(!this.isSealed(segment), 'nothing is appended to a sealed segment')
    const file = await this.#file(segment)
    // A file whose name is lost is lost with all its bytes.
    if (positionBytes === 0) await this.#disk.syncFolder(this.#folder)
    await writeAll(file, bytes, positionBytes)
    await file.datasync()
  }

  async sync(segment: number): Promise<void> {
    await (await this.#file(segment)).datasync()
  }

  async cut(segment: number, sizeBytes: number): Promise<void> {
    await (await this.#file(segment)).truncate(sizeBytes)
  }

  seal(segment: number): void {
    this.#sealed = Math.max(this.#sealed, segment)
  }

  isSealed(segment: number): boolean {
    return segment <= this.#sealed
  }

  async remove(segment: number): Promise<void> {
    if (this.#open?.segment === segment) await this.#closeOpen()
    await this.#disk.remove(segmentPath(this.#folder, segment))
    await this.#disk.syncFolder(this.#folder)
    // Whoever has it open lets go of it: that gives its room back.
    this.drop(segment)
  }

  async checkRoom(sizeBytes: number): Promise<void> {
    const free = await this.#disk.freeBytes(this.#folder)
    if (free < sizeBytes + DISK_HEADROOM_BYTES)
      throw new CatalogError('DISK_FULL', `only ${free} bytes are free below ${this.#folder}`)
  }

  drop(segment: number): void {
    this.#reads.drop(segment)
  }

  async close(): Promise<void> {
    await this.#closeOpen()
    await this.#reads.close()
  }

  async #file(segment: number): Promise<DiskFile> {
    if (this.#open?.segment !== segment) {
      await this.#closeOpen()
      this.#open = { segment, file: await this.#disk.open(segmentPath(this.#folder, segment)) }
    }
    return this.#open.file
  }

  async #closeOpen(): Promise<void> {
    const open = this.#open
    this.#open = undefined
    await open?.file.close()
  }
}

export function segmentPath(folder: string, segment: number): string {
  return join(folder, String(segment))
}

/** Numbers of the segments in a folder, rising; none when the folder is not there either. */
export async function listSegments(disk: Pick<Disk, 'list'>, folder: string): Promise<number[]> {
  const names = await disk.list(folder).catch(thrown => {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw thrown
  })
  return names
    .filter(name => /^(0|[1-9][0-9]{0,9})$/.test(name))
    .map(Number)
    .sort((a, b) => a - b)
}

async function writeAll(file: DiskFile, bytes: Uint8Array, startBytes: number): Promise<void> {
  let written = 0
  while (written < bytes.byteLength) {
    const count = await file.write(bytes.subarray(written), startBytes + written)
    if (count === 0) throw new CatalogError('DISK_IO', 'the disk takes no more bytes and gives no reason')
    written += count
  }
}
