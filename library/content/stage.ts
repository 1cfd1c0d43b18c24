/**
 * A stage: blocks collected in memory until they go to a segment in one write. Offsets are relative to the
 * stage, so that where it lands is decided only when it is written, after the stage before it has been
 * committed or has failed.
 */
import { type CatalogError, MIB, toCatalogError } from '../../base/index.ts'
import { idKey } from './blocks.ts'
import { type BlockLocation, checksumOf, RECORD_HEAD_BYTES, writeRecordHead } from './record.ts'
import type { BlockId, IncomingBlock } from './types.ts'

/**
 * One write and one fdatasync per stage: a sync per chunk is 16 times slower, more than this gains nothing.
 */
export const STAGE_BYTES = 8 * MIB

/** A block in a stage, without its bytes. Its offset is that of the record's head, from the beginning of the stage. */
export interface StagedBlock extends Omit<BlockLocation, 'segment'> {
  id: BlockId
  key: string
}

export class Stage {
  readonly buffer: Buffer<ArrayBuffer>
  readonly blocks: StagedBlock[] = []
  usedBytes = 0
  /** Blocks that a collection moves from another segment. */
  moves = 0
  readonly #settle: { resolve: () => void; reject: (reason: unknown) => void }
  /** Resolves when everything in the stage is on disk and indexed; rejects when it was rolled back. */
  readonly committed: Promise<void>

  /** Takes over a buffer of STAGE_BYTES. */
  constructor(buffer: Buffer<ArrayBuffer>) {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    // Those who wait learn of a failure; when nobody waits there is nobody to tell.
    promise.catch(() => {})
    this.buffer = buffer
    this.committed = promise
    this.#settle = { resolve, reject }
  }

  hasRoom(lengthBytes: number): boolean {
    return this.usedBytes + RECORD_HEAD_BYTES + lengthBytes <= STAGE_BYTES
  }

  /** Copies in a block whose bytes match its id; the caller has checked that there is room. */
  add(block: IncomingBlock): void {
    const { id, codec, rawLengthBytes, bytes } = block
    const lengthBytes = bytes.byteLength
    const offsetBytes = this.usedBytes
    writeRecordHead(this.buffer, offsetBytes, { id, codec, rawLengthBytes, lengthBytes })
    // Not `set`: from shared memory that copies word by word.
    Buffer.from(bytes.buffer, bytes.byteOffset, lengthBytes).copy(
      this.buffer,
      offsetBytes + RECORD_HEAD_BYTES
    )
    this.usedBytes += RECORD_HEAD_BYTES + lengthBytes
    this.blocks.push({
      id: Uint8Array.from(id),
      key: idKey(id),
      codec,
      rawLengthBytes,
      lengthBytes,
      offsetBytes,
      checksum: checksumOf(block)
    })
  }

  succeed(): void {
    this.#settle.resolve()
  }

  fail(reason: unknown): void {
    this.#settle.reject(reason)
  }
}

/**
 * The blocks one job has put and not yet flushed: new ones, and ones another job put first that are not on
 * disk either. Bytes are counted when they are new to the store.
 */
export class WriteSession {
  /** Stages not yet committed. */
  readonly stages = new Set<Stage>()
  newBytes = 0
  /** Why an earlier stage was rolled back; told by the next flush. */
  failure: CatalogError | undefined

  dependOn(stage: Stage): void {
    if (this.stages.has(stage)) return
    this.stages.add(stage)
    stage.committed.then(
      () => this.stages.delete(stage),
      thrown => {
        this.stages.delete(stage)
        this.failure = toCatalogError(thrown)
      }
    )
  }
}
