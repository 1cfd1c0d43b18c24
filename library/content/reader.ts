/**
 * Verified reads of blocks, on either thread. Every block is hashed before it is returned; many that are passed on as they
 * stand at rest are hashed as they stand, where the index has that hash. What does not match is never given out, counts as
 * missing from then on, and is reported so that the worker takes it out of the index and a fetch can put it anew.
 */
import { CatalogError, type Logger, toCatalogError } from '../../base/index.ts'
import { KeyFamily, makeKey } from '../database/keys.ts'
import { hashBlock, idHex, idKey, rawBytesOf, sameId } from './blocks.ts'
import { type BlockLocation, checksumAtRest, decodeLocation, RECORD_HEAD_BYTES } from './record.ts'
import { type ReadSlot, readScattered } from './scattered-read.ts'
import type { SegmentReads } from './segment-backend.ts'
import { Turns } from './turns.ts'
import type { BlockId, StoredBlock } from './types.ts'

/** Whatever gives verified blocks: the store, or a peer seen through a client. */
export interface BlockSource {
  has(id: BlockId): boolean
  /** Verified raw bytes. CONTENT_MISSING or CONTENT_CORRUPT. */
  read(id: BlockId, signal?: AbortSignal): Promise<Uint8Array>
}

export interface BlockReaderModules {
  index: { get(key: Uint8Array): Uint8Array | undefined }
  files: SegmentReads
  log: Logger
  /** Told of each block whose bytes are wrong, once per place. */
  onCorrupt: (id: BlockId, location: BlockLocation) => void
  /** Told of the bytes of each verified read. */
  onRead?: (bytes: number) => void
}

/**
 * Corrupt places remembered until the worker has taken them out of the index; it is mere milliseconds behind.
 */
const MAX_QUARANTINED = 10_000

export class BlockReader implements BlockSource {
  readonly #modules: BlockReaderModules
  /** Block -> the place where its bytes are wrong. A new copy stands elsewhere and is no longer meant. */
  readonly #quarantine = new Map<string, string>()

  constructor(modules: BlockReaderModules) {
    this.#modules = modules
  }

  has(id: BlockId): boolean {
    return this.locate(id) !== undefined
  }

  /** Where a good copy stands, as far as is known. */
  locate(id: BlockId): BlockLocation | undefined {
    const value = this.#modules.index.get(makeKey(KeyFamily.Block, id))
    if (value === undefined) return undefined
    const location = decodeLocation(value)
    return this.#isQuarantined(id, location) ? undefined : location
  }

