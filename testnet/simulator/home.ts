import {
  CatalogError,
  KIB,
  MIB,
  Semaphore,
  silentLogger,
  systemClock,
  toCatalogError
} from '../../base/index.ts'
import {
  type AccessList,
  accessListKey,
  Commits,
  type DatabaseReader,
  decodeAccessList,
  HOME_LIBRARY,
  KeyFamily,
  makeKey,
  PLANS,
  planRemove,
  Scheduler,
  type WorkerCompanion,
  type WriteOperation
} from '../../library/index.ts'
import {
  copyName,
  type FollowLimits,
  findRecord,
  type Head,
  type HeadVerdict,
  LibrarySets,
  NodeCache,
  type OwnLibrary,
  openSyncCompanion,
  openTree,
  RENEW_AFTER_MS,
  readFollowed,
  type Sketch,
  type SketchChange,
  type SketchedRecord,
  type StoredTree
} from '../../sync/index.ts'
import { bytesEqual, type SigningKey } from '../../trust/index.ts'
import type { Disk } from './disk.ts'
import { type SaidHead, sayingOf } from './heads.ts'
import { KeptSketch } from './kept-sketch.ts'
import { homeIdOf, TEAM_LIBRARY, teamIdOf } from './libraries.ts'
import { hex, replaces, type SetRecord, type Verifier } from './records.ts'
import { listRecords } from './tree-records.ts'

export interface HomeModules {
  disk: Disk
  verifier: Verifier
  /** Wall time of the node. */
  now: () => number
}

export interface HomeOptions {
  random: (bytes: number) => Uint8Array
  /** Of the node. */
  key: SigningKey
  /** Where the home stands. */
  place: string
}

/** The set at one moment, and what it is made of; whoever took it closes it. */
export interface SetView {
  readonly tree: StoredTree
  readonly sketch: Sketch
  bytesOf(recHash: Uint8Array): Uint8Array
  close(): void
}

/** A copy of another node's library. */
export interface LibraryCopy {
  readonly library: Uint8Array
  /** Its name here. */
  readonly libraryId: string
  readonly head: Head
  readonly root: Uint8Array
}

/** Of one library; as many callers wait as a node has sessions. */
const MAX_WAITING_WRITES = 64
/** So small that copies are made in parts where a few dozen records come. */
const LIMITS: FollowLimits = { batchChanges: 8, batchBytes: MIB, dryChanges: 64, freeComparison: 4096 }
/** For the trees of one node: fifty of them are in memory at once, and have a few thousand records each. */
const CACHE = { interiorBytes: 256 * KIB, bucketBytes: MIB }
const NEVER = new AbortController().signal

