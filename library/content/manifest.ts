/**
 * Manifests: the list of what a content holds, as blocks.
 *
 * Entries are sorted by the bytes of their paths, and encoded one after another into *pages*. A page is one
 * block: the canonical DAG-CBOR array of its entries, each itself an array:
 *
 *     ["f", path, mode, size, root]    a file; root is the CID of its file tree
 *     ["l", path, target]              a symbolic link
 *     ["d", path, mode]                an empty directory (others exist because something is in them)
 *
 * Where a page ends is decided by the content, as with chunks: after an entry whose path's SHA-256 begins
 * with a byte divisible by 4, once the page has 640 bytes. An entry added in an update so changes its own page,
 * seldom the one after it, and no other. Pages are small (about 0.9 KiB) because an update sends whole pages.
 *
 * The pages are the chunks of a file tree (tree.ts), and the content's CID is that tree's root: CIDv1
 * `dag-cbor` of the root node, or CIDv1 `raw` of the page when there is only one. The codec says which, so
 * the CID is never ambiguous. A content without entries has one page, the empty array.
 */
import { decode, encode } from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import { CatalogError, KIB } from '../../base/index.ts'
import { blockIdOf, hashBlock } from './blocks.ts'
import { checkEntryPath, checkSymlinkTarget, comparePaths } from './paths.ts'
import { isSingleChunk, singleChunk } from './tree.ts'
import type { ManifestEntry } from './types.ts'

/** A page is not cut before it has this many bytes of entries: less would cost more in index and requests. */
const MIN_PAGE_BYTES = 640
/** And is cut before it would have more than this, so that a decoded page stays small. */
export const MAX_PAGE_BYTES = 32 * KIB
/** A path ends its page when these bits of the first byte of its SHA-256 are zero: one in 4. */
const PAGE_MASK = 0x03
/** Longest CBOR head of an array of that many bytes. */
const ARRAY_HEAD_BYTES = 3
/** Permission bits that are kept; setuid, setgid and sticky are not. */
export const MODE_MASK = 0o777

/** Canonical bytes of one entry. */
export function encodeEntry(entry: ManifestEntry): Uint8Array {
  switch (entry.kind) {
    case 'file':
      return encode(['f', entry.path, entry.mode, entry.sizeBytes, entry.root])
    case 'symlink':
      return encode(['l', entry.path, entry.target])
    case 'directory':
      return encode(['d', entry.path, entry.mode])
  }
}

/** Collects encoded entries into pages. Holds one page. */
export class PageBuilder {
  #entries: Uint8Array[] = []
  #sizeBytes = 0

