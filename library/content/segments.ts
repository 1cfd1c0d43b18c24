/**
 * The writer of the content store: appends blocks to segments and indexes them. There is one, in the worker
 * thread.
 *
 * Blocks are collected in a stage; a stage goes to disk as one write, then fdatasync, then one LevelDB batch
 * with the index entries and the new tail `T`. In that order, so that an indexed block is always on disk.
 * While one stage is written the next fills. Whoever needs durability calls `flush`: it waits for the stages
 * its blocks are in, and all who wait at the same time share one sync (group commit).
 *
 * The batch itself is not synced: after a power cut LevelDB may be behind the segments, and recovery
 * (recovery.ts) reads on from `T`. So a flush costs one sync, not two. What is synced for it is the folder
 * when a segment is created: a file whose name is lost is lost with all its bytes.
 *
 * When the disk is full, or the store would grow over its quota, the stage is rolled back, those who wait for it
 * get DISK_FULL or QUOTA_EXCEEDED, and the store stays usable.
 */
import { CatalogError, displaySize, toCatalogError } from '../../base/index.ts'
import { KeyFamily, makeKey } from '../database/keys.ts'
import type { WriteOperation } from '../database/types.ts'
import { Barrier } from './barrier.ts'
import { idHex, idKey } from './blocks.ts'
import {
  type BlockLocation,
  decodeLocation,
  encodeLocation,
  encodeTail,
  SEGMENT_BYTES,
  type Tail
} from './record.ts'
import { recoverSegments } from './recovery.ts'
import { DAMAGE_KEY, type SegmentModules, TAIL_KEY } from './segment-modules.ts'
import { STAGE_BYTES, Stage, type StagedBlock, WriteSession } from './stage.ts'
import type { BlockId, IncomingBlock } from './types.ts'

export interface SegmentOptions {
  /** A segment ends before a stage that would make it longer. SEGMENT_BYTES, less under a small quota. */
  segmentBytes?: number
  /** Bytes of all segments at most; 0 (the default) = no limit but the disk. */
  quotaBytes?: number
}

/** Shares of a quota that only a collection may fill: what it moves is written before its old place is freed. */
const HEADROOM_SHARES = 8

/** What a collection may fill alone: one segment. */
function headroomBytes(quotaBytes: number): number {
  return Math.min(SEGMENT_BYTES, Math.ceil(quotaBytes / HEADROOM_SHARES))
}

/** What ingests and fetches may fill of a quota: all but one segment. */
export function usableBytes(quotaBytes: number): number {
  return quotaBytes - headroomBytes(quotaBytes)
}

/** Under a small quota segments are smaller, so that one can always be rewritten in the head-room. */
function segmentBytesUnder(quotaBytes: number): number {
  return quotaBytes === 0 ? SEGMENT_BYTES : Math.max(STAGE_BYTES, headroomBytes(quotaBytes))
}

export class SegmentStore {
  /** Keeps collection and writers out of each other's way. */
  readonly barrier = new Barrier()
  readonly #modules: SegmentModules
  readonly #segmentBytes: number
  readonly #quotaBytes: number
  /** Blocks put and not yet committed. */
  readonly #pending = new Map<string, Stage>()
  #tail: Tail
  /** The segment that was written last, whether or not that came to a good end. */
  #appended: number | undefined
  #filling = new Stage(Buffer.allocUnsafeSlow(STAGE_BYTES))
  #spare: Buffer<ArrayBuffer> | undefined = Buffer.allocUnsafeSlow(STAGE_BYTES)
  #commitWanted = false
  #losses = 0
  /** What changes the tail or the index, one at a time. */
  #busy: Promise<void> | undefined

  private constructor(modules: SegmentModules, options: Required<SegmentOptions>, tail: Tail) {
    this.#modules = modules
    this.#segmentBytes = options.segmentBytes
    this.#quotaBytes = options.quotaBytes
    this.#tail = tail
  }

  /** Opens the store, after recovering what a crash left behind the tail. */
  static async open(modules: SegmentModules, options: SegmentOptions): Promise<SegmentStore> {
    const { backend } = modules
    await backend.prepare()
    const tail = await unsealed(modules, await recoverSegments(modules))
    backend.seal(tail.segment - 1)
    const { quotaBytes = 0, segmentBytes = segmentBytesUnder(quotaBytes) } = options
    return new SegmentStore(modules, { segmentBytes, quotaBytes }, tail)
  }

  get tail(): Tail {
    return this.#tail
  }

  /** Blocks taken out of the index since the store was opened. */
  get losses(): number {
    return this.#losses
  }

  /** Where a committed block stands. */
  locate(id: BlockId): BlockLocation | undefined {
    const value = this.#modules.index.get(makeKey(KeyFamily.Block, id))
    return value === undefined ? undefined : decodeLocation(value)
  }

