/**
 * Takes a folder into the store, in the worker: a tar stream comes in pieces, tar-stream takes it apart,
 * files are cut into chunks, their trees and the manifest are built on the way, and all of it is put as
 * blocks. Memory does not grow with the content: one window of the chunker, one page, 1,024 references per
 * level of a tree.
 *
 * Entries must come in manifest order (comparePaths). Whatever is wrong with an entry, a path or the stream
 * ends the ingest with an error that names it. Nothing is visible before `finish`; blocks already put stay,
 * unreachable, until garbage collection.
 */
import type { CID } from 'multiformats/cid'
import { type Extract, extract, type Header } from 'tar-stream'
import { CatalogError, GIB, toCatalogError } from '../../base/index.ts'
import { EMPTY_ROOT, hashBlock } from './blocks.ts'
import { Chunker } from './chunker.ts'
import { type Compression, FileCompressor, MIN_COMPRESSED_BYTES, packPage, plain } from './compression.ts'
import { checkEntry, EntryOrder, MODE_MASK, PageBuilder } from './manifest.ts'
import { checkEntryPath } from './paths.ts'
import type { SegmentStore } from './segments.ts'
import { WriteSession } from './stage.ts'
import { TAR_BLOCK_BYTES } from './tar-header.ts'
import { MANIFEST_FANOUT, type NodeBlock, TreeBuilder } from './tree.ts'
import type { BlockId, IngestResult, ManifestEntry, StoredBlock } from './types.ts'

export interface IngestLimits {
  maxEntries: number
  maxBytes: number
}

/**
 * Far beyond any package (the largest known have 100,000 files), and what one hostile caller can make us
 * store.
 */
export const INGEST_LIMITS: IngestLimits = { maxEntries: 5_000_000, maxBytes: 1024 * GIB }

/** A job's place among others (worker/scheduler.ts). */
export interface Pauses {
  due(): boolean
  pause(): Promise<void>
}

export interface IngestModules {
  segments: SegmentStore
  slice: Pauses
}

export interface IngestOptions {
  /** INGEST_LIMITS outside tests. */
  limits?: IngestLimits
  /** How new chunks are kept. */
  compression: Compression
}

/** The bytes of an entry; they must be consumed before the next entry comes. */
type TarBody = AsyncIterable<Buffer> & { resume(): unknown }

/** The fields of a head that we use; `byteOffset` is where the entry's bytes begin in the stream. */
type TarHead = Header & { byteOffset: number }

export class TarIngest {
  readonly #segments: SegmentStore
  readonly #slice: Pauses
  readonly #limits: IngestLimits
  readonly #compressor: FileCompressor | undefined
  readonly #session = new WriteSession()
  readonly #tar: Extract = extract()
  readonly #chunker = new Chunker()
  readonly #fileTree = new TreeBuilder()
  readonly #manifestTree = new TreeBuilder(MANIFEST_FANOUT)
  readonly #pages = new PageBuilder()
  readonly #order = new EntryOrder()
  readonly #ending = new EndOfTar()
  /** Memory that came with `write` and belongs to nobody else. */
  readonly #given = new WeakSet<ArrayBufferLike>()
  readonly #consumed: Promise<void>
  #failure: CatalogError | undefined
  #wake: (() => void) | undefined
  #entries = 0
  #files = 0
  #sizeBytes = 0