  /**
   * Takes the next entry, already checked; returns the pages that are now complete (at most two, mostly
   * none).
   */
  add(entry: ManifestEntry): Uint8Array[] {
    const pages: Uint8Array[] = []
    const bytes = encodeEntry(entry)
    if (this.#sizeBytes + bytes.byteLength > MAX_PAGE_BYTES) pages.push(this.#cut())
    this.#entries.push(bytes)
    this.#sizeBytes += bytes.byteLength
    if (this.#sizeBytes >= MIN_PAGE_BYTES && endsPage(entry.path)) pages.push(this.#cut())
    return pages
  }

  /** The last page. An empty one only when `first`: when the content has no entry at all. */
  finish(first: boolean): Uint8Array | undefined {
    return this.#entries.length > 0 || first ? this.#cut() : undefined
  }

  #cut(): Uint8Array {
    const page = Buffer.concat([arrayHead(this.#entries.length), ...this.#entries])
    this.#entries = []
    this.#sizeBytes = 0
    return page
  }
}

function endsPage(path: string): boolean {
  return (hashBlock(Buffer.from(path, 'utf8'))[0]! & PAGE_MASK) === 0
}

/** CBOR head of an array: major type 4 and the count in its shortest form. */
function arrayHead(count: number): Uint8Array {
  if (count < 24) return Uint8Array.of(0x80 | count)
  if (count < 0x100) return Uint8Array.of(0x98, count)
  return Uint8Array.of(0x99, count >> 8, count & 0xff)
}

/**
 * Decodes a page from a peer or the disk; CONTENT_INVALID or PATH_REFUSED unless it is canonical in every
 * way.
 */
export function decodePage(bytes: Uint8Array): ManifestEntry[] {
  if (bytes.byteLength > MAX_PAGE_BYTES + ARRAY_HEAD_BYTES)
    throw invalid(`a page of ${bytes.byteLength} bytes`)
  let items: unknown
  try {
    items = decode(bytes)
  } catch (cause) {
    throw invalid('not DAG-CBOR', cause)
  }
  if (!Array.isArray(items)) throw invalid('not an array')
  const order = new EntryOrder()
  const entries = items.map(item => {
    const entry = toEntry(item)
    order.check(entry)
    return entry
  })
  if (Buffer.compare(encode(items), bytes) !== 0) throw invalid('not canonical')
  return entries
}

function toEntry(item: unknown): ManifestEntry {
  if (!Array.isArray(item)) throw invalid('an entry is not an array')
  const entry = entryOf(item)
  if (entry === undefined) throw invalid('an entry is of no known form')
  checkEntry(entry)
  return entry
}

function entryOf(item: unknown[]): ManifestEntry | undefined {
  const [kind, path, third, sizeBytes, link] = item
  if (typeof path !== 'string') return undefined
  if (kind === 'l' && item.length === 3 && typeof third === 'string')
    return { kind: 'symlink', path, target: third }
  if (typeof third !== 'number') return undefined
  if (kind === 'd' && item.length === 3) return { kind: 'directory', path, mode: third }
  const root = CID.asCID(link)
  if (kind === 'f' && item.length === 5 && typeof sizeBytes === 'number' && root !== null)
    return { kind: 'file', path, mode: third, sizeBytes, root }
  return undefined
}

/** Throws PATH_REFUSED or CONTENT_INVALID unless every field of the entry is within its bounds. */
export function checkEntry(entry: ManifestEntry): void {
  checkEntryPath(entry.path)
  if (entry.kind === 'symlink') {
    checkSymlinkTarget(entry.path, entry.target)
    return
  }
  if (!Number.isSafeInteger(entry.mode) || entry.mode < 0 || entry.mode > MODE_MASK)
    throw invalid(`mode of ${entry.path}`)
  if (entry.kind === 'directory') return
  if (!Number.isSafeInteger(entry.sizeBytes) || entry.sizeBytes < 0) throw invalid(`size of ${entry.path}`)
  if (isSingleChunk(entry.root)) singleChunk(entry.root, entry.sizeBytes)
  else if (entry.sizeBytes < 2) throw invalid(`size of ${entry.path}: a tree has at least two chunks`)
  blockIdOf(entry.root)
}

/**
 * Checks entries as they come, in order: sorted, no path twice, and none below another entry (only folders
 * have something below them, and a folder with something in it has no entry).
 *
 * Sorted by bytes, `a`, `a-b`, `a/x` follow each other, so the entry just before is not the only one that may
 * stand above: what is kept is every earlier path that the present one begins with, which are at most as many
 * as it has characters.
 */
export class EntryOrder {
  readonly #above: string[] = []
  #last: string | undefined

  /** Throws PATH_REFUSED unless this entry may follow those before it. */
  check(entry: ManifestEntry): void {
    const { path } = entry
    const order = this.#last === undefined ? -1 : comparePaths(this.#last, path)
    if (order === 0) throw disorder(path, 'stands there twice')
    if (order > 0)
      throw disorder(path, `comes after ${JSON.stringify(this.#last)}, against the order of bytes`)
    while (this.#above.length > 0 && !path.startsWith(this.#above.at(-1)!)) this.#above.pop()
    const parent = this.#above.find(above => path[above.length] === '/')
    if (parent !== undefined) throw disorder(path, `is below the entry ${JSON.stringify(parent)}`)
    this.#above.push(path)
    this.#last = path
  }
}

function disorder(path: string, reason: string): CatalogError {
  return new CatalogError('PATH_REFUSED', `the path ${JSON.stringify(path)} ${reason}`, {
    details: { path, reason }
  })
}

function invalid(what: string, cause?: unknown): CatalogError {
  return new CatalogError('CONTENT_INVALID', `manifest refused: ${what}`, { cause })
}
