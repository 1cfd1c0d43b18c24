/**
 * The walk over a release that finds what is missing.
 *
 * First pass: the manifest's tree, root to pages; each block that is not here is wanted. Second pass: the pages again, now
 * all here, in order; every entry is checked, and every file's root, nodes and chunks that are not here are wanted. A
 * node is needed before anything below it can even be named, so wants come up as answers come in.
 *
 * A page that an older, complete content names is left out, with all below it: an update of ten files among ten thousand
 * looks into a few pages. Order and totals over all pages can then not be checked here; `markComplete` does that.
 *
 * The walk is a stack of generators, and beside it those of the trees of files. A node that arrives puts in a generator for
 * its children, and of those of files the one that stands first in the release is asked for its next step. So chunks of a file
 * that is begun come before nodes of the next one, whoever installs the release while it is fetched finds what it needs next,
 * and what is held in memory is the nodes on the way down and those in flight, never the whole manifest or a whole file's
 * list of chunks.
 *
 * The bytes that arrive are checked against their ids before they come here; what is checked here is that they make
 * sense together: canonical, sorted, sizes that add up to what the signed record states. CONTENT_INVALID and
 * PATH_REFUSED are the publisher's doing: no other source can help.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { MIB, toCatalogError } from '../../base/index.ts'
import {
  type BlockId,
  blockIdOf,
  type ChunkRef,
  type ContentStore,
  decodePage,
  idKey,
  isSingleChunk,
  type ManifestEntry,
  type Release,
  singleChunk
} from '../../library/index.ts'
import { Part } from './frames.ts'
import { FreshBlocks, type FreshBlocksModules, KeptBlocks } from './fresh-blocks.ts'
import { HaveTracker, NOWHERE } from './have-map.ts'
import type { Have } from './messages.js'
import { isNode, type Position } from './planner.ts'
import { EntriesCheck, invalid } from './walk-entries.ts'
import {
  type FileState,
  type Held,
  MANIFEST_ROOT,
  manifestTree,
  type Step,
  StepStack,
  type Steps,
  type Tree,
  type WalkProgress,
  type WalkWant
} from './walk-steps.ts'
import { TreeWalk } from './walk-trees.ts'

/** Manifest blocks kept until they can be read from the store. */
const MAX_UNFLUSHED_BYTES = 8 * MIB
/** Nodes and pages looked into before the event loop gets its turn; each is up to 1,024 look-ups in the index. */
const STEPS_PER_TURN = 4
/** Tree nodes asked for or waiting to be walked: 10 MiB of them at most. */
const MAX_OPEN_NODES = 256

const NO_PAGES: ReadonlySet<string> = new Set()

export interface WalkModules extends FreshBlocksModules {
  readonly store: Pick<ContentStore, 'hasBlock' | 'readBlock'>
}

export class ReleaseWalk {
  readonly progress: WalkProgress = { bytesFetched: 0, bytesReused: 0, filesDone: 0 }
  readonly #store: WalkModules['store']
  readonly #release: Pick<Release, 'content' | 'sizeBytes' | 'files'>
  readonly #entries: EntriesCheck
  readonly #wholePages: ReadonlySet<string>
  #skippedPages = 0
  readonly #stack = new StepStack()
  /** Blocks asked for and not yet written. */
  readonly #asked = new Map<string, WalkWant>()
  readonly #fresh: FreshBlocks
  /** What of the release can be read here. */
  readonly #have: HaveTracker
  readonly #trees: TreeWalk
  /** Manifest blocks that may not be readable in the store yet: the second pass reads them again. */
  readonly #unflushed = new KeptBlocks(MAX_UNFLUSHED_BYTES)
  #openNodes = 0
  #pass: 'manifest' | 'files' | 'done' = 'manifest'
  #putBack: WalkWant | undefined

