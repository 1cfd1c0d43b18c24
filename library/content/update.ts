/**
 * Is all of a content here, when an older one is complete: only what is new is looked at.
 *
 * A manifest is cut into pages by its paths, so an update has most pages in common with the version before it. A page that an
 * older, complete content names has everything below it here, and was checked with it. What is left to show is that the new
 * manifest as a whole is right, though most of its pages are not read:
 *
 * - Order: the pages in common must follow each other as they do in the older manifest, so they are sorted among themselves.
 *   A run of new pages is read together with the page before and the page after it; so everything is sorted.
 * - No entry stands below another one: of two entries in common that is known. A path that the older content has too
 *   cannot stand above or below one of its others. For each path that is new its folders, and what begins with
 *   it, are looked up in the new manifest by binary search.
 * - Sum of sizes and number of files: those of the older one, less its pages that are gone, and the new pages.
 *
 * An update that changes too much, or breaks one of these without saying how, is left to the walk over everything (check.ts).
 */
import type { CID } from 'multiformats/cid'
import { CatalogError, LruCache } from '../../base/index.ts'
import { idKey } from './blocks.ts'
import { checkFile, KnownNodes, type Totals } from './check.ts'
import type { Pauses } from './ingest.ts'
import { decodePage, EntryOrder } from './manifest.ts'
import { manifestPages } from './manifest-reader.ts'
import { comparePaths } from './paths.ts'
import type { BlockReader, BlockSource } from './reader.ts'
import type { ContentSummary, ManifestEntry } from './types.ts'

/** Some 450,000 files: the list of their pages takes 10 MB for the moment. */
const MAX_PAGES = 65_536
/** Pages that an update adds, and that it leaves out; their entries take up to 32 MB. */
const MAX_CHANGED_PAGES = 1024
/** Paths looked up in one update: each reads up to 16 pages, and a hostile path can have a thousand folders. */
const MAX_LOOKUPS = 10_000
/** Decoded pages kept while paths are looked up: the first steps of every search are the same. */
const MAX_KEPT_PAGES = 256

export interface Update {
  readonly content: CID
  /** Is complete: nothing of it may be given up while this runs. */
  readonly older: CID
  readonly olderSummary: ContentSummary
}

/** The pages of a manifest, as keys, in order; undefined when they are too many to be listed. */
export async function pageKeys(
  source: BlockSource,
  content: CID,
  signal?: AbortSignal
): Promise<string[] | undefined> {
  const keys: string[] = []
  for await (const page of manifestPages(source, content, signal))
    if (keys.push(idKey(page)) > MAX_PAGES) return undefined
  return keys
}

/**
 * What `checkPresent` finds, with the same errors, or undefined when that has to look: because the update is too large,
 * or not in the order of the older content.
 */
export async function checkUpdate(
  reader: BlockReader,
  { content, older, olderSummary }: Update,
  slice: Pauses,
  signal?: AbortSignal
): Promise<Totals | undefined> {
  const before = await pageKeys(reader, older, signal)
  const after = await pageKeys(reader, content, signal)
  if (before === undefined || after === undefined) return undefined
  const changes = compare(before, after)
  if (changes === undefined) return undefined
  const check = new UpdateCheck(reader, after, slice, signal)
  const { sizeBytes, files } = olderSummary
  check.totals.sizeBytes = sizeBytes
  check.totals.files = files
  for (const key of changes.dropped) await check.drop(key)
  for (const run of changes.runs) if (!(await check.take(run))) return undefined
  return check.totals
}

/** Pages of the new manifest from `start` to before `end`. */
interface Run {
  start: number
  end: number
}

function compare(before: string[], after: string[]): { runs: Run[]; dropped: string[] } | undefined {
  const places = new Map(before.map((key, place) => [key, place]))
  const runs: Run[] = []
  let fresh = 0
  let last = -1
  for (const [index, key] of after.entries()) {
    const place = places.get(key)
    if (place === undefined) {
      fresh++
      const run = runs.at(-1)
      if (run?.end === index) run.end++
      else runs.push({ start: index, end: index + 1 })
    } else if (place > last) last = place
    else return undefined
  }
  for (const key of after) places.delete(key)
  const dropped = [...places.keys()]
  return Math.max(fresh, dropped.length) > MAX_CHANGED_PAGES ? undefined : { runs, dropped }
}