  /** Raw bytes of a block in a buffer of its own. */
  async read(id: BlockId, signal?: AbortSignal): Promise<Uint8Array> {
    return (await this.#readVerified(id, signal)).raw
  }

  /** A block as it stands at rest, verified. */
  async readStored(id: BlockId, signal?: AbortSignal): Promise<StoredBlock> {
    return (await this.#readVerified(id, signal)).stored
  }

  /**
   * Many blocks as they stand at rest, verified, one behind another in memory of the caller, who is asked for it once
   * all sizes are known.
   */
  async readStoredMany(
    ids: readonly BlockId[],
    memoryOf: (sizeBytes: number) => Uint8Array,
    signal?: AbortSignal
  ): Promise<StoredBlock[]> {
    signal?.throwIfAborted()
    const places = ids.map(id => this.#find(id))
    const memory = memoryOf(places.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0))
    let end = 0
    const slots = places.map(location => {
      const start = end
      end += location.lengthBytes
      return { location, target: memory.subarray(start, end) }
    })
    const lost = await readScattered(this, slots)
    signal?.throwIfAborted()
    const blocks: StoredBlock[] = []
    const turns = new Turns()
    for (const [i, slot] of slots.entries()) {
      if (turns.isOver) await turns.pass()
      const { codec, rawLengthBytes } = slot.location
      const block = { codec, rawLengthBytes, bytes: slot.target }
      if (lost.has(slot) || !this.#isRight(slot, ids[i]!)) await this.#readAgain(ids[i]!, block, signal)
      blocks.push(block)
    }
    return blocks
  }

  /** Reads one after another without giving the bytes; false when they are wrong or gone. */
  async check(id: BlockId): Promise<'good' | 'corrupt' | 'missing'> {
    try {
      await this.#readVerified(id)
      return 'good'
    } catch (thrown) {
      const { code } = toCatalogError(thrown)
      if (code === 'CONTENT_CORRUPT') return 'corrupt'
      if (code === 'CONTENT_MISSING') return 'missing'
      throw thrown
    }
  }

  /**
   * Many blocks that stand one after another in a segment, in one read; true when all bytes came. Not
   * verified.
   */
  async readRun(segment: number, targets: Uint8Array[], offsetBytes: number): Promise<boolean> {
    const wanted = targets.reduce((sum, target) => sum + target.byteLength, 0)
    try {
      return (await this.#modules.files.readInto(segment, targets, offsetBytes)) === wanted
    } catch (thrown) {
      if (isLost(thrown as NodeJS.ErrnoException)) return false
      throw toCatalogError(thrown)
    }
  }

  /** Counts bytes that were read by `readRun` and then verified by the caller. */
  countRead(bytes: number): void {
    this.#modules.onRead?.(bytes)
  }

  /** A second look found that the bytes at this place are right: the block is there again. */
  trust(id: BlockId, location: BlockLocation): void {
    if (this.#quarantine.get(idKey(id)) === placeOf(location)) this.#quarantine.delete(idKey(id))
  }

  #find(id: BlockId): BlockLocation {
    const location = this.locate(id)
    if (location === undefined) throw missing(id)
    return location
  }

  /** By the checksum where the index has one: decoding and hashing was most of what a source did. */
  #isRight({ location, target }: ReadSlot, id: BlockId): boolean {
    const { checksum, codec, rawLengthBytes } = location
    const isRight =
      checksum === undefined
        ? isBlock({ codec, rawLengthBytes, bytes: target }, id)
        : Buffer.compare(checksumAtRest(target), checksum) === 0
    if (isRight) this.#modules.onRead?.(rawLengthBytes)
    return isRight
  }

  /** The single read says what is wrong, reports it, and finds a block that has moved meanwhile. */
  async #readAgain(id: BlockId, block: StoredBlock, signal?: AbortSignal): Promise<void> {
    const { codec, bytes } = (await this.#readVerified(id, signal)).stored
    if (codec !== block.codec || bytes.byteLength !== block.bytes.byteLength) throw missing(id)
    block.bytes.set(bytes)
  }

  async #readVerified(id: BlockId, signal?: AbortSignal): Promise<{ raw: Uint8Array; stored: StoredBlock }> {
    let location = this.#find(id)
    for (;;) {
      signal?.throwIfAborted()
      const { codec, rawLengthBytes } = location
      const bytes = Buffer.allocUnsafe(location.lengthBytes)
      const whole = await this.readRun(location.segment, [bytes], location.offsetBytes + RECORD_HEAD_BYTES)
      const stored = { codec, rawLengthBytes, bytes }
      const raw = whole ? rawBytesOf(stored) : undefined
      if (raw !== undefined && sameId(hashBlock(raw), id)) {
        this.#modules.onRead?.(raw.byteLength)
        return { raw, stored }
      }
      // A collection may have moved it and dropped the segment. Each such round is one collection, so this ends.
      const now = this.#find(id)
      if (placeOf(now) === placeOf(location)) throw this.#corrupt(id, location)
      location = now
    }
  }

  #corrupt(id: BlockId, location: BlockLocation): CatalogError {
    const { files, onCorrupt, log } = this.#modules
    if (!this.#isQuarantined(id, location)) {
      if (this.#quarantine.size >= MAX_QUARANTINED) {
        const [oldest] = this.#quarantine.keys()
        if (oldest !== undefined) this.#quarantine.delete(oldest)
      }
      this.#quarantine.set(idKey(id), placeOf(location))
      log.error({ block: idHex(id), ...location }, 'stored bytes do not match their hash')
      // What is open or remembered of the segment may be what is wrong.
      files.drop(location.segment)
      onCorrupt(id, location)
    }
    return new CatalogError('CONTENT_CORRUPT', `block ${idHex(id)} does not match its hash on disk`, {
      details: { id: idHex(id) }
    })
  }

  #isQuarantined(id: BlockId, location: BlockLocation): boolean {
    if (this.#quarantine.size === 0) return false
    const key = idKey(id)
    const place = this.#quarantine.get(key)
    if (place === undefined) return false
    if (place === placeOf(location)) return true
    this.#quarantine.delete(key)
    return false
  }
}

/** Whether bytes at rest are the block of that id. */
function isBlock(block: StoredBlock, id: BlockId): boolean {
  const raw = rawBytesOf(block)
  return raw !== undefined && sameId(hashBlock(raw), id)
}

/** The file is gone, or the disk cannot read this place: as bad as wrong bytes, and no reason to give up the others. */
const isLost = ({ code, syscall }: NodeJS.ErrnoException): boolean =>
  code === 'ENOENT' || (code === 'EIO' && syscall !== 'open')

function missing(id: BlockId): CatalogError {
  return new CatalogError('CONTENT_MISSING', `block ${idHex(id)} is not here`, { details: { id: idHex(id) } })
}

const placeOf = (location: BlockLocation): string => `${location.segment}:${location.offsetBytes}`
