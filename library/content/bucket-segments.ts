/**
 * Segments of which the sealed ones stand in a bucket. All writing is local, and so is everything that must be certain: the
 * open segment, the index, and the rows that say which segments the bucket has. A sealed segment is sent by `step`, which
 * the main thread calls as long as there is something to do; what is to be sent is whatever is sealed, here, and not
 * acknowledged, so a crash forgets none. The local copy goes only after the acknowledgement is on disk, and then only
 * when the copies together are larger than they may be: the rest is a cache.
 *
 * A collection waits for no bucket either: what it drops is marked, and deleted by `step`.
 */
import { CatalogError, displaySize, type Logger } from '../../base/index.ts'
import type { Bucket, BucketOwner, BucketSettings } from './bucket.ts'
import { BucketReads, objectName } from './bucket-reads.ts'
import { BucketRows, BucketState } from './bucket-rows.ts'
import { type SegmentSource, sendSegment } from './bucket-send.ts'
import type { LocalSegments } from './local-segments.ts'
import type { SegmentBackend } from './segment-backend.ts'
import { type BlockIndex, TAIL_KEY } from './segment-modules.ts'
import type { BucketStep } from './types.ts'

export interface BucketSegmentsModules {
  local: LocalSegments
  bucket: Bucket
  owner: BucketOwner
  index: BlockIndex
  log: Logger
}

export interface BucketSegmentsOptions {
  /** Bytes that the bucket has not acknowledged at most: what would exceed them is refused. */
  backlogBytes: number
  /** Bytes of local copies of what it has acknowledged. */
  cacheBytes: number
}

/** All that both threads need to know. */
export interface BucketStoreSettings extends BucketSettings, BucketSegmentsOptions {
  /** Of the store, kept beside its segments (store-id.ts). */
  storeId: string
}

export class BucketSegments implements SegmentBackend {
  readonly #modules: BucketSegmentsModules
  readonly #options: BucketSegmentsOptions
  readonly #reads: BucketReads
  readonly #rows: BucketRows
  /** Local segments that the bucket has not acknowledged, with their sizes; the open one is one of them. */
  readonly #unsent = new Map<number, number>()
  /** Local copies of segments that it has. */
  readonly #copies = new Map<number, number>()

  constructor(modules: BucketSegmentsModules, options: BucketSegmentsOptions) {
    this.#modules = modules
    this.#options = options
    this.#reads = new BucketReads(modules)
    this.#rows = new BucketRows(modules.index)
  }

