/** The contents of a bundle on their way into the store. */
import type { CID } from 'multiformats/cid'
import { CatalogError, KIB, MIB, toCatalogError } from '../../base/index.ts'
import {
  BlockCodec,
  type ContentSummary,
  type IncomingBlock,
  MAX_BLOCK_BYTES,
  type Receive,
  type ReleaseRecord
} from '../../library/index.ts'
import type { BundlePart } from '../../sync/index.ts'
import { releaseName } from './release-shapes.ts'
import type { Room } from './rooms.ts'

/** Bytes and blocks that go to the worker at once. */
const BATCH_BYTES = MIB
const BATCH_BLOCKS = 1024
/** Of one entry of a manifest: a path, and what is said of the file. */
const MAX_ENTRY_BYTES = 8 * KIB
/** Of any content: links and empty folders are no files, and trees have inner nodes. */
const ALLOWANCE_BYTES = 64 * MIB

/** What a record says of its content: no more of it is kept, as a file may have a great many. */
export interface Expected {
  readonly what: string
  readonly summary: ContentSummary
  readonly release: { readonly name: string; readonly version: string; readonly id: string }
}

export function expectedOf(record: ReleaseRecord): Expected {
  const { name, version, sizeBytes, files } = record.release
  return {
    what: releaseName(record),
    summary: { sizeBytes, files },
    release: { name, version, id: record.id.toString() }
  }
}

/** One content on its way into the store. */
export class Arriving {
  readonly expected: Expected
  readonly #content: CID
  readonly #receive: Receive
  readonly #room: Room
  readonly #signal: AbortSignal
  #batch: IncomingBlock[] = []
  #batchBytes = 0
  #sentBytes = 0
  #rawBytes = 0

  constructor(receive: Receive, content: CID, expected: Expected, room: Room, signal: AbortSignal) {
    this.#receive = receive
    this.#room = room
    this.#content = content
    this.expected = expected
    this.#signal = signal
  }

  /** BUNDLE_INVALID when a block is not what its id says; it may be told with a later one, or at the end. */
  async add(block: IncomingBlock): Promise<void> {
    this.#rawBytes += block.rawLengthBytes
    const { what, summary } = this.expected
    if (this.#rawBytes > mostBytes(summary))
      throw new CatalogError('BUNDLE_INVALID', `the file has more blocks for ${what} than its record allows`)
    this.#batch.push(block)
    this.#batchBytes += block.bytes.byteLength
    if (this.#batchBytes >= BATCH_BYTES || this.#batch.length >= BATCH_BLOCKS) await this.#send()
  }

  /** BUNDLE_INVALID when a block did not come. */
  async complete(): Promise<void> {
    await this.#send()
    try {
      await this.#receive.markComplete(this.#content, this.expected.summary, { signal: this.#signal })
    } catch (cause) {
      if (toCatalogError(cause).code !== 'CONTENT_MISSING') throw cause
      throw new CatalogError('BUNDLE_INVALID', `the file lacks blocks of ${this.expected.what}`, { cause })
    }
  }

  async end(): Promise<void> {
    try {
      await this.#receive.end()
    } finally {
      this.#room.end()
    }
  }

  async #send(): Promise<void> {
    const blocks = this.#batch
    this.#sentBytes += this.#batchBytes
    this.#batch = []
    this.#batchBytes = 0
    if (blocks.length > 0) await this.#write(blocks)
    this.#room.filled(this.#sentBytes)
  }

  /** No peer is to blame, and no other source is tried: it is the file that is wrong. */
  async #write(blocks: IncomingBlock[]): Promise<void> {
    try {
      await this.#receive.writeBlocks(blocks, this.#signal)
    } catch (cause) {
      const { code, message } = toCatalogError(cause)
      if (code !== 'BYTES_WRONG') throw cause
      throw new CatalogError(
        'BUNDLE_INVALID',
        `the file has a wrong block of ${this.expected.what}: ${message}`,
        {
          cause
        }
      )
    }
  }
}

/** What the blocks of a content can come to: its files, the trees over them, and an entry of a manifest for each. */
const mostBytes = ({ sizeBytes, files }: ContentSummary): number =>
  2 * sizeBytes + files * MAX_ENTRY_BYTES + ALLOWANCE_BYTES

const CODECS: ReadonlySet<number> = new Set(Object.values(BlockCodec))

export function blockOf({
  id,
  codec,
  rawLengthBytes,
  bytes
}: Extract<BundlePart, { kind: 'block' }>): IncomingBlock {
  if (!CODECS.has(codec))
    throw new CatalogError(
      'UNSUPPORTED',
      `the bundle has a block in the codec ${codec}, which this version does not read`
    )
  if (rawLengthBytes > MAX_BLOCK_BYTES)
    throw new CatalogError('BUNDLE_INVALID', `the file has a block of ${rawLengthBytes} bytes`)
  // Memory of its own: it goes to the worker.
  return {
    id: Uint8Array.from(id),
    codec: codec as BlockCodec,
    rawLengthBytes,
    bytes: Uint8Array.from(bytes)
  }
}
