/** Disks and an index that fail and forget as real ones do, and helpers to make blocks and tars. */
import { dirname } from 'node:path'
import { pack } from 'tar-stream'
import { hashBlock } from '../../../library/content/blocks.ts'
import type { Disk, DiskFile } from '../../../library/content/disk.ts'
import { segmentPath } from '../../../library/content/local-segments.ts'
import type { SegmentReads } from '../../../library/content/segment-backend.ts'
import type { BlockIndex } from '../../../library/content/segment-modules.ts'
import { BlockCodec, type IncomingBlock } from '../../../library/content/types.ts'
import { prefixEnd } from '../../../library/database/keys.ts'
import type { WriteOperation } from '../../../library/database/types.ts'

interface FakeInode {
  bytes: Buffer
  /** What a crash leaves of it. */
  synced: Buffer
  /** Its name survives a crash. */
  linked: boolean
}

export type Sync = 'datasync' | 'folder' | 'parent'

/** A disk in memory that loses on `crash` whatever was not synced. */
export class FakeDisk implements Disk {
  readonly files = new Map<string, FakeInode>()
  readonly folders = new Map<string, boolean>()
  /** Taken away, and back after a crash unless the folder was synced. */
  readonly #removed = new Map<string, FakeInode>()
  /** A sync of this kind does nothing: a stand-in for code that forgot it. */
  ignored: Sync | undefined
  /** Longest single write; shorter than asked when smaller. */
  maxWriteBytes = Number.POSITIVE_INFINITY
  /** Bytes that may still be written before ENOSPC. */
  roomBytes = Number.POSITIVE_INFINITY
  free = Number.MAX_SAFE_INTEGER
  /** The process is killed when it comes to this sync: nothing it does after reaches the disk. */
  killedAt: Sync | undefined
  killed = false
  syncs = 0

  /** Whether a sync of this kind does anything. */
  sync(kind: Sync): boolean {
    this.syncs++
    if (this.killedAt === kind) this.killed = true
    this.checkAlive()
    return this.ignored !== kind
  }

  checkAlive(): void {
    if (this.killed) throw fault('EKILLED')
  }

  async open(path: string): Promise<DiskFile> {
    if (!this.folders.has(dirname(path))) throw fault('ENOENT')
    const known = this.files.get(path)
    const inode = known ?? { bytes: Buffer.alloc(0), synced: Buffer.alloc(0), linked: false }
    this.files.set(path, inode)
    return new FakeFile(this, inode)
  }

  async sizeOf(path: string): Promise<number | undefined> {
    return this.files.get(path)?.bytes.byteLength
  }

  async list(folder: string): Promise<string[]> {
    return [...this.files.keys()]
      .filter(path => dirname(path) === folder)
      .map(path => path.slice(folder.length + 1))
  }

  async makeFolder(folder: string): Promise<void> {
    if (!this.folders.has(folder)) this.folders.set(folder, false)
  }

