/**
 * Garbage collection: mark, sweep, compact; in the worker, in slices, while everything else goes on.
 *
 * There are no counts. A collection walks from the contents that are kept (their manifests and trees are a
 * two-thousandth of their bytes) and puts the ids of all they need into a `LiveSet` of bounded memory; then it goes through
 * the index once and deletes what is not in it. Writing a block so costs nothing for the sake of its later removal, and a
 * count that could be wrong does not exist.
 *
 * What happens meanwhile is never hurt. The barrier tells of every block put since the collection began, new or here
 * already: those stay. A content that becomes complete is marked before the next batch is deleted. What was staged before
 * the beginning is committed first, so that the walk finds it.
 *
 * Deleting keys frees no room: blocks stand in segments. One in which nothing is left goes; one in which less than 60 % is
 * left is rewritten, the oldest first: what is live is appended like any other block, hashed on the way, and then
 * the segment goes. Numbers of segments are never used again, so a reader that was on its way to the old place finds no
 * file, and looks the block up once more. Before a file goes the index is synced: after a power cut it must not name a
 * place that is gone. A file that such a cut brings back is not named by the index, and goes with the next collection.
 */
import { CID } from 'multiformats/cid'
import { toCatalogError } from '../../base/index.ts'
import { KeyFamily, makeKey } from '../database/keys.ts'
import type { WriteOperation } from '../database/types.ts'
import type { Pauses } from './ingest.ts'
import { LiveSet } from './live-set.ts'
import { Marker } from './mark.ts'
import type { BlockSource } from './reader.ts'
import { type BlockLocation, decodeLocation, encodeTail, RECORD_HEAD_BYTES } from './record.ts'
import { scanSegment } from './recovery.ts'
import { type SegmentModules, TAIL_KEY } from './segment-modules.ts'
import type { SegmentStore } from './segments.ts'
import { WriteSession } from './stage.ts'
import type { BlockId, CollectReport } from './types.ts'

/** Keys deleted in one batch: a few milliseconds in which nothing is committed. */
const BATCH_BLOCKS = 1000
/** A segment of which less is live is rewritten: above, too much is copied for too little room. */
const LIVE_SHARE = 0.6

export interface CollectModules extends SegmentModules {
  segments: SegmentStore
  source: BlockSource
  slice: Pauses
}

export interface CollectOptions {
  /** Contents that are being read or fetched, beside those that are kept. */
  leases: readonly CID[]
  /** Contents, as text, whose rows count for nothing; for a dry run. */
  without?: ReadonlySet<string>
  /** Says what would go, and changes nothing. */
  dryRun: boolean
  signal?: AbortSignal
}

interface Doomed extends BlockLocation {
  id: BlockId
}

/** What the sweep found of a segment. */
interface Usage {
  liveBytes: number
  liveBlocks: number
}