  /** Whether a block is there or on its way; the session then waits for it in its flush. */
  holds(id: BlockId, session: WriteSession): boolean {
    const isStaying = this.barrier.touch(id)
    const staged = this.#pending.get(idKey(id))
    if (staged === undefined) return isStaying && this.locate(id) !== undefined
    session.dependOn(staged)
    return true
  }

  /**
   * Puts a block whose bytes match its id. Nothing is written when it is there already or on its way. Returns
   * a promise only when the caller must wait for room before it puts the next: call it one at a time per
   * session.
   */
  put(block: IncomingBlock, session: WriteSession): Promise<void> | undefined {
    if (this.holds(block.id, session)) return undefined
    return this.#stage(block, session, false)
  }

  /** Writes a block again that is here already, at the end; its place in the index changes with that. */
  move(block: IncomingBlock, session: WriteSession): Promise<void> | undefined {
    const staged = this.#pending.get(idKey(block.id))
    if (staged === undefined) return this.#stage(block, session, true)
    session.dependOn(staged)
    return undefined
  }

  /** Runs `change` alone, between two commits, and takes over the tail it returns. */
  change(change: (tail: Tail) => Promise<Tail>): Promise<void> {
    return this.#exclusive(async () => {
      const before = this.#tail
      const tail = await change(before)
      if (tail.blocks < before.blocks) this.#losses++
      this.#moveTo(tail)
    })
  }

  /** Runs `task` at a time when no block is being taken out of the index. */
  withoutLosses(task: () => Promise<void>): Promise<void> {
    return this.#exclusive(task)
  }

  /** Commits whatever is staged now. */
  async settle(): Promise<void> {
    const session = new WriteSession()
    for (const stage of this.#pending.values()) session.dependOn(stage)
    await this.flush(session).catch(() => {}) // those whose blocks they are learn of it
  }

  #stage(block: IncomingBlock, session: WriteSession, isMove: boolean): Promise<void> | undefined {
    if (!this.#filling.hasRoom(block.bytes.byteLength)) {
      this.#commitWanted = true
      this.#pump()
      if (!this.#filling.hasRoom(block.bytes.byteLength)) return this.#stageLater(block, session, isMove)
    }
    this.#filling.add(block)
    if (isMove) this.#filling.moves++
    else session.newBytes += block.rawLengthBytes
    this.#pending.set(idKey(block.id), this.#filling)
    session.dependOn(this.#filling)
    return undefined
  }

  /**
   * Everything the session put is on disk and indexed when this resolves. DISK_FULL or DISK_IO when some of
   * it is not.
   */
  async flush(session: WriteSession): Promise<void> {
    if (session.stages.has(this.#filling)) {
      this.#commitWanted = true
      this.#pump()
    }
    const settled = await Promise.allSettled([...session.stages].map(stage => stage.committed))
    // Of two who wait for one stage both must learn that it failed; an earlier failure is told once.
    const failure = settled.find(stage => stage.status === 'rejected')?.reason ?? session.failure
    session.failure = undefined
    if (failure !== undefined) throw failure
  }

  /**
   * Takes a block out of the index whose stored bytes are wrong, if it still stands there, so that it can be
   * put anew.
   */
  forget(id: BlockId, location: BlockLocation): Promise<void> {
    return this.#exclusive(async () => {
      const now = this.locate(id)
      if (now === undefined || now.segment !== location.segment || now.offsetBytes !== location.offsetBytes)
        return
      this.#losses++
      const tail = { ...this.#tail, blocks: this.#tail.blocks - 1 }
      await this.#modules.index.batch(
        [
          { type: 'del', key: makeKey(KeyFamily.Block, id) },
          { type: 'put', key: TAIL_KEY, value: encodeTail(tail) },
          { type: 'put', key: DAMAGE_KEY, value: new Uint8Array() }
        ],
        { sync: false }
      )
      this.#tail = tail
      this.#modules.log.warn({ block: idHex(id), ...location }, 'a corrupt block was taken out of the index')
    })
  }

  /** Commits what is staged and closes the segment. */
  async close(): Promise<void> {
    while (this.#filling.usedBytes > 0 || this.#busy !== undefined) {
      this.#commitWanted = true
      this.#pump()
      await this.#busy
    }
    await this.#modules.backend.close()
  }

  async #stageLater(block: IncomingBlock, session: WriteSession, isMove: boolean): Promise<void> {
    await this.#busy
    // Another may have put it meanwhile.
    const staged = this.#pending.get(idKey(block.id))
    if (staged !== undefined) session.dependOn(staged)
    else await this.#stage(block, session, isMove)
  }

  /** Starts the next commit when one is wanted and nothing else runs. */
  #pump(): void {
    if (this.#busy !== undefined || !this.#commitWanted || this.#spare === undefined) return
    this.#commitWanted = false
    const stage = this.#filling
    if (stage.usedBytes === 0) return
    this.#filling = new Stage(this.#spare)
    this.#spare = undefined
    void this.#exclusive(async () => {
      await this.#commit(stage)
      this.#spare = stage.buffer
    })
  }

  /** Runs `task` alone; never rejects into `#busy`, which only tells when it is over. */
  async #exclusive(task: () => Promise<void>): Promise<void> {
    while (this.#busy !== undefined) await this.#busy
    const run = task()
    this.#busy = run
      .catch(() => {})
      .then(() => {
        this.#busy = undefined
        this.#pump()
      })
    await run
  }

  async #commit(stage: Stage): Promise<void> {
    try {
      const tail = await this.#write(stage)
      await this.#modules.index.batch(this.#operations(stage, tail), { sync: false })
      this.#moveTo(tail)
      this.#settle(stage)
      stage.succeed()
      this.#modules.onCommitted?.()
    } catch (thrown) {
      const error = toCatalogError(thrown)
      await this.#rollBack()
      this.#settle(stage)
      this.#modules.log.error({ err: error, sizeBytes: stage.usedBytes }, 'a stage was rolled back')
      stage.fail(error)
    }
  }

  /** A tail that was committed. Only now its earlier segments are sealed: a stage that fails may leave the tail in one. */
  #moveTo(tail: Tail): void {
    if (tail.segment > this.#tail.segment) this.#modules.backend.seal(tail.segment - 1)
    this.#tail = tail
  }

  #settle(stage: Stage): void {
    for (const { key } of stage.blocks) this.#pending.delete(key)
  }

  /** Writes and syncs a stage; returns the tail after it. */
  async #write(stage: Stage): Promise<Tail> {
    const { backend } = this.#modules
    const tail = this.#tail
    await backend.checkRoom(stage.usedBytes)
    const mostBytes = this.#mostBytes(stage)
    if (tail.totalBytes + stage.usedBytes > mostBytes)
      throw new CatalogError(
        'QUOTA_EXCEEDED',
        `the store holds ${displaySize(tail.totalBytes)} and may fill ${displaySize(mostBytes)} of its quota of ${displaySize(this.#quotaBytes)}`,
        { details: { bytes: tail.totalBytes, usableBytes: mostBytes, quotaBytes: this.#quotaBytes } }
      )
    const fits = tail.offsetBytes + stage.usedBytes <= this.#segmentBytes
    const segment = fits ? tail.segment : tail.segment + 1
    const start = fits ? tail.offsetBytes : 0
    this.#appended = segment
    await backend.append(segment, start, stage.buffer.subarray(0, stage.usedBytes))
    return {
      segment,
      offsetBytes: start + stage.usedBytes,
      blocks: tail.blocks + this.#newBlocks(stage),
      totalBytes: tail.totalBytes + stage.usedBytes
    }
  }

  /**
   * How far a stage may fill the store. What a collection moves alone may pass the quota, by what is live in the one segment
   * that goes right after: else a store that is over its quota, because that was lowered, could never shrink.
   */
  #mostBytes({ moves, blocks }: Stage): number {
    if (this.#quotaBytes === 0 || moves === blocks.length) return Number.POSITIVE_INFINITY
    return moves > 0 ? this.#quotaBytes : usableBytes(this.#quotaBytes)
  }

  /** Blocks of a stage that are not in the index: all, unless some are moved. */
  #newBlocks(stage: Stage): number {
    if (stage.moves === 0) return stage.blocks.length
    return stage.blocks.filter(({ id }) => this.locate(id) === undefined).length
  }

  #operations(stage: Stage, tail: Tail): WriteOperation[] {
    const start = tail.offsetBytes - stage.usedBytes
    const put = (block: StagedBlock): WriteOperation => ({
      type: 'put',
      key: makeKey(KeyFamily.Block, block.id),
      value: encodeLocation({ ...block, segment: tail.segment, offsetBytes: start + block.offsetBytes })
    })
    return [...stage.blocks.map(put), { type: 'put', key: TAIL_KEY, value: encodeTail(tail) }]
  }

  /**
   * Cuts off what a failed stage left after the tail, to give its room back. When that fails too nothing is
   * lost: the next stage overwrites it, and recovery checks every record after the tail.
   */
  async #rollBack(): Promise<void> {
    const { segment, offsetBytes } = this.#tail
    const appended = this.#appended
    if (appended === undefined) return
    try {
      await this.#modules.backend.cut(appended, appended === segment ? offsetBytes : 0)
    } catch (thrown) {
      this.#modules.log.warn({ err: thrown, segment: appended }, 'a failed write could not be cut off')
    }
  }
}

/** A tail in a segment that can grow: the next one where recovery ended in one that is sealed. */
async function unsealed({ backend, index }: SegmentModules, tail: Tail): Promise<Tail> {
  if (!backend.isSealed(tail.segment)) return tail
  const next = { ...tail, segment: tail.segment + 1, offsetBytes: 0 }
  await index.batch([{ type: 'put', key: TAIL_KEY, value: encodeTail(next) }], { sync: true })
  return next
}
