/**
 * Taking a bundle in. Each part is checked and kept as it comes: a record that is signed and proven to be in the library is as good
 * as one that a peer has told, whatever the rest of the file is, and a content counts once it is whole.
 */
import { CID } from 'multiformats/cid'
import { CatalogError, toCatalogError } from '../../base/index.ts'
import { type ContentStore, HOME_LIBRARY } from '../../library/index.ts'
import {
  type BundledRecord,
  type BundlePart,
  checkBundleHead,
  type Head,
  isExpired,
  type LibrarySets,
  readBundle
} from '../../sync/index.ts'
import type { BundleResult } from '../bundle-schemas.ts'
import type { EventHub } from '../events.ts'
import { Arriving, blockOf } from './bundle-content.ts'
import { BundleRecords, type BundleRecordsModules } from './bundle-records.ts'
import type { Collecting } from './collecting.ts'
import { formatAddress } from './library-address.ts'
import { peerOf } from './writer-key.ts'

/** A bundle as far as its head. */
export interface BundleHead {
  readonly head: Head
  /** Of the library at its node. */
  readonly name: string
  /** A newer head of it is known here. */
  readonly isOlder: boolean
}

/** What becomes of all records of a bundle together. */
export interface BundleCopying {
  take(records: readonly BundledRecord[]): Promise<void>
  /** All have come; the same again when it is called again. */
  end(): Promise<BundleResult['copy']>
  close(): Promise<void>
}

export interface BundleImportModules extends Omit<BundleRecordsModules, 'copying'> {
  sets: Pick<LibrarySets, 'take'>
  content: Pick<ContentStore, 'beginReceive' | 'hold' | 'localState'>
  collecting: Pick<Collecting, 'makeRoom'>
  events: Pick<EventHub, 'emit'>
  copying(of: BundleHead): BundleCopying
}

/**
 * Throws BUNDLE_INVALID, HEAD_CONTRADICTED, what a record or a block that is wrong throws, and what a store that is full does. What came
 * before is kept, unless nobody waits for it any more: then records that wait for others of their batch are not.
 */
export async function importBundle(
  modules: BundleImportModules,
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal
): Promise<BundleResult> {
  const run = new Import(modules, signal)
  try {
    for await (const part of readBundle(source)) await run.take(part)
    return await run.result()
  } catch (thrown) {
    // One of these comes before what was wrong, so what is wrong with it is said instead.
    if (!signal.aborted) await run.keepRecords()
    throw thrown
  } finally {
    await run.close()
  }
}

class Import {
  readonly #modules: BundleImportModules
  readonly #signal: AbortSignal
  readonly #count = { contents: 0, newContents: 0 }
  /** What is here of the contents that came stays until all have: one may lean on blocks of another. */
  readonly #holds: Array<() => void> = []
  #name = HOME_LIBRARY
  #of: BundleHead | undefined
  #records: BundleRecords | undefined
  #copying: BundleCopying | undefined
  /** The content that is coming; undefined when it was whole already. */
  #arriving: Arriving | undefined

  constructor(modules: BundleImportModules, signal: AbortSignal) {
    this.#modules = modules
    this.#signal = signal
  }

  async take(part: BundlePart): Promise<void> {
    this.#signal.throwIfAborted()
    if (part.kind === 'name') this.#name = part.name
    else if (part.kind === 'head') await this.#takeHead(part.head)
    else if (part.kind === 'record') await this.#records!.take(part)
    else if (part.kind === 'content') await this.#begin(part.content)
    else if (part.kind === 'block') await this.#arriving?.add(blockOf(part))
    else await this.#whole()
  }

  /** Those that came and wait for others of their batch. */
  async keepRecords(): Promise<void> {
    await this.#records?.keep()
  }

  async result(): Promise<BundleResult> {
    await this.keepRecords()
    const { head, name, isOlder } = this.#of!
    const { epoch, revision, time, expires } = head
    const writer = peerOf(head.writer)
    return {
      library: Buffer.from(head.library).toString('hex'),
      writer,
      address: formatAddress({ writer, name }),
      head: { epoch, revision, time: instant(time), expires: instant(expires) },
      isExpired: isExpired(head, this.#modules.clock.now()),
      isOlder,
      copy: await this.#copying!.end(),
      ...this.#records!.count,
      ...this.#count
    }
  }

  async close(): Promise<void> {
    try {
      await Promise.all([this.#arriving?.end(), this.#copying?.close()])
    } finally {
      for (const release of this.#holds) release()
    }
  }

  async #takeHead(bytes: Uint8Array): Promise<void> {
    const { sets, clock, copying } = this.#modules
    const name = this.#name
    const head = checkBundleHead(bytes, name, clock.now())
    const verdict = await sets.take(head.bytes, this.#signal)
    if (verdict === 'contradiction')
      throw new CatalogError(
        'HEAD_CONTRADICTED',
        'the writer of this library has signed two heads for one revision'
      )
    this.#of = { head, name, isOlder: verdict === 'older' }
    this.#copying = copying(this.#of)
    this.#records = new BundleRecords({ ...this.#modules, copying: this.#copying }, head, this.#signal)
  }

  async #begin(cidBytes: Uint8Array): Promise<void> {
    const { content, collecting } = this.#modules
    await this.keepRecords()
    // What is in the library is known now, whatever comes of its contents.
    await this.#copying!.end()
    const cid = decodeCid(cidBytes)
    const expected = this.#records!.claim(cid)
    if (expected === 'refused') return
    if (expected === undefined)
      throw new CatalogError(
        'BUNDLE_INVALID',
        `the file has a content that none of its records names: ${cid}`
      )
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
