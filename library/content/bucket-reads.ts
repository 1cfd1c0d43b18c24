/**
 * Reads of segments of which some stand only in a bucket: from the local file where there is one, else parts of 1 MiB
 * from the bucket, of which the last few are kept in memory. Blocks of one publish stand one behind another, so the next
 * read is mostly in a part that is here already, or on its way.
 */
import { LruCache, MIB } from '../../base/index.ts'
import type { Bucket, BucketOwner } from './bucket.ts'
import { SEGMENT_BYTES } from './record.ts'
import type { SegmentReads } from './segment-backend.ts'

/** Bytes asked of the bucket at once: what an answer to a peer takes, and few enough requests. */
const PART_BYTES = MIB
/** Parts kept in memory, 16 MiB to a thread. */
const MAX_PARTS = 16
/** Parts on their way while one is used: at 50 ms for a request a reader still gets 60 MB/s. */
const PARTS_AHEAD = 2
const LAST_PART = SEGMENT_BYTES / PART_BYTES - 1

export interface BucketReadsModules {
  local: SegmentReads
  bucket: Bucket
  owner: BucketOwner
  /** Told of the bytes that came from the bucket. */
  onRead?: (bytes: number) => void
}

const partKey = (segment: number, number: number): string => `${segment}:${number}`

/** What a segment is called in a bucket. */
export const objectName = (segment: number): string => `segments/${segment}`

export class BucketReads implements SegmentReads {
  readonly #modules: BucketReadsModules
  readonly #parts = new LruCache<string, Promise<Buffer>>({ maxEntries: MAX_PARTS })

  constructor(modules: BucketReadsModules) {
    this.#modules = modules
  }

  async readInto(segment: number, targets: Uint8Array[], positionBytes: number): Promise<number> {
    try {
      return await this.#modules.local.readInto(segment, targets, positionBytes)
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown
    }
    let at = positionBytes
    for (const target of targets) {
      const filled = await this.#fill(segment, target, at)
      at += filled
      if (filled < target.byteLength) break
    }
    return at - positionBytes
  }

  drop(segment: number): void {
    this.#modules.local.drop(segment)
    for (let number = 0; number * PART_BYTES < SEGMENT_BYTES; number++)
      this.#parts.delete(partKey(segment, number))
  }

  async close(): Promise<void> {
    this.#modules.bucket.close()
    await this.#modules.local.close()
  }

  async #fill(segment: number, target: Uint8Array, positionBytes: number): Promise<number> {
    let filled = 0
    while (filled < target.byteLength) {
      const at = positionBytes + filled
      const number = Math.floor(at / PART_BYTES)
      const part = await this.#part(segment, number)
      const rest = part.subarray(
        at - number * PART_BYTES,
        at - number * PART_BYTES + target.byteLength - filled
      )
      target.set(rest, filled)
      filled += rest.byteLength
      if (part.byteLength < PART_BYTES) break
    }
    return filled
  }

  /** Who reads on from one part to the next is ahead of the bucket: those behind are asked for as well. */
  #part(segment: number, number: number): Promise<Buffer> {
    const isReadOn = this.#parts.get(partKey(segment, number - 1)) !== undefined
    const part = this.#asked(segment, number)
    if (isReadOn)
      for (let ahead = number + 1; ahead <= Math.min(number + PARTS_AHEAD, LAST_PART); ahead++)
        this.#asked(segment, ahead)
    return part
  }

  #asked(segment: number, number: number): Promise<Buffer> {
    const key = partKey(segment, number)
    const known = this.#parts.get(key)
    if (known !== undefined) return known
    const part = this.#ask(segment, number)
    this.#parts.set(key, part)
    // Told to whoever reads it; of one that nobody has wanted yet it is no news.
    part.catch(() => this.#parts.delete(key))
    return part
  }

  async #ask(segment: number, number: number): Promise<Buffer> {
    const { bucket, owner, onRead } = this.#modules
    const bytes = await bucket.get(objectName(segment), number * PART_BYTES, PART_BYTES)
    if (bytes === undefined) {
      await owner.check()
      throw Object.assign(new Error(`segment ${segment} is not in the bucket`), { code: 'ENOENT' })
    }
    onRead?.(bytes.byteLength)
    return bytes
  }
}