export class Collection {
  readonly #modules: CollectModules
  readonly #options: CollectOptions
  readonly #marker: Marker
  readonly #live: LiveSet
  /** Contents that became complete meanwhile and are not marked yet. */
  readonly #rooted: CID[] = []
  readonly #usage = new Map<number, Usage>()
  /** The segment that was being written when the sweep began: what came after is not known, and left alone. */
  #lastSegment = 0
  readonly #report: CollectReport = {
    blocks: 0,
    bytes: 0,
    segments: 0,
    rewritten: 0,
    freedBytes: 0,
    gaps: 0,
    dropped: []
  }

  constructor(modules: CollectModules, options: CollectOptions) {
    this.#modules = modules
    this.#options = options
    this.#live = new LiveSet(modules.segments.tail.blocks)
    const { source, slice } = modules
    this.#marker = new Marker({ source, live: this.#live, slice })
  }

  /** A content became complete: told in the same turn in which its mark is committed. */
  rooted(content: CID): void {
    this.#rooted.push(content)
  }

  async run(): Promise<CollectReport> {
    const { segments, log } = this.#modules
    const release = segments.barrier.lease()
    try {
      await segments.settle()
      await this.#mark()
      await this.#sweep()
      await this.#compact()
    } finally {
      release()
    }
    if (this.#marker.gaps > 0)
      log.warn({ gaps: this.#marker.gaps }, 'some contents are not whole; what only they name was not kept')
    return { ...this.#report, gaps: this.#marker.gaps }
  }

  async #mark(): Promise<void> {
    const { leases, without, signal } = this.#options
    for await (const content of keptContents(this.#modules.index))
      if (without?.has(content.toString()) !== true) await this.#marker.mark(content, signal)
    for (const content of leases) await this.#marker.mark(content, signal)
  }

  /** Goes through the index, deletes what nothing needs and counts what is left of each segment. */
  async #sweep(): Promise<void> {
    const { index, slice, segments } = this.#modules
    this.#lastSegment = segments.tail.segment
    let doomed: Doomed[] = []
    for await (const [key, value] of index.iterate({ prefix: makeKey(KeyFamily.Block) })) {
      const id = Uint8Array.from(key.subarray(KeyFamily.Block.length))
      const location = decodeLocation(value)
      if (this.#live.has(id) || segments.barrier.isTouched(id)) this.#count(location)
      else if (doomed.push({ id, ...location }) >= BATCH_BLOCKS) {
        await this.#delete(doomed)
        doomed = []
      }
      if (slice.due()) await this.#pause()
    }
    await this.#delete(doomed)
  }

  #count({ segment, lengthBytes }: BlockLocation): void {
    const usage = this.#usage.get(segment) ?? { liveBytes: 0, liveBlocks: 0 }
    usage.liveBytes += RECORD_HEAD_BYTES + lengthBytes
    usage.liveBlocks++
    this.#usage.set(segment, usage)
  }

  async #delete(doomed: readonly Doomed[]): Promise<void> {
    const { segments } = this.#modules
    const isStill = (block: Doomed): boolean => {
      const now = segments.locate(block.id)
      return now?.segment === block.segment && now.offsetBytes === block.offsetBytes
    }
    if (this.#options.dryRun) {
      this.#went(doomed)
      return
    }
    let isDone = doomed.length === 0
    while (!isDone) {
      for (let root = this.#rooted.shift(); root !== undefined; root = this.#rooted.shift())
        await this.#marker.mark(root, this.#options.signal)
      await segments.change(async tail => {
        if (this.#rooted.length > 0) return tail
        isDone = true
        const standing = doomed.filter(isStill)
        const going = segments.barrier.claim(standing.filter(({ id }) => !this.#live.has(id)))
        const kept = new Set(standing)
        for (const block of going) kept.delete(block)
        for (const block of kept) this.#count(block)
        const next = { ...tail, blocks: tail.blocks - going.length }
        try {
          const operations = going.map(({ id }): WriteOperation => ({ type: 'del', key: blockKey(id) }))
          operations.push({ type: 'put', key: TAIL_KEY, value: encodeTail(next) })
          await this.#modules.index.batch(operations, { sync: false })
        } finally {
          segments.barrier.gone()
        }
        this.#went(going)
        return next
      })
    }
  }

  #went(blocks: readonly Doomed[]): void {
    this.#report.blocks += blocks.length
    for (const { lengthBytes } of blocks) this.#report.bytes += RECORD_HEAD_BYTES + lengthBytes
  }

  /** Gives room back: empty segments first, which needs none. */
  async #compact(): Promise<void> {
    const { backend } = this.#modules
    const isLastKnown = this.#options.dryRun || (await this.#sealSparse(this.#lastSegment))
    const sparse: Array<{ segment: number; sizeBytes: number; usage: Usage }> = []
    for (const segment of await backend.list()) {
      if (segment > this.#lastSegment || (segment === this.#lastSegment && !isLastKnown)) continue
      const sizeBytes = (await backend.sizeOf(segment)) ?? 0
      const usage = this.#usage.get(segment) ?? { liveBytes: 0, liveBlocks: 0 }
      if (usage.liveBlocks === 0 && sizeBytes > 0) await this.#drop(segment, sizeBytes)
      else if (usage.liveBytes < LIVE_SHARE * sizeBytes) sparse.push({ segment, sizeBytes, usage })
    }
    try {
      for (const { segment, sizeBytes, usage } of sparse) await this.#rewrite(segment, sizeBytes, usage)
    } catch (thrown) {
      if (!NOT_NOW.has(toCatalogError(thrown).code)) throw thrown
      this.#modules.log.warn(
        { err: thrown },
        'segments cannot be rewritten now; what could be freed without was'
      )
    }
    if (!this.#options.dryRun) await this.#recount()
  }

  /** Sets right what the tail says of the files: a crash may have come between dropping one and counting it. */
  async #recount(): Promise<void> {
    const { backend, index, segments } = this.#modules
    await segments.change(async tail => {
      let totalBytes = tail.offsetBytes
      for (const segment of await backend.list())
        if (segment < tail.segment) totalBytes += (await backend.sizeOf(segment)) ?? 0
      if (totalBytes === tail.totalBytes) return tail
      const next = { ...tail, totalBytes }
      await index.batch([{ type: 'put', key: TAIL_KEY, value: encodeTail(next) }], { sync: false })
      return next
    })
  }

  /**
   * The segment that is being written ends when little of it is left, so that it can go as well. False when it goes on, or
   * has enough; else what is live in it has been counted anew, because blocks came after the sweep looked.
   */
  async #sealSparse(segment: number): Promise<boolean> {
    const { backend, index, segments, slice } = this.#modules
    const sizeBytes = (await backend.sizeOf(segment)) ?? 0
    const liveBytes = this.#usage.get(segment)?.liveBytes ?? 0
    if (sizeBytes === 0 || liveBytes >= LIVE_SHARE * sizeBytes) return false
    await segments.change(async tail => {
      if (tail.segment !== segment) return tail
      const next = { ...tail, segment: segment + 1, offsetBytes: 0 }
      await index.batch([{ type: 'put', key: TAIL_KEY, value: encodeTail(next) }], { sync: false })
      return next
    })
    // Blocks were written to it since it was counted.
    this.#usage.delete(segment)
    for await (const [, value] of index.iterate({ prefix: makeKey(KeyFamily.Block) })) {
      const location = decodeLocation(value)
      if (location.segment === segment) this.#count(location)
      if (slice.due()) await this.#pause()
    }
    return true
  }

  /** Appends what is live in a segment, then drops it. One that has a damaged block stays, for the scrub to look at. */
  async #rewrite(segment: number, sizeBytes: number, usage: Usage): Promise<void> {
    this.#report.rewritten++
    if (this.#options.dryRun) return await this.#drop(segment, sizeBytes, usage.liveBytes)
    const { backend, segments, log } = this.#modules
    const session = new WriteSession()
    let moved = 0
    for await (const { offsetBytes, ...block } of scanSegment(backend, segment, 0)) {
      const now = segments.locate(block.id)
      if (now?.segment === segment && now.offsetBytes === offsetBytes) {
        await segments.move(block, session)
        moved++
      }
      await this.#pause()
    }
    await segments.flush(session)
    if (moved >= usage.liveBlocks) await this.#drop(segment, sizeBytes, usage.liveBytes)
    else log.warn({ segment, damaged: usage.liveBlocks - moved }, 'a segment with damaged blocks was kept')
  }

  /** Nothing in the index stands in this segment any more, and nothing ever will. */
  async #drop(segment: number, sizeBytes: number, movedBytes = 0): Promise<void> {
    this.#report.segments++
    this.#report.freedBytes += sizeBytes - movedBytes
    if (this.#options.dryRun) return
    const { backend, index, segments } = this.#modules
    await segments.change(async tail => {
      const next = { ...tail, totalBytes: Math.max(0, tail.totalBytes - sizeBytes) }
      await index.batch([{ type: 'put', key: TAIL_KEY, value: encodeTail(next) }], { sync: true })
      await backend.remove(segment)
      return next
    })
    this.#report.dropped.push(segment)
  }

  async #pause(): Promise<void> {
    this.#options.signal?.throwIfAborted()
    const { slice } = this.#modules
    if (slice.due()) await slice.pause()
  }
}

const blockKey = (id: BlockId): Uint8Array => makeKey(KeyFamily.Block, id)

/** Why segments are not rewritten now, and no reason to end the collection. */
const NOT_NOW: ReadonlySet<string> = new Set([
  'QUOTA_EXCEEDED',
  'DISK_FULL',
  'BUCKET_BACKLOG_FULL',
  'BUCKET_UNREACHABLE',
  'BUCKET_REFUSED'
])

/** Every content that is kept: it has a row, or the mark of one that is complete. */
async function* keptContents(index: Pick<SegmentModules['index'], 'iterate' | 'get'>): AsyncGenerator<CID> {
  for (const family of [KeyFamily.Held, KeyFamily.Complete])
    for await (const [key] of index.iterate({ prefix: makeKey(family) })) {
      const content = key.subarray(family.length)
      const isSeen =
        family === KeyFamily.Complete && index.get(makeKey(KeyFamily.Held, content)) !== undefined
      if (!isSeen) yield CID.decode(content)
    }
}