  constructor(modules: IngestModules, { limits = INGEST_LIMITS, compression }: IngestOptions) {
    this.#segments = modules.segments
    this.#slice = modules.slice
    this.#limits = limits
    this.#compressor = compression === 'zstd' ? new FileCompressor() : undefined
    this.#tar.on('drain', () => this.#wake?.())
    this.#consumed = this.#consume().catch(thrown => {
      this.#failure ??= tarError(thrown)
      this.#tar.destroy(null)
      this.#wake?.()
    })
  }

  /**
   * Resolves when the bytes have been taken in; rejects with what was wrong. One call at a time. With `isGiven` the
   * memory is this ingest's own from now on.
   */
  async write(bytes: Uint8Array, { isGiven = false } = {}): Promise<void> {
    this.#throwFailure()
    if (isGiven) this.#given.add(bytes.buffer)
    this.#ending.see(bytes)
    if (!this.#tar.write(asBuffer(bytes))) await this.#drained()
    this.#throwFailure()
  }

  /** The end of the stream: everything on disk and indexed. STREAM_TRUNCATED without the tar's own end. */
  async finish(): Promise<IngestResult> {
    this.#throwFailure()
    this.#tar.end(null)
    await this.#consumed
    this.#throwFailure()
    this.#ending.check()
    const page = this.#pages.finish(this.#manifestTree.leaves === 0)
    if (page !== undefined) await this.#putPage(page)
    const { root, nodes } = this.#manifestTree.finish()
    await this.#putNodes(nodes)
    await this.#segments.flush(this.#session)
    return {
      content: root,
      sizeBytes: this.#sizeBytes,
      files: this.#files,
      newBytes: this.#session.newBytes
    }
  }

  async abort(): Promise<void> {
    this.#failure ??= new CatalogError('ABORTED', 'the ingest was aborted')
    this.#tar.destroy(null)
    await this.#consumed
  }

  /** Resolves when the tar stream takes more, or never will. */
  #drained(): Promise<void> {
    return new Promise<void>(resolve => {
      this.#wake = resolve
      if (this.#failure !== undefined) resolve()
    })
  }

  #throwFailure(): void {
    this.#failure ??= this.#session.failure
    if (this.#failure !== undefined) throw this.#failure
  }

  async #consume(): Promise<void> {
    const entries = this.#tar[Symbol.asyncIterator]()
    for (;;) {
      // tar-stream's next() never settles once the stream has been closed: ask only while it is open.
      this.#throwFailure()
      const { done, value: entry } = await entries.next()
      this.#throwFailure()
      if (done === true) return
      const head = entry.header as TarHead
      this.#ending.entry(head)
      await this.#takeEntry(head, entry as AsyncIterable<unknown> as TarBody)
      await this.#pauseWhenDue()
    }
  }

  async #takeEntry(head: TarHead, body: TarBody): Promise<void> {
    if (++this.#entries > this.#limits.maxEntries)
      throw new CatalogError('LIMIT_EXCEEDED', `more than ${this.#limits.maxEntries} entries`)
    this.#sizeBytes += head.size ?? 0
    if (this.#sizeBytes > this.#limits.maxBytes)
      throw new CatalogError('LIMIT_EXCEEDED', `more than ${this.#limits.maxBytes} bytes`)
    const draft = draftEntry(head)
    // A bad path is refused before any byte is looked at; the root of a file is known only after.
    checkEntryPath(draft.path)
    this.#order.check(draft)
    if (draft.kind === 'file') {
      draft.root = await this.#takeFile(body, draft)
      this.#files++
    } else body.resume()
    checkEntry(draft)
    for (const page of this.#pages.add(draft)) await this.#putPage(page)
  }

  async #takeFile(body: TarBody, file: { path: string; sizeBytes: number }): Promise<CID> {
    this.#compressor?.beginFile()
    for await (const piece of body) {
      let rest = piece
      while (rest.byteLength > 0) {
        rest = rest.subarray(this.#chunker.feed(rest))
        await this.#putChunks(false)
      }
      this.#free(piece)
    }
    await this.#putChunks(true)
    const { root, sizeBytes, nodes } = this.#fileTree.finish()
    if (sizeBytes !== file.sizeBytes)
      throw truncated(`${file.path} came with ${sizeBytes} of its ${file.sizeBytes} bytes`)
    await this.#putNodes(nodes)
    return root
  }

  /**
   * Gives the memory of a piece back at once if it was the last one in it; the chunker has copied it. Left to the garbage
   * collector, which does not feel them, the buffers of a large file would stand there by the hundred.
   */
  #free({ buffer, byteOffset, byteLength }: Buffer): void {
    if (!(buffer instanceof ArrayBuffer) || !this.#given.has(buffer)) return
    if (byteOffset + byteLength === buffer.byteLength) buffer.transfer(0)
  }

  async #putChunks(atEnd: boolean): Promise<void> {
    for (;;) {
      const chunk = this.#chunker.next(atEnd)
      if (chunk === undefined) return
      const id = hashBlock(chunk)
      await this.#putChunk(id, chunk)
      await this.#putNodes(this.#fileTree.push({ id, lengthBytes: chunk.byteLength }))
      await this.#pauseWhenDue()
    }
  }

  /** What is here already is not compressed for nothing. */
  async #putChunk(id: BlockId, chunk: Uint8Array): Promise<void> {
    const isTried = this.#compressor !== undefined && chunk.byteLength >= MIN_COMPRESSED_BYTES
    if (!isTried) return await this.#put(id, plain(chunk))
    if (!this.#segments.holds(id, this.#session)) await this.#put(id, this.#compressor!.pack(chunk))
  }

  async #putPage(page: Uint8Array): Promise<void> {
    const id = hashBlock(page)
    await this.#put(id, this.#compressor === undefined ? plain(page) : packPage(page))
    await this.#putNodes(this.#manifestTree.push({ id, lengthBytes: page.byteLength }))
  }

  async #putNodes(nodes: NodeBlock[]): Promise<void> {
    for (const { id, bytes } of nodes) await this.#put(id, plain(bytes))
  }

  async #put(id: BlockId, block: StoredBlock): Promise<void> {
    const room = this.#segments.put({ id, ...block }, this.#session)
    if (room !== undefined) await room
  }

  async #pauseWhenDue(): Promise<void> {
    this.#throwFailure()
    if (!this.#slice.due()) return
    await this.#slice.pause()
    this.#throwFailure()
  }
}

