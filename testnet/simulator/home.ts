import { Semaphore, silentLogger } from '../../base/index.ts'
import {
  type DatabaseReader,
  HOME_LIBRARY,
  KeyFamily,
  makeKey,
  Scheduler,
  type SetChange,
  type WorkerCompanion,
  type WriteOperation
} from '../../library/index.ts'
import {
  entryCount,
  entryHash,
  entryKey,
  type HeadVerdict,
  iterateEntries,
  libraryIdOf,
  openSyncCompanion,
  openTree,
  RENEW_AFTER_MS,
  rootOf,
  type SketchedRecord,
  type StoredTree
} from '../../sync/index.ts'
import { bytesEqual, type SigningKey } from '../../trust/index.ts'
import type { Disk } from './disk.ts'
import { type SaidHead, sayingOf } from './heads.ts'
import { hex, replaces, type SetRecord, type Verifier } from './records.ts'

export interface HomeModules {
  disk: Disk
  verifier: Verifier
  /** Wall time of the node. */
  now: () => number
}

export interface HomeOptions {
  /** Of the node. */
  key: SigningKey
  /** Where the home stands. */
  place: string
}

/** The set at one moment, and what it is made of; whoever took it closes it. */
export interface SetView {
  readonly tree: StoredTree
  bytesOf(recHash: Uint8Array): Uint8Array
  close(): void
}

/** Of one library; as many callers wait as a node has sessions. */
const MAX_WAITING_WRITES = 64
const NEVER = new AbortController().signal

const rowOf = (recHash: Uint8Array): Uint8Array => makeKey(KeyFamily.Record, recHash)

/**
 * The library of a simulated node: its records, and the product's own companion beside them, which keeps tree and heads in the
 * same batches. It lives from one start of the node to its end; what stays is on the disk.
 */
export class Home {
  readonly #modules: HomeModules
  readonly #key: SigningKey
  readonly #writes: Semaphore
  readonly #companion: WorkerCompanion
  readonly libraryId: Uint8Array

  private constructor(modules: HomeModules, key: SigningKey, writes: Semaphore, companion: WorkerCompanion) {
    this.#modules = modules
    this.#key = key
    this.#writes = writes
    this.#companion = companion
    this.libraryId = libraryIdOf(key.publicKey, HOME_LIBRARY)
  }

  static async open(modules: HomeModules, { key, place }: HomeOptions): Promise<Home> {
    const writes = new Semaphore({ name: 'writes', maxActive: 1, maxWaiting: MAX_WAITING_WRITES })
    const scheduler = new Scheduler({ monotonicMs: modules.now, defer: queueMicrotask })
    const companion = await openSyncCompanion(
      { database: modules.disk, writes, scheduler, log: silentLogger, signer: key },
      { place: Buffer.from(place) }
    )
    return new Home(modules, key, writes, companion)
  }

  get root(): Uint8Array {
    return rootOf(openTree(this.#modules.disk, HOME_LIBRARY).top)
  }

  get count(): number {
    return openTree(this.#modules.disk, HOME_LIBRARY).top?.count ?? 0
  }

  view(): SetView {
    const snapshot = this.#modules.disk.snapshot()
    return {
      tree: openTree(snapshot, HOME_LIBRARY),
      bytesOf: recHash => readBytes(snapshot, recHash),
      close: () => void snapshot.close()
    }
  }

  /** All records as they are now, by trieKey. */
  records(): SetRecord[] {
    const { disk, verifier } = this.#modules
    return [...listRecords(openTree(disk, HOME_LIBRARY))].map(({ recHash }) =>
      verifier.read(readBytes(disk, recHash))
    )
  }

  find(trieKey: Uint8Array): SetRecord | undefined {
    const { disk, verifier } = this.#modules
    const recHash = this.#companion.find(HOME_LIBRARY, trieKey)
    return recHash && verifier.read(readBytes(disk, recHash))
  }

  /** Whether a record is here, or one that has replaced it. */
  holds(record: SetRecord): boolean {
    const recHash = this.#companion.find(HOME_LIBRARY, record.trieKey)
    if (recHash === undefined) return false
    return bytesEqual(recHash, record.recHash) || !replaces(record, this.find(record.trieKey)!)
  }

  /** Takes verified records in as one commit, with tree and head. Returns those that have changed the set. */
  take(records: readonly SetRecord[]): Promise<SetRecord[]> {
    const { disk, now } = this.#modules
    return this.#writes.run(async () => {
      const joining = this.#joining(records)
      if (joining.length === 0) return []
      const operations: WriteOperation[] = []
      for (const record of joining) {
        const before = this.#companion.find(HOME_LIBRARY, record.trieKey)
        if (before !== undefined) operations.push({ type: 'del', key: rowOf(before) })
        operations.push({ type: 'put', key: rowOf(record.recHash), value: record.record.bytes })
      }
      const changes: SetChange[] = joining.map(({ trieKey, recHash }) => ({ trieKey, recHash }))
      const set = { libraryId: HOME_LIBRARY, revision: (this.head()?.revision ?? 0) + 1, changes }
      const following = await this.#companion.follow([set], now())
      await disk.batch([...operations, ...following.operations], { sync: true })
      following.committed()
      return joining
    })
  }

  /** The newest record of each key, where it is newer than the one that is here. */
  #joining(records: readonly SetRecord[]): SetRecord[] {
    const newest = new Map<string, SetRecord>()
    for (const record of records) {
      const key = hex(record.trieKey)
      const before = newest.get(key) ?? this.find(record.trieKey)
      if (before === undefined || replaces(record, before)) newest.set(key, record)
    }
    return [...newest.values()]
  }

  /** The last head that this node has signed. */
  head(): SaidHead | undefined {
    return this.headOf(this.libraryId, this.#key.publicKey)
  }

  /** The last head that is known of a writer. Was verified before it was stored, and this disk does not rot. */
  headOf(library: Uint8Array, writer: Uint8Array): SaidHead | undefined {
    const stored = this.#modules.disk.get(makeKey(KeyFamily.Head, library, writer))
    return stored && sayingOf(stored)
  }

  async takeHead(head: Uint8Array): Promise<HeadVerdict | 'forgotten'> {
    return (await this.#ask('takeHead', { head })) as HeadVerdict | 'forgotten'
  }

  /** Signs again what is a day old. */
  async renewIfDue(): Promise<boolean> {
    const head = this.head()
    if (head === undefined || this.#modules.now() < head.time + RENEW_AFTER_MS) return false
    await this.#ask('renewHead', { libraryId: HOME_LIBRARY })
    return true
  }

  async newEpoch(): Promise<void> {
    await this.#ask('newEpoch', { libraryId: HOME_LIBRARY })
  }

  #ask(method: string, parameters: object): Promise<unknown> {
    return this.#companion.handle(method, { ...parameters, nowMs: this.#modules.now() }, NEVER)
  }
}

function readBytes(reader: DatabaseReader, recHash: Uint8Array): Uint8Array {
  const bytes = reader.get(rowOf(recHash))
  if (bytes === undefined) throw new Error(`the record ${hex(recHash)} is in the tree and not on the disk`)
  return bytes
}

export function* listRecords(tree: StoredTree): Generator<SketchedRecord> {
  for (const entries of iterateEntries(tree))
    for (let at = 0; at < entryCount(entries); at++)
      yield { trieKey: entryKey(entries, at), recHash: entryHash(entries, at) }
}