  async prepare(): Promise<void> {
    const { local, index } = this.#modules
    await local.prepare()
    await this.#rows.load()
    // Without a tail the index is made anew, or this home is: what the bucket has is asked of the bucket.
    if (index.get(TAIL_KEY) === undefined) await this.#adopt()
    for (const segment of await local.list()) {
      const sizeBytes = (await local.sizeOf(segment)) ?? 0
      if (this.#rows.sentBytes(segment) === undefined) this.#unsent.set(segment, sizeBytes)
      else this.#copies.set(segment, sizeBytes)
    }
  }

  async list(): Promise<number[]> {
    const all = new Set([...this.#unsent.keys(), ...this.#rows.in(BucketState.Sent)])
    return [...all].sort((a, b) => a - b)
  }

  async sizeOf(segment: number): Promise<number | undefined> {
    return (await this.#modules.local.sizeOf(segment)) ?? this.#rows.sentBytes(segment)
  }

  readInto(segment: number, targets: Uint8Array[], positionBytes: number): Promise<number> {
    return this.#reads.readInto(segment, targets, positionBytes)
  }

  async append(segment: number, positionBytes: number, bytes: Uint8Array): Promise<void> {
    this.#unsent.set(segment, positionBytes + bytes.byteLength)
    await this.#modules.local.append(segment, positionBytes, bytes)
  }

  async sync(segment: number): Promise<void> {
    if (!this.isSealed(segment)) await this.#modules.local.sync(segment)
  }

  async cut(segment: number, sizeBytes: number): Promise<void> {
    if (this.isSealed(segment)) return
    await this.#modules.local.cut(segment, sizeBytes)
    this.#unsent.set(segment, sizeBytes)
  }

  seal(segment: number): void {
    this.#modules.local.seal(segment)
  }

  isSealed(segment: number): boolean {
    return this.#rows.sentBytes(segment) !== undefined || this.#modules.local.isSealed(segment)
  }

  async remove(segment: number): Promise<void> {
    if (this.#rows.state(segment) !== undefined) await this.#rows.set(segment, BucketState.Doomed)
    await this.#modules.local.remove(segment)
    this.#unsent.delete(segment)
    this.#copies.delete(segment)
    this.drop(segment)
  }

  async checkRoom(sizeBytes: number): Promise<void> {
    await this.#modules.local.checkRoom(sizeBytes)
    const { backlogBytes } = this.#options
    const waitingBytes = sum(this.#unsent.values())
    if (waitingBytes + sizeBytes <= backlogBytes) return
    throw new CatalogError(
      'BUCKET_BACKLOG_FULL',
      `${displaySize(waitingBytes)} wait for the bucket, of at most ${displaySize(backlogBytes)}`,
      { details: { bytes: waitingBytes, backlogBytes } }
    )
  }

  drop(segment: number): void {
    this.#reads.drop(segment)
  }

  async close(): Promise<void> {
    await this.#reads.close()
  }

  /**
   * Does one thing that is due: deletes an object, sends a segment, or gives up the oldest local copy. Fails with
   * BUCKET_* when the bucket does; whoever calls tries again later.
   */
  async step(signal: AbortSignal): Promise<BucketStep> {
    const step = { sentBytes: 0, isMore: true, freed: [] as number[] }
    const doomed = this.#rows.in(BucketState.Doomed)[0]
    const next = [...this.#unsent.keys()].sort((a, b) => a - b).find(segment => this.isSealed(segment))
    const copy = [...this.#copies.keys()].sort((a, b) => a - b)[0]
    if (doomed !== undefined) await this.#delete(doomed, signal)
    else if (next !== undefined) step.sentBytes = await this.#send(next, signal)
    else if (copy !== undefined && sum(this.#copies.values()) > this.#options.cacheBytes) {
      this.#copies.delete(copy)
      await this.#modules.local.remove(copy)
      step.freed.push(copy)
    } else step.isMore = false
    return { ...step, ...this.#totals() }
  }

  #totals(): Pick<BucketStep, 'backlogBytes' | 'backlogSegments' | 'cachedBytes'> {
    const waiting = [...this.#unsent].filter(([segment]) => this.isSealed(segment))
    return {
      backlogBytes: sum(waiting.map(([, sizeBytes]) => sizeBytes)),
      backlogSegments: waiting.length,
      cachedBytes: sum(this.#copies.values())
    }
  }

  async #delete(segment: number, signal: AbortSignal): Promise<void> {
    await this.#modules.owner.claim(signal)
    await this.#modules.bucket.remove(objectName(segment), signal)
    await this.#rows.delete(segment)
  }

  async #send(segment: number, signal: AbortSignal): Promise<number> {
    const { bucket, owner, local, log } = this.#modules
    await owner.claim(signal)
    const sizeBytes = this.#unsent.get(segment)
    // A collection dropped it meanwhile.
    if (sizeBytes === undefined) return 0
    // After a crash in the middle of sending a bucket that is not atomic may hold a part of it.
    const mayReplace = this.#rows.state(segment) === BucketState.Sending
    await this.#rows.set(segment, BucketState.Sending, sizeBytes)
    const source: SegmentSource = { segment, sizeBytes, mayReplace, reads: local }
    try {
      await sendSegment(bucket, objectName(segment), source, signal)
    } catch (thrown) {
      if (!this.#isDropped(segment)) throw thrown
    }
    if (this.#isDropped(segment)) return 0
    await this.#rows.set(segment, BucketState.Sent)
    this.#unsent.delete(segment)
    this.#copies.set(segment, sizeBytes)
    log.debug({ segment, sizeBytes }, 'a segment was sent to the bucket')
    return sizeBytes
  }

  /** A collection may drop what is being sent: its row says so, and its file is gone while it is read. */
  #isDropped(segment: number): boolean {
    return this.#rows.state(segment) !== BucketState.Sending || !this.#unsent.has(segment)
  }

  async #adopt(): Promise<void> {
    const { bucket, owner, log } = this.#modules
    await owner.claim()
    let segments = 0
    for await (const { name, sizeBytes } of bucket.list()) {
      const number = /^segments\/(0|[1-9][0-9]{0,9})$/.exec(name)?.[1]
      if (number === undefined) continue
      await this.#rows.set(Number(number), BucketState.Sent, sizeBytes)
      segments++
    }
    if (segments > 0) log.warn({ segments }, 'the index is made anew from the segments in the bucket')
  }
}

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((total, number) => total + number, 0)