/** The manifest entry a tar head stands for, its root still that of an empty file. */
function draftEntry(head: TarHead): ManifestEntry {
  const mode = (head.mode ?? 0) & MODE_MASK
  switch (head.type) {
    case 'file':
      return { kind: 'file', path: head.name, mode, sizeBytes: head.size ?? 0, root: EMPTY_ROOT }
    case 'symlink':
      return { kind: 'symlink', path: head.name, target: head.linkname ?? '' }
    case 'directory':
      return { kind: 'directory', path: head.name.replace(/\/$/, ''), mode }
    default:
      throw new CatalogError(
        'ENTRY_REFUSED',
        `${JSON.stringify(head.name.slice(0, 200))} is a ${head.type ?? 'entry of an unknown type'}, which no release can hold`,
        { details: { path: head.name, type: head.type ?? 'unknown' } }
      )
  }
}

/**
 * Whether a tar has come to its own end: nothing but zeros after the last entry, and at least two blocks of
 * them. tar-stream is content with a stream that stops between two entries.
 */
class EndOfTar {
  #totalBytes = 0
  /** Zeros at the end of what has come so far. */
  #zeroBytes = 0
  /** Where the last entry ends, its padding included. */
  #entryEnd = 0

  see(bytes: Uint8Array): void {
    let last = bytes.byteLength - 1
    while (last >= 0 && bytes[last] === 0) last--
    const zeros = bytes.byteLength - 1 - last
    this.#zeroBytes = last < 0 ? this.#zeroBytes + zeros : zeros
    this.#totalBytes += bytes.byteLength
  }

  entry(head: TarHead): void {
    const blocks = head.type === 'directory' ? 0 : Math.ceil((head.size ?? 0) / TAR_BLOCK_BYTES)
    this.#entryEnd = head.byteOffset + blocks * TAR_BLOCK_BYTES
  }

  check(): void {
    const after = this.#totalBytes - this.#entryEnd
    if (after < 2 * TAR_BLOCK_BYTES || this.#zeroBytes < after)
      throw truncated('the tar stream stops before its end')
  }
}

/** Of a folder on its way in nothing is resumed: what was stored already is only not stored again. */
export function truncated(message: string, cause?: unknown): CatalogError {
  return new CatalogError('STREAM_TRUNCATED', message, {
    hint: 'send the whole tar again, with the two blocks of zeros that end it; what is stored already costs no room twice',
    cause
  })
}

/** tar-stream tells what is wrong in words only. */
function tarError(thrown: unknown): CatalogError {
  if (thrown instanceof CatalogError) return thrown
  const message = thrown instanceof Error ? thrown.message : ''
  if (message.includes('Unexpected end of data') || message.includes('Writable stream closed prematurely'))
    return truncated('the tar stream stops inside an entry', thrown)
  if (/header/i.test(message))
    return new CatalogError('INVALID_ARGUMENT', `not a tar stream that Catalog reads: ${message}`, {
      cause: thrown
    })
  return toCatalogError(thrown)
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
