import { expect } from 'vitest'
import { silentLogger } from '../../../base/index.ts'
import { hashBlock } from '../../../library/content/blocks.ts'
import { LocalSegments } from '../../../library/content/local-segments.ts'
import { RECORD_HEAD_BYTES } from '../../../library/content/record.ts'
import type { SegmentBackend } from '../../../library/content/segment-backend.ts'
import type { SegmentModules } from '../../../library/content/segment-modules.ts'
import { SegmentStore } from '../../../library/content/segments.ts'
import { WriteSession } from '../../../library/content/stage.ts'
import type { IncomingBlock } from '../../../library/content/types.ts'
import { DiskReads, FakeDisk, FakeIndex, makeBlock } from './fakes.ts'

export const FOLDER = '/home/segments'
export const SEGMENT_BYTES = 100_000

/** A store on a fake disk and index that can crash and be opened again. */
export class Machine {
  readonly disk = new FakeDisk()
  readonly index = new FakeIndex()
  backend!: SegmentBackend
  store!: SegmentStore

  constructor() {
    this.disk.folders.set('/home', true)
  }

  get modules(): SegmentModules & { index: FakeIndex } {
    return { backend: this.backend, index: this.index, log: silentLogger }
  }

  async open(quotaBytes = 0): Promise<this> {
    this.backend = new LocalSegments({ disk: this.disk, reads: new DiskReads(this.disk, FOLDER) }, FOLDER)
    this.store = await SegmentStore.open(this.modules, { segmentBytes: SEGMENT_BYTES, quotaBytes })
    return this
  }

  /** `kept`: share of the unsynced LevelDB batches that survive. */
  async crash(kept: number): Promise<void> {
    this.disk.crash()
    this.index.crash(kept)
    await this.open()
  }

  /** `db/` is lost. */
  async loseIndex(): Promise<void> {
    await this.index.clear(new Uint8Array())
    expect(this.index.keys()).toEqual([])
  }

  /** Puts and flushes: acknowledged when it resolves. */
  async store_(...blocks: IncomingBlock[]): Promise<WriteSession> {
    const session = new WriteSession()
    for (const block of blocks) await this.store.put(block, session)
    await this.store.flush(session)
    return session
  }

  /** Whether the index names a place and the right bytes stand there. */
  holds(block: IncomingBlock): boolean {
    const location = this.store.locate(block.id)
    if (location === undefined) return false
    const { segment, offsetBytes, lengthBytes } = location
    const start = offsetBytes + RECORD_HEAD_BYTES
    const bytes = this.disk.files.get(`${FOLDER}/${segment}`)?.bytes.subarray(start, start + lengthBytes)
    return bytes !== undefined && Buffer.compare(hashBlock(bytes), block.id) === 0
  }
}

export const blocks = (from: number, count: number, size = 20_000): IncomingBlock[] =>
  Array.from({ length: count }, (_, i) => makeBlock(from + i, size + i))
