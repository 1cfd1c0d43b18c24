/**
 * Taking a bundle in. Each part is checked and kept as it comes: a record that is signed and proven to be in the library is as good
 * as one that a peer has told, whatever the rest of the file is, and a content counts once it is whole.
 */
import { CID } from 'multiformats/cid'
import { CatalogError, type Clock, toCatalogError } from '../../base/index.ts'
import { type ContentStore, HOME_LIBRARY, type Registry, type ReleaseRecord } from '../../library/index.ts'
import {
  type BundledRecord,
  type BundlePart,
  checkBundleHead,
  checkBundleRecord,
  type Head,
  isExpired,
  type LibrarySets,
  readBundle
} from '../../sync/index.ts'
import type { BundleResult } from '../bundle-schemas.ts'
import type { EventHub } from '../events.ts'
import type { Blocking } from './blocking.ts'
import { Arriving, blockOf, type Expected, expectedOf } from './bundle-content.ts'
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
  take(record: BundledRecord): Promise<void>
  /** All have come; the same again when it is called again. */
  end(): Promise<BundleResult['copy']>
  close(): Promise<void>
}

/** Where records go, and whether they are new there. */
type Records = {
  [Add in 'add' | 'addStatement']: (
    ...parameters: Parameters<Registry[Add]>
  ) => Promise<{ readonly added: boolean }>
}

export interface BundleImportModules {
  blocking: Pick<Blocking, 'isBlocked'>
  sets: Pick<LibrarySets, 'take'>
  registry: Records
  content: Pick<ContentStore, 'beginReceive' | 'hold' | 'localState'>
  collecting: Pick<Collecting, 'makeRoom'>
  events: Pick<EventHub, 'emit'>
  clock: Clock
  copying(of: BundleHead): BundleCopying
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
    return await run.result()
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
  #name = HOME_LIBRARY
  #of: BundleHead | undefined
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
    else if (part.kind === 'record') await this.#takeRecord(part)
    else if (part.kind === 'content') await this.#begin(part.content)
    else if (part.kind === 'block') await this.#arriving?.add(blockOf(part))
    else await this.#whole()
  }

  async result(): Promise<BundleResult> {
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
  }

  async #takeRecord(part: Extract<BundlePart, { kind: 'record' }>): Promise<void> {
    const { registry, clock } = this.#modules
    const bundled = checkBundleRecord(part, this.#of!.head, clock.now())
    const { record } = bundled
    this.#count.records++
    await this.#copying!.take(bundled)
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
    // What is in the library is known now, whatever comes of its contents.
    await this.#copying!.end()
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
