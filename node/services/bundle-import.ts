/**
 * Taking a bundle in. Each part is checked and kept as it comes: a record that is signed and proven to be in the library is as good
 * as one that a peer has told, whatever the rest of the file is, and a content counts once it is whole.
 */
import { CID } from 'multiformats/cid'
import { CatalogError, type Clock, KIB, MIB, toCatalogError } from '../../base/index.ts'
import {
  BlockCodec,
  type ContentStore,
  type ContentSummary,
  expectTimely,
  type IncomingBlock,
  MAX_BLOCK_BYTES,
  type Receive,
  type Registry,
  type ReleaseRecord
} from '../../library/index.ts'
import {
  type BundlePart,
  checkBundleRecord,
  decodeHead,
  type Head,
  isExpired,
  type LibrarySets,
  readBundle
} from '../../sync/index.ts'
import type { BundleResult } from '../bundle-schemas.ts'
import type { EventHub } from '../events.ts'
import type { Blocking } from './blocking.ts'
import type { Collecting } from './collecting.ts'
import { releaseName } from './release-shapes.ts'
import type { Room } from './rooms.ts'
import { peerOf } from './writer-key.ts'

/** Bytes and blocks that go to the worker at once. */
const BATCH_BYTES = MIB
const BATCH_BLOCKS = 1024
/** Of one entry of a manifest: a path, and what is said of the file. */
const MAX_ENTRY_BYTES = 8 * KIB
/** Of any content: links and empty folders are no files, and trees have inner nodes. */
const ALLOWANCE_BYTES = 64 * MIB

export interface BundleImportModules {
  blocking: Pick<Blocking, 'isBlocked'>
  sets: Pick<LibrarySets, 'take'>
  registry: Pick<Registry, 'add' | 'addStatement'>
  content: Pick<ContentStore, 'beginReceive' | 'hold' | 'localState'>
  collecting: Pick<Collecting, 'makeRoom'>
  events: EventHub
  clock: Clock
}

/**
 * Throws BUNDLE_INVALID, HEAD_CONTRADICTED, what a record or a block that is wrong throws, and what a store that is full does. What came
 * before is kept.
 */
export async function importBundle(
  modules: BundleImportModules,
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal
): Promise<BundleResult> {
  const run = new Import(modules, signal)
  try {
    for await (const part of readBundle(source)) await run.take(part)
    return run.result()
  } finally {
    await run.close()
  }
}

class Import {
  readonly #modules: BundleImportModules
  readonly #signal: AbortSignal
  readonly #count = { records: 0, newRecords: 0, refusedRecords: 0, contents: 0, newContents: 0 }
  /** Contents that records of the bundle name, and which have not come yet. */
  readonly #expected = new Map<string, Expected>()
  /** Contents whose records were not taken: their blocks are passed over. */
  readonly #refused = new Set<string>()
  /** What is here of the contents that came stays until all have: one may lean on blocks of another. */
  readonly #holds: Array<() => void> = []
  #head: Head | undefined
  #isOlder = false
  /** The content that is coming; undefined when it was whole already. */
  #arriving: Arriving | undefined

  constructor(modules: BundleImportModules, signal: AbortSignal) {
    this.#modules = modules
    this.#signal = signal
  }

  async take(part: BundlePart): Promise<void> {
    this.#signal.throwIfAborted()
    if (part.kind === 'head') await this.#takeHead(part.head)
    else if (part.kind === 'record') await this.#takeRecord(part)
    else if (part.kind === 'content') await this.#begin(part.content)
    else if (part.kind === 'block') await this.#arriving?.add(blockOf(part))
    else await this.#whole()
  }