  /** `wholePages`: keys of pages that need no look, for everything below them is here. */
  constructor(
    modules: WalkModules,
    release: Pick<Release, 'content' | 'sizeBytes' | 'files'>,
    wholePages = NO_PAGES
  ) {
    this.#store = modules.store
    this.#release = release
    this.#wholePages = wholePages
    this.#entries = new EntriesCheck(release)
    this.#have = new HaveTracker(release.sizeBytes)
    this.#fresh = new FreshBlocks(modules, range => this.#have.add(range.offsetBytes, range.lengthBytes))
    this.#trees = new TreeWalk({
      store: modules.store,
      stack: this.#stack,
      isUnderWay: key => this.#isUnderWay(key)
    })
    this.#stack.push(this.#manifest())
  }

  get phase(): 'manifest' | 'files' | 'done' {
    return this.#pass
  }

  /** What of the release can be read here by now. */
  get have(): Have {
    return this.#have.have
  }

  /**
   * The next missing block, which from now on counts as asked for; undefined when answers must come first, or when
   * nothing is missing any more (phase 'done').
   */
  async next(signal: AbortSignal): Promise<WalkWant | undefined> {
    const want = this.#putBack ?? (await this.#nextWant(signal))
    this.#putBack = undefined
    if (want === undefined) return undefined
    if (isNode(want) && this.#openNodes >= MAX_OPEN_NODES) {
      this.#putBack = want
      return undefined
    }
    this.#asked.set(idKey(want.id), want)
    if (isNode(want)) this.#openNodes++
    return want
  }

  /** Gives back a want that `next` has just returned and that found no place in a request. */
  putBack(want: WalkWant): void {
    this.#forget(want)
    this.#putBack = want
  }

  /** These were asked for in vain: they are missing again. */
  failed(wants: readonly WalkWant[]): void {
    for (const want of wants) this.#forget(want)
    this.#stack.push(wants.values() as Steps)
  }

  /** These have been written to the store. */
  async written(wants: readonly WalkWant[], signal: AbortSignal): Promise<void> {
    for (const want of wants) {
      this.#forget(want)
      const { file, rawLengthBytes, offsetBytes } = want
      if (file === undefined) continue
      this.#fresh.tell(idKey(want.id), { offsetBytes: offsetBytes!, lengthBytes: rawLengthBytes! })
      this.progress.bytesFetched += rawLengthBytes!
      this.#advance(file, rawLengthBytes!)
    }
    const ids = wants.map(({ id }) => id)
    await this.#fresh.add(ids, signal)
  }

  /** Makes everything that was written durable, and readable. */
  async flush(signal: AbortSignal): Promise<void> {
    const isManifestWritten = this.#pass !== 'manifest'
    if (!this.#fresh.isEmpty) await this.#fresh.flush(signal)
    this.#have.hasManifest ||= isManifestWritten
  }

  async #nextWant(signal: AbortSignal): Promise<WalkWant | undefined> {
    for (let steps = 1; ; steps++) {
      const step = this.#step()
      if (step === undefined || !('held' in step)) return step
      const raw = await this.#read(step, signal)
      if (raw === undefined) return step.lost
      step.use(raw)
      if (steps % STEPS_PER_TURN === 0) {
        await nextTurn()
        signal.throwIfAborted()
      }
    }
  }

  /** No longer asked for. */
  #forget(want: WalkWant): void {
    this.#asked.delete(idKey(want.id))
    if (isNode(want)) this.#openNodes--
  }

  /** The next step; goes over to the next pass when all of one is here. */
  #step(): Step | undefined {
    for (;;) {
      const step = this.#stack.next()
      if (step !== undefined) return step
      if (this.#asked.size > 0 || this.#pass === 'done') return undefined
      this.#nextPass()
    }
  }

  #nextPass(): void {
    if (this.#pass === 'manifest') {
      this.#pass = 'files'
      this.#stack.push(this.#files())
    } else this.#pass = 'done'
  }

  /** Raw bytes of a block that is here; undefined when the store has lost it and it can be asked for instead. */
  async #read({ held, lost }: Held, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const key = idKey(held)
    const kept = this.#unflushed.get(key)
    if (kept !== undefined) return kept
    if (this.#fresh.has(key)) await this.#fresh.flush(signal)
    try {
      return await this.#store.readBlock(held, signal)
    } catch (thrown) {
      const { code } = toCatalogError(thrown)
      if (lost !== undefined && (code === 'CONTENT_CORRUPT' || code === 'CONTENT_MISSING')) return undefined
      throw thrown
    }
  }

  // --- first pass: the manifest's blocks

  *#manifest(): Steps {
    const { content } = this.#release
    const tree = manifestTree(false, (page, index) => this.#manifestPage(page, index))
    const use = (raw: Uint8Array): void => {
      this.#unflushed.keep(blockIdOf(content), raw)
      if (!isSingleChunk(content)) this.#stack.push(this.#trees.below(tree, raw, MANIFEST_ROOT, 0, 0))
    }
    yield* this.#trees.metadata({ part: Part.Manifest, top: true }, 0, blockIdOf(content), undefined, use)
  }

  *#manifestPage({ id, lengthBytes }: ChunkRef, index: number): Steps {
    const key = idKey(id)
    if (this.#wholePages.has(key) || this.#isUnderWay(key) || this.#store.hasBlock(id)) return
    const position: Position = { part: Part.Manifest, top: false, level: 0, index }
    yield {
      position,
      id,
      rawLengthBytes: lengthBytes,
      use: raw => this.#unflushed.keep(id, raw),
      isUsed: false
    }
  }

  // --- second pass: entries and their files

  *#files(): Steps {
    const { content } = this.#release
    const wholePages = this.#wholePages
    const skip = (): void => void this.#skippedPages++
    const open = (id: BlockId, page: number): Held => ({
      held: id,
      use: raw => this.#stack.push(this.#page(raw, page))
    })
    if (isSingleChunk(content)) yield open(blockIdOf(content), 0)
    else {
      const tree = manifestTree(true, function* ({ id }, index) {
        if (wholePages.has(idKey(id))) skip()
        else yield open(id, index)
      })
      const held = blockIdOf(content)
      yield { held, use: raw => this.#stack.push(this.#trees.below(tree, raw, MANIFEST_ROOT, 0, 0)) }
    }
    // All above was pushed on top of this generator: it goes on when they are through.
    if (this.#skippedPages === 0) this.#entries.end()
    const { sizeBytes, files } = this.#entries.rest
    this.progress.bytesReused += sizeBytes
    this.progress.filesDone += files
  }

  *#page(raw: Uint8Array, page: number): Steps {
    const entries = decodePage(raw)
    if (entries.length === 0 && !isSingleChunk(this.#release.content))
      throw invalid('an empty page among others')
    let previousSlot = -1
    for (const [slot, entry] of entries.entries()) {
      const end = this.#entries.add(entry)
      if (entry.kind !== 'file') continue
      if (entry.sizeBytes === 0) {
        this.progress.filesDone++
        continue
      }
      // Behind a page that was not looked into nobody knows where the bytes of a file stand.
      const start = this.#skippedPages > 0 ? NOWHERE : end - entry.sizeBytes
      yield* this.#file(entry, page, slot, previousSlot, start)
      previousSlot = slot
    }
  }

  /** A file with bytes; `start` is where they begin in the release. */
  *#file(
    entry: ManifestEntry & { kind: 'file' },
    page: number,
    slot: number,
    previousSlot: number,
    start: number
  ): Steps {
    const { root, sizeBytes } = entry
    const file: FileState = { remainingBytes: sizeBytes }
    const position: Position = { part: Part.Roots, page, slot, previousSlot }
    const chunk = isSingleChunk(root) ? singleChunk(root, sizeBytes) : undefined
    if (chunk !== undefined) {
      yield* this.#chunk(position, chunk, file, start)
      return
    }
    const tree: Tree = {
      position: (level, index) => ({ part: Part.File, page, slot, level, index }),
      leaf: (child, index, offset) =>
        this.#chunk({ part: Part.File, page, slot, level: 0, index }, child, file, offset),
      isRevisited: false,
      isFile: true,
      maxBytes: sizeBytes,
      onKnown: lengthBytes => this.#reuse(file, lengthBytes)
    }
    const id = blockIdOf(root)
    const use = (raw: Uint8Array): void => {
      this.#stack.push(this.#trees.below(tree, raw, { sizeBytes, root: true }, 0, start), start)
    }
    yield* this.#trees.metadata(position, start, id, () => tree.onKnown(sizeBytes), use)
  }

  *#chunk(position: Position, { id, lengthBytes }: ChunkRef, file: FileState, offsetBytes: number): Steps {
    const key = idKey(id)
    const isUnderWay = this.#isUnderWay(key)
    if (!isUnderWay && !this.#store.hasBlock(id)) {
      yield { position, id, rawLengthBytes: lengthBytes, file, offsetBytes, isUsed: false }
      return
    }
    if (isUnderWay) this.#fresh.tell(key, { offsetBytes, lengthBytes })
    else this.#have.add(offsetBytes, lengthBytes)
    this.#reuse(file, lengthBytes)
  }

  /** Asked for, or written and not yet in the index. */
  #isUnderWay(key: string): boolean {
    return this.#asked.has(key) || this.#fresh.has(key)
  }

  #reuse(file: FileState, lengthBytes: number): void {
    this.progress.bytesReused += lengthBytes
    this.#advance(file, lengthBytes)
  }

  #advance(file: FileState, lengthBytes: number): void {
    file.remainingBytes -= lengthBytes
    if (file.remainingBytes === 0) this.progress.filesDone++
  }
}
