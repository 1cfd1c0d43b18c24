/** Walks over everything a content needs: is it all here, and is it right. In the worker. */
import type { CID } from 'multiformats/cid'
import { CatalogError, type ErrorCode, LruCache } from '../../base/index.ts'
import { idHex, idKey } from './blocks.ts'
import type { Pauses } from './ingest.ts'
import { manifestEntries, manifestPages } from './manifest-reader.ts'
import type { BlockReader } from './reader.ts'
import { fileChunks } from './tree-reader.ts'
import type { BlockId, ChunkRef, ManifestEntry, VerifyReport } from './types.ts'

/** Bad blocks of one reason that are named in a report; a disk that is worse than this needs no longer list. */
const MAX_BAD = 1000
/**
 * Nodes that a walk remembers, 10 MB at most: three nodes can stand for 2^30 chunks by naming each other again and
 * again, and nobody has to look below one twice.
 */
const MAX_KNOWN_NODES = 65_536

/** Tells nodes that come for the first time from those whose chunks have been seen. */
export class KnownNodes {
  readonly #keys = new LruCache<string, true>({ maxEntries: MAX_KNOWN_NODES })

  /** True for a node that is new; from now on it is not. */
  add(id: BlockId): boolean {
    const key = idKey(id)
    const isNew = this.#keys.get(key) === undefined
    this.#keys.set(key, true)
    return isNew
  }
}

/** What a report calls the errors that the walk meets: a tree that misstates a block is no better than a bad block. */
const BAD_REASONS: Partial<Record<ErrorCode, 'corrupt' | 'missing'>> = {
  CONTENT_CORRUPT: 'corrupt',
  CONTENT_INVALID: 'corrupt',
  CONTENT_MISSING: 'missing'
}

/** What a manifest adds up to. */
export interface Totals {
  sizeBytes: number
  files: number
}

/**
 * Throws CONTENT_MISSING (details.id, details.path) unless every block of the content is here. Pages and
 * nodes are read and verified on the way; chunks are only looked up.
 */
export async function checkPresent(
  reader: BlockReader,
  content: CID,
  slice: Pauses,
  signal?: AbortSignal
): Promise<Totals> {
  const known = new KnownNodes()
  const totals = { sizeBytes: 0, files: 0 }
  for await (const entry of manifestEntries(reader, content, signal)) {
    if (entry.kind !== 'file') continue
    totals.sizeBytes += entry.sizeBytes
    totals.files++
    await checkFile(reader, entry, known, slice, signal)
  }
  return totals
}

/** The same for one file. */
export async function checkFile(
  reader: BlockReader,
  { path, root, sizeBytes }: ManifestEntry & { kind: 'file' },
  known: KnownNodes,
  slice: Pauses,
  signal?: AbortSignal
): Promise<void> {
  for await (const chunk of fileChunks(reader, root, sizeBytes, signal, id => known.add(id))) {
    checkChunk(reader, chunk, path)
    if (slice.due()) await slice.pause()
  }
  if (slice.due()) await slice.pause()
}

/**
 * A chunk that is held from elsewhere has the right hash, yet a hostile tree may state another length for it: such a
 * file could never be written, so the content must not count as complete.
 */
function checkChunk(reader: BlockReader, { id, lengthBytes }: ChunkRef, path: string): void {
  const heldBytes = reader.locate(id)?.rawLengthBytes
  const details = { id: idHex(id), path }
  if (heldBytes === undefined)
    throw new CatalogError('CONTENT_MISSING', `block ${details.id} of ${path} is not here`, { details })
  if (heldBytes !== lengthBytes)
    throw new CatalogError(
      'CONTENT_INVALID',
      `the tree of ${path} states ${lengthBytes} bytes for block ${details.id}, which has ${heldBytes}`,
      { details }
    )
}

/**
 * Hashes everything a content needs anew. A bad node or page hides what is below it: the report then names
 * only it.
 */
export async function verifyContent(
  reader: BlockReader,
  content: CID,
  slice: Pauses,
  signal?: AbortSignal
): Promise<VerifyReport> {
  const verifier = new Verifier(reader, slice, signal)
  await verifier.run(content)
  return verifier.report
}

class Verifier {
  readonly report: VerifyReport = { ok: true, checked: 0, bytes: 0, missing: 0, corrupt: 0, bad: [] }
  readonly #reader: BlockReader
  readonly #slice: Pauses
  readonly #signal: AbortSignal | undefined
  readonly #known = new KnownNodes()

  constructor(reader: BlockReader, slice: Pauses, signal: AbortSignal | undefined) {
    this.#reader = reader
    this.#slice = slice
    this.#signal = signal
  }

  async run(content: CID): Promise<void> {
    // The manifest first, so that one bad page does not end the walk before the others were looked at.
    let whole = true
    await this.#guard('', async () => {
      for await (const page of manifestPages(this.#reader, content, this.#signal, this.#count))
        whole = (await this.#block(page, '')) && whole
    })
    if (!whole || !this.report.ok) return
    await this.#guard('', async () => {
      for await (const entry of manifestEntries(this.#reader, content, this.#signal))
        if (entry.kind === 'file') await this.#file(entry.path, entry.root, entry.sizeBytes)
    })
  }

  async #file(path: string, root: CID, sizeBytes: number): Promise<void> {
    await this.#guard(path, async () => {
      for await (const chunk of fileChunks(this.#reader, root, sizeBytes, this.#signal, this.#count))
        if (await this.#block(chunk.id, path)) checkChunk(this.#reader, chunk, path)
    })
  }

  /** Counts a node; what is below one that came before was counted with it. */
  readonly #count = (id: BlockId): boolean => {
    this.report.checked++
    return this.#known.add(id)
  }

  async #block(id: BlockId, path: string): Promise<boolean> {
    if (this.#slice.due()) await this.#slice.pause()
    this.#signal?.throwIfAborted()
    const state = await this.#reader.check(id)
    if (state !== 'good') {
      this.#bad(idHex(id), path, state)
      return false
    }
    this.report.checked++
    this.report.bytes += this.#reader.locate(id)?.rawLengthBytes ?? 0
    return true
  }

  /** A node that cannot be read ends the walk of its tree, not the report. */
  async #guard(path: string, walk: () => Promise<void>): Promise<void> {
    try {
      await walk()
    } catch (thrown) {
      const code = thrown instanceof CatalogError ? thrown.code : undefined
      const id = thrown instanceof CatalogError ? thrown.details?.id : undefined
      if (typeof id !== 'string' || code === undefined || !Object.hasOwn(BAD_REASONS, code)) throw thrown
      this.#bad(id, path, BAD_REASONS[code]!)
    }
  }

  #bad(id: string, path: string, reason: 'corrupt' | 'missing'): void {
    this.report.ok = false
    this.report[reason]++
    // Of each reason: what is missing from a content that never was whole must not hide what is damaged.
    if (this.report[reason] <= MAX_BAD) this.report.bad.push({ id, path, reason })
  }
}