  result(): BundleResult {
    const head = this.#head!
    const { epoch, revision, time, expires } = head
    return {
      library: Buffer.from(head.library).toString('hex'),
      writer: peerOf(head.writer),
      head: { epoch, revision, time: instant(time), expires: instant(expires) },
      isExpired: isExpired(head, this.#modules.clock.now()),
      isOlder: this.#isOlder,
      ...this.#count
    }
  }

  async close(): Promise<void> {
    try {
      await this.#arriving?.end()
    } finally {
      for (const release of this.#holds) release()
    }
  }

  async #takeHead(bytes: Uint8Array): Promise<void> {
    const { sets, clock } = this.#modules
    const head = decodeHead(Uint8Array.from(bytes))
    expectTimely(head.time, clock.now())
    if (head.isClosed)
      throw new CatalogError('NOT_PERMITTED', 'the library of this bundle is not for everybody', {
        hint: 'nodes on its access list follow it: catalog sync'
      })
    const verdict = await sets.take(head.bytes, this.#signal)
    if (verdict === 'contradiction')
      throw new CatalogError(
        'HEAD_CONTRADICTED',
        'the writer of this library has signed two heads for one revision'
      )
    this.#isOlder = verdict === 'older'
    this.#head = head
  }

  async #takeRecord(part: Extract<BundlePart, { kind: 'record' }>): Promise<void> {
    const { registry, clock } = this.#modules
    const record = checkBundleRecord(part, this.#head!, clock.now())
    this.#count.records++
    if ('release' in record) {
      if (!(await this.#add(record))) return
      this.#expected.set(record.release.content.toString(), expectedOf(record))
    } else if ('status' in record || 'attestation' in record) {
      const { added } = await registry.addStatement(record.bytes, this.#signal)
      if (added) this.#count.newRecords++
    }
  }

  /** False for what is blocked here, and for one content too many of a version, which an owner makes and no reader keeps. */
  async #add(record: ReleaseRecord): Promise<boolean> {
    if (this.#modules.blocking.isBlocked(record)) return this.#refuse(record)
    try {
      const { added } = await this.#modules.registry.add(record.bytes, this.#signal)
      if (added) this.#count.newRecords++
      return true
    } catch (thrown) {
      if (toCatalogError(thrown).code !== 'LIMIT_EXCEEDED') throw thrown
      return this.#refuse(record)
    }
  }

  #refuse({ release }: ReleaseRecord): false {
    this.#refused.add(release.content.toString())
    this.#count.refusedRecords++
    return false
  }

  async #begin(cidBytes: Uint8Array): Promise<void> {
    const { content, collecting } = this.#modules
    const cid = decodeCid(cidBytes)
    const expected = this.#expected.get(cid.toString())
    if (expected === undefined && this.#refused.has(cid.toString())) return
    if (expected === undefined)
      throw new CatalogError(
        'BUNDLE_INVALID',
        `the file has a content that none of its records names: ${cid}`
      )
    this.#expected.delete(cid.toString())
    this.#count.contents++
    const isHere = content.localState(cid) === 'complete'
    if (isHere) {
      this.#holds.push(content.hold(cid))
      return
    }
    const wanted = { key: cid.toString(), sizeBytes: expected.summary.sizeBytes, what: expected.what }
    const room = await collecting.makeRoom(wanted, { signal: this.#signal, progress: () => {} })
    try {
      this.#holds.push(content.hold(cid))
      this.#arriving = new Arriving(content.beginReceive(), cid, expected, room, this.#signal)
    } catch (error) {
      room.end()
      throw error
    }
  }

  async #whole(): Promise<void> {
    const arriving = this.#arriving
    if (arriving === undefined) return
    await arriving.complete()
    this.#arriving = undefined
    await arriving.end()
    this.#count.newContents++
    this.#modules.events.emit('release', { ...arriving.expected.release, local: 'complete' })
  }
}

/** What a record says of its content: no more of it is kept, as a file may have a great many. */
interface Expected {
  readonly what: string
  readonly summary: ContentSummary
  readonly release: { readonly name: string; readonly version: string; readonly id: string }
}

function expectedOf(record: ReleaseRecord): Expected {
  const { name, version, sizeBytes, files } = record.release
  return {
    what: releaseName(record),
    summary: { sizeBytes, files },
    release: { name, version, id: record.id.toString() }
  }
}

/** One content on its way into the store. */
class Arriving {
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

  async add(block: IncomingBlock): Promise<void> {
    this.#rawBytes += block.rawLengthBytes
    const { what, summary } = this.expected
    if (this.#rawBytes > mostBytes(summary))
      throw new CatalogError('BUNDLE_INVALID', `the file has more blocks for ${what} than its record allows`)
    this.#batch.push(block)
    this.#batchBytes += block.bytes.byteLength
    if (this.#batchBytes >= BATCH_BYTES || this.#batch.length >= BATCH_BLOCKS) await this.#send()
  }

  /** CONTENT_MISSING when a block did not come. */
  async complete(): Promise<void> {
    await this.#send()
    await this.#receive.markComplete(this.#content, this.expected.summary, { signal: this.#signal })
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
    if (blocks.length > 0) await this.#receive.writeBlocks(blocks, this.#signal)
    this.#room.filled(this.#sentBytes)
  }
}

/** What the blocks of a content can come to: its files, the trees over them, and an entry of a manifest for each. */
const mostBytes = ({ sizeBytes, files }: ContentSummary): number =>
  2 * sizeBytes + files * MAX_ENTRY_BYTES + ALLOWANCE_BYTES

const CODECS: ReadonlySet<number> = new Set(Object.values(BlockCodec))

function blockOf({
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

function decodeCid(bytes: Uint8Array): CID {
  try {
    return CID.decode(Uint8Array.from(bytes))
  } catch (cause) {
    throw new CatalogError('BUNDLE_INVALID', 'the file has a content whose name is no CID', {
      cause: toCatalogError(cause)
    })
  }
}

const instant = (ms: number): string => new Date(ms).toISOString()