class UpdateCheck {
  readonly totals: Totals = { sizeBytes: 0, files: 0 }
  readonly #reader: BlockReader
  readonly #pages: string[]
  readonly #slice: Pauses
  readonly #signal: AbortSignal | undefined
  readonly #known = new KnownNodes()
  readonly #decoded = new LruCache<string, ManifestEntry[]>({ maxEntries: MAX_KEPT_PAGES })
  /** Paths of the older content's pages that are gone: these are entries of a right manifest. */
  readonly #olderPaths = new Set<string>()
  /** Folders that were looked up and are no entries. */
  readonly #folders = new Set<string>()
  #lookups = 0

  constructor(reader: BlockReader, pages: string[], slice: Pauses, signal: AbortSignal | undefined) {
    this.#reader = reader
    this.#pages = pages
    this.#slice = slice
    this.#signal = signal
  }

  /** A page of the older content that the new one has not. */
  async drop(key: string): Promise<void> {
    for (const entry of await this.#read(key)) {
      this.#olderPaths.add(entry.path)
      if (entry.kind !== 'file') continue
      this.totals.files--
      this.totals.sizeBytes -= entry.sizeBytes
    }
  }

  /** Checks new pages and all below them; false when that takes too many look-ups. */
  async take({ start, end }: Run): Promise<boolean> {
    const order = new EntryOrder()
    for (const entry of start === 0 ? [] : await this.#page(start - 1)) order.check(entry)
    for (let index = start; index < end; index++) {
      const entries = await this.#page(index)
      if (entries.length === 0) throw invalid('an empty page among others')
      for (const entry of entries) {
        order.check(entry)
        if (!this.#olderPaths.has(entry.path) && !(await this.#standsAlone(entry.path))) return false
        if (entry.kind === 'file') await this.#file(entry)
      }
    }
    for (const entry of end === this.#pages.length ? [] : await this.#page(end)) order.check(entry)
    return true
  }

  async #file(entry: ManifestEntry & { kind: 'file' }): Promise<void> {
    this.totals.files++
    this.totals.sizeBytes += entry.sizeBytes
    await checkFile(this.#reader, entry, this.#known, this.#slice, this.#signal)
  }

  /** Throws PATH_REFUSED when one of the path's folders is an entry, or the path is a folder; false after too many look-ups. */
  async #standsAlone(path: string): Promise<boolean> {
    for (let end = path.indexOf('/'); end >= 0; end = path.indexOf('/', end + 1)) {
      const folder = path.slice(0, end)
      if (this.#folders.has(folder)) continue
      if (++this.#lookups > MAX_LOOKUPS) return false
      if ((await this.#firstFrom(folder)) === folder) throw below(path, folder)
      this.#folders.add(folder)
    }
    if (++this.#lookups > MAX_LOOKUPS) return false
    const next = await this.#firstFrom(`${path}/`)
    if (next?.startsWith(`${path}/`)) throw below(next, path)
    return true
  }

  /** The first path of the new manifest that is not before `path` in the order of bytes. */
  async #firstFrom(path: string): Promise<string | undefined> {
    let low = 0
    let high = this.#pages.length
    while (low < high) {
      const middle = (low + high) >> 1
      const last = (await this.#page(middle)).at(-1)
      if (last === undefined) throw invalid('an empty page among others')
      if (comparePaths(last.path, path) < 0) low = middle + 1
      else high = middle
    }
    if (low === this.#pages.length) return undefined
    return (await this.#page(low)).find(entry => comparePaths(entry.path, path) >= 0)?.path
  }

  async #page(index: number): Promise<ManifestEntry[]> {
    const key = this.#pages[index]!
    const known = this.#decoded.get(key)
    if (known !== undefined) return known
    const entries = await this.#read(key)
    this.#decoded.set(key, entries)
    return entries
  }

  async #read(key: string): Promise<ManifestEntry[]> {
    if (this.#slice.due()) await this.#slice.pause()
    return decodePage(await this.#reader.read(Buffer.from(key, 'latin1'), this.#signal))
  }
}

function below(path: string, above: string): CatalogError {
  const reason = `is below the entry ${JSON.stringify(above)}`
  return new CatalogError('PATH_REFUSED', `the path ${JSON.stringify(path)} ${reason}`, {
    details: { path, reason }
  })
}

function invalid(what: string): CatalogError {
  return new CatalogError('CONTENT_INVALID', `manifest refused: ${what}`)
}