/** What may not be published or removed: a second content of a version, words about a release that is not here, nothing at all. */
const REFUSED: readonly string[] = ['RELEASE_EXISTS', 'RELEASE_NOT_FOUND', 'LIMIT_EXCEEDED']

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
  readonly #commits: Commits
  readonly #cache: NodeCache
  readonly #sketch = new KeptSketch()
  readonly sets: LibrarySets
  readonly libraryId: Uint8Array

  private constructor(
    modules: HomeModules,
    key: SigningKey,
    { writes, cache, companion }: { writes: Semaphore; cache: NodeCache; companion: WorkerCompanion }
  ) {
    const { disk, now } = modules
    this.#modules = modules
    this.#cache = cache
    this.#key = key
    this.#writes = writes
    this.#companion = companion
    this.#commits = new Commits({ writer: disk, writes, companion })
    const library = {
      snapshot: () => disk.snapshot(),
      companion: (method: string, parameters: unknown, signal = NEVER) =>
        companion.handle(method, parameters, signal),
      holdWorker: () => () => undefined
    }
    this.sets = new LibrarySets(
      { library, clock: { ...systemClock, now }, log: silentLogger },
      { writer: key.publicKey }
    )
    this.libraryId = homeIdOf(key.publicKey)
  }

  static async open(modules: HomeModules, { key, place, random }: HomeOptions): Promise<Home> {
    const writes = new Semaphore({ name: 'writes', maxActive: 1, maxWaiting: MAX_WAITING_WRITES })
    const scheduler = new Scheduler({ monotonicMs: modules.now, defer: queueMicrotask })
    const cache = new NodeCache(CACHE)
    const companion = await openSyncCompanion(
      { database: modules.disk, writes, scheduler, log: silentLogger, signer: key },
      { place: Buffer.from(place), limits: LIMITS, cache, random }
    )
    return new Home(modules, key, { writes, cache, companion })
  }

  get root(): Uint8Array {
    return this.#tree(this.#modules.disk).root
  }

  get count(): number {
    return this.#tree(this.#modules.disk).top?.count ?? 0
  }

  view(): SetView {
    const snapshot = this.#modules.disk.snapshot()
    const tree = this.#tree(snapshot)
    return {
      tree,
      sketch: this.#sketch.of(tree),
      bytesOf: recHash => readBytes(snapshot, recHash),
      close: () => void snapshot.close()
    }
  }

  /** The own set. */
  #tree(reader: DatabaseReader): StoredTree {
    return openTree(reader, HOME_LIBRARY, this.#cache)
  }

  /** All records as they are now, by trieKey. */
  records(): SetRecord[] {
    return this.recordsOf(HOME_LIBRARY)
  }

  /** The first of some records that is not here, nor one that has replaced it. */
  missing(records: Iterable<SetRecord>): SetRecord | undefined {
    const tree = this.#tree(this.#modules.disk)
    for (const record of records) {
      const here = this.#find(tree, record.trieKey)
      const isHere =
        here !== undefined && (bytesEqual(here.recHash, record.recHash) || !replaces(record, here))
      if (!isHere) return record
    }
    return undefined
  }

  #find(tree: StoredTree, trieKey: Uint8Array): SetRecord | undefined {
    const { disk, verifier } = this.#modules
    const recHash = findRecord(tree, trieKey)
    return recHash && (verifier.find(recHash) ?? verifier.read(readBytes(disk, recHash)))
  }

  /** Whether the own set has this very record. */
  has({ trieKey, recHash }: SetRecord): boolean {
    const here = findRecord(this.#tree(this.#modules.disk), trieKey)
    return here !== undefined && bytesEqual(here, recHash)
  }

  /** Whether the own set has something under the key of a record. */
  hasKey({ trieKey }: SetRecord): boolean {
    return findRecord(this.#tree(this.#modules.disk), trieKey) !== undefined
  }

  /** Of all records of the own set, in hex. */
  *recHashes(): Generator<string> {
    for (const { recHash } of listRecords(this.#tree(this.#modules.disk))) yield hex(recHash)
  }

  /** Whether a record is on the disk, in whatever library. */
  stores({ recHash }: Pick<SetRecord, 'recHash'>): boolean {
    return this.#modules.disk.get(rowOf(recHash)) !== undefined
  }

  /** The closed library of this node as it is now, and whom it is for; undefined while there is none. */
  team(): { readonly root: Uint8Array; readonly list: AccessList } | undefined {
    const { disk } = this.#modules
    const { publicKey } = this.#key
    const tree = openTree(disk, TEAM_LIBRARY, this.#cache)
    const recHash = findRecord(tree, accessListKey(publicKey, teamIdOf(publicKey)))
    return recHash && { root: tree.root, list: decodeAccessList(readBytes(disk, recHash)) }
  }

  /** Takes verified records in as one commit, with tree and head. Returns those that have changed the set. */
  take(records: readonly SetRecord[]): Promise<SetRecord[]> {
    const { disk, now } = this.#modules
    return this.#writes.run(async () => {
      const tree = this.#tree(disk)
      const joining = this.#joining(tree, records)
      if (joining.length === 0) return []
      const operations: WriteOperation[] = []
      const changes: SketchChange[] = []
      for (const { trieKey, recHash, record } of joining) {
        const before = findRecord(tree, trieKey)
        if (before !== undefined) operations.push({ type: 'del', key: rowOf(before) })
        operations.push({ type: 'put', key: rowOf(recHash), value: record.bytes })
        changes.push({ trieKey, before, recHash })
      }
      const set = { libraryId: HOME_LIBRARY, revision: (this.head()?.revision ?? 0) + 1, changes }
      const following = await this.#companion.follow([set], now())
      await disk.batch([...operations, ...following.operations], { sync: true })
      following.committed()
      this.#sketch.follow(changes, tree.root, this.root)
      return joining
    })
  }

  /** Publishes a record in a library of this node, as the product does. Returns it where it has changed the library. */
  async publish(record: SetRecord, libraryId = HOME_LIBRARY): Promise<SetRecord[]> {
    const { disk, now } = this.#modules
    const { bytes, kind } = record.record
    const isHere = findRecord(openTree(disk, libraryId, this.#cache), record.trieKey) !== undefined
    const plan = kind !== 'release' ? PLANS.publishStatement : isHere ? PLANS.revise : PLANS.publish
    try {
      const { added } = await this.#commits.run(() => plan(disk, bytes, now(), libraryId), now())
      return added ? [record] : []
    } catch (thrown) {
      if (thrown instanceof CatalogError && REFUSED.includes(thrown.code)) return []
      throw thrown
    }
  }

  /** Takes a release out of the library, with what is said of it. */
  async remove({ recHash }: SetRecord): Promise<void> {
    const { disk, now } = this.#modules
    try {
      await this.#commits.run(() => planRemove(disk, recHash), now())
    } catch (thrown) {
      if (!(thrown instanceof CatalogError && REFUSED.includes(thrown.code))) throw thrown
    }
  }

  /** The newest record of each key, where it is newer than the one that is here. */
  #joining(tree: StoredTree, records: readonly SetRecord[]): SetRecord[] {
    const newest = new Map<string, SetRecord>()
    for (const record of records) {
      const key = hex(record.trieKey)
      const before = newest.get(key) ?? this.#find(tree, record.trieKey)
      if (before === undefined || replaces(record, before)) newest.set(key, record)
    }
    return [...newest.values()]
  }

  /** Whether some library, or a copy of one that counts, has a record of any kind. */
  holds({ trieKey, recHash }: SketchedRecord): boolean {
    const { disk } = this.#modules
    return this.#libraryIds().some(libraryId => {
      const here = findRecord(openTree(disk, libraryId, this.#cache), trieKey)
      return here !== undefined && bytesEqual(here, recHash)
    })
  }

  /** Hash of a record that some library, or a copy of one that counts, has and the disk has not. */
  unstored(): Uint8Array | undefined {
    const { disk } = this.#modules
    for (const libraryId of this.#libraryIds())
      for (const { recHash } of listRecords(openTree(disk, libraryId, this.#cache)))
        if (disk.get(rowOf(recHash)) === undefined) return recHash
    return undefined
  }

  #libraryIds(): string[] {
    const copies = this.#modules.disk.keysOf(makeKey(KeyFamily.Followed)).flatMap(key => {
      const library = key.subarray(KeyFamily.Followed.length)
      return this.copyOf(library)?.libraryId ?? []
    })
    return [HOME_LIBRARY, TEAM_LIBRARY, ...copies]
  }

  /** The copy of a library that counts, and the head that it is equal to; undefined while there is none. */
  copyOf(library: Uint8Array): LibraryCopy | undefined {
    const { disk } = this.#modules
    const row = readFollowed(disk, library)
    if (row?.head === undefined || row.copy === 0) return undefined
    const libraryId = copyName(library, row.copy, row)
    return { library, libraryId, head: row.head, root: openTree(disk, libraryId).root }
  }

  /** Records of a library by its name here. */
  recordsOf(libraryId: string): SetRecord[] {
    const { disk, verifier } = this.#modules
    return [...listRecords(openTree(disk, libraryId))].map(({ recHash }) =>
      verifier.read(readBytes(disk, recHash))
    )
  }

  /** The last head that this node has signed. */
  head(): SaidHead | undefined {
    return this.headOf(this.libraryId, this.#key.publicKey)
  }

  /** The last heads of all its libraries. */
  heads(): SaidHead[] {
    const { publicKey } = this.#key
    return [this.head(), this.headOf(teamIdOf(publicKey), publicKey)].filter(head => head !== undefined)
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
  async renewIfDue(): Promise<void> {
    const { access } = this.sets
    for (const library of await access.own()) {
      if (library.access !== 'public') await this.#renewAccess(library)
      const head = this.headOf(library.id, this.#key.publicKey)
      if (head !== undefined && this.#modules.now() >= head.time + RENEW_AFTER_MS)
        await this.sets.renew(library.libraryId)
    }
  }

  /** A list from before the home was restored or copied is not renewed: its operator looks at it, and signs it anew. */
  async #renewAccess(library: OwnLibrary): Promise<void> {
    const { access } = this.sets
    try {
      await access.renewAccess(library)
    } catch (thrown) {
      if (toCatalogError(thrown).code !== 'NOT_PERMITTED') throw thrown
      await access.changeMembers(library.name, { joining: [], leaving: [] })
    }
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