  async syncFolder(folder: string): Promise<void> {
    const kind = folder.endsWith('/segments') ? 'folder' : 'parent'
    if (!this.sync(kind)) return
    for (const [path, inode] of this.files) if (dirname(path) === folder) inode.linked = true
    for (const path of this.#removed.keys()) if (dirname(path) === folder) this.#removed.delete(path)
    for (const child of this.folders.keys()) if (dirname(child) === folder) this.folders.set(child, true)
  }

  async remove(path: string): Promise<void> {
    this.checkAlive()
    const inode = this.files.get(path)
    if (inode !== undefined) this.#removed.set(path, inode)
    this.files.delete(path)
  }

  async freeBytes(): Promise<number> {
    return this.free
  }

  /** The power goes: what was not synced is gone. */
  crash(): void {
    for (const [path, inode] of this.#removed) this.files.set(path, inode)
    this.#removed.clear()
    for (const [path, inode] of this.files) {
      if (!inode.linked || this.folders.get(dirname(path)) !== true) this.files.delete(path)
      else inode.bytes = Buffer.from(inode.synced)
    }
    for (const [folder, linked] of this.folders) if (!linked) this.folders.delete(folder)
  }
}

class FakeFile implements DiskFile {
  readonly #disk: FakeDisk
  readonly #inode: FakeInode

  constructor(disk: FakeDisk, inode: FakeInode) {
    this.#disk = disk
    this.#inode = inode
  }

  async write(bytes: Uint8Array, position: number): Promise<number> {
    const length = Math.min(bytes.byteLength, this.#disk.maxWriteBytes, this.#disk.roomBytes)
    if (length === 0) throw fault('ENOSPC')
    this.#disk.roomBytes -= length
    const inode = this.#inode
    if (inode.bytes.byteLength < position + length)
      inode.bytes = Buffer.concat([inode.bytes, Buffer.alloc(position + length - inode.bytes.byteLength)])
    inode.bytes.set(bytes.subarray(0, length), position)
    return length
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    const { bytes } = this.#inode
    return position >= bytes.byteLength ? 0 : bytes.copy(target, 0, position, position + target.byteLength)
  }

  async datasync(): Promise<void> {
    if (this.#disk.sync('datasync')) this.#inode.synced = Buffer.from(this.#inode.bytes)
  }

  async truncate(size: number): Promise<void> {
    this.#disk.checkAlive()
    this.#inode.bytes = Buffer.from(this.#inode.bytes.subarray(0, size))
  }

  async size(): Promise<number> {
    return this.#inode.bytes.byteLength
  }

  async close(): Promise<void> {}
}

/** Reads the segments of a fake disk. */
export class DiskReads implements SegmentReads {
  readonly #disk: FakeDisk
  readonly #folder: string

  constructor(disk: FakeDisk, folder: string) {
    this.#disk = disk
    this.#folder = folder
  }

  async readInto(segment: number, targets: Uint8Array[], positionBytes: number): Promise<number> {
    const bytes = this.#disk.files.get(segmentPath(this.#folder, segment))?.bytes
    if (bytes === undefined) throw fault('ENOENT')
    let at = positionBytes
    for (const target of targets) {
      const part = bytes.subarray(at, at + target.byteLength)
      target.set(part)
      at += part.byteLength
    }
    return at - positionBytes
  }

  drop(): void {}

  async close(): Promise<void> {}
}

function fault(code: string): Error {
  return Object.assign(new Error(`${code}: fake disk`), { code })
}

const keyOf = (key: Uint8Array): string => Buffer.from(key).toString('latin1')

/** LevelDB's promise: batches survive a crash in order, all up to the last synced one for certain. */
export class FakeIndex implements BlockIndex {
  readonly #batches: Array<{ operations: WriteOperation[]; sync: boolean }> = []
  #entries = new Map<string, Uint8Array>()
  failNext: Error | undefined

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#entries.get(keyOf(key))
  }

  async batch(operations: WriteOperation[], options: { sync: boolean }): Promise<void> {
    const failure = this.failNext
    this.failNext = undefined
    if (failure !== undefined) throw failure
    this.#batches.push({ operations, ...options })
    this.#apply(operations)
  }

  async *iterate({ prefix }: { prefix: Uint8Array }): AsyncGenerator<[Uint8Array, Uint8Array]> {
    for (const key of this.keys())
      if (key.startsWith(keyOf(prefix))) yield [Buffer.from(key, 'latin1'), this.#entries.get(key)!]
  }

  async clear(prefix: Uint8Array): Promise<void> {
    const from = keyOf(prefix)
    const end = prefixEnd(prefix)
    const operations = [...this.#entries.keys()]
      .filter(key => key >= from && (end === undefined || key < keyOf(end)))
      .map(key => ({ type: 'del', key: Buffer.from(key, 'latin1') }) as const)
    await this.batch(operations, { sync: false })
  }

  keys(): string[] {
    return [...this.#entries.keys()].sort()
  }

  /** `kept`: share of the unsynced batches that happened to reach the disk. */
  crash(kept: number): void {
    const synced = this.#batches.findLastIndex(batch => batch.sync) + 1
    this.#batches.length = synced + Math.round((this.#batches.length - synced) * kept)
    this.#entries = new Map()
    for (const { operations } of this.#batches) this.#apply(operations)
  }

  #apply(operations: WriteOperation[]): void {
    for (const operation of operations) {
      if (operation.type === 'put') this.#entries.set(keyOf(operation.key), operation.value)
      else this.#entries.delete(keyOf(operation.key))
    }
  }
}

/** A block of `size` bytes that no other seed gives. */
export function makeBlock(seed: number, size: number): IncomingBlock {
  const bytes = new Uint8Array(size).fill(seed & 0xff)
  new DataView(bytes.buffer).setUint32(0, seed)
  return { id: hashBlock(bytes), codec: BlockCodec.Raw, rawLengthBytes: size, bytes }
}

/** Bytes that look random and are always the same: SHA-256 of the seed and a counter. */
export function pseudoRandom(seed: string, size: number): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = []
  for (let i = 0; i * 32 < size; i++) parts.push(hashBlock(Buffer.from(`${seed} ${i}`)))
  return new Uint8Array(Buffer.concat(parts, size))
}

export interface TarEntry {
  name: string
  type?: 'file' | 'symlink' | 'directory' | 'fifo' | 'link' | 'character-device'
  mode?: number
  linkname?: string
  body?: Uint8Array | string
}

/** A whole tar stream as tar-stream makes it. */
export async function makeTar(entries: TarEntry[]): Promise<Uint8Array<ArrayBuffer>> {
  const tar = pack()
  for (const { name, type = 'file', mode = 0o644, linkname, body } of entries) {
    const head = { name, type, mode, ...(linkname === undefined ? {} : { linkname }) }
    if (type === 'file') tar.entry(head, Buffer.from(body ?? ''))
    else tar.entry(head)
  }
  tar.finalize()
  const parts: Uint8Array[] = []
  for await (const part of tar as AsyncIterable<Uint8Array>) parts.push(part)
  return new Uint8Array(Buffer.concat(parts))
}
