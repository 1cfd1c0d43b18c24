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
  Commits,
  HOME_LIBRARY,
  PLANS,
  planRemove,
  Scheduler,
  type WorkerCompanion,
  type WriteOperation
} from '../../library/index.ts'
import {
  type FollowLimits,
  findRecord,
  type HeadVerdict,
  LibrarySets,
  NodeCache,
  type OwnLibrary,
  openSyncCompanion,
  openTree,
  RENEW_AFTER_MS,
  type Sketch,
  type StoredTree
} from '../../sync/index.ts'
import type { SigningKey } from '../../trust/index.ts'
import { type HomeModules, HomeReader, readBytes, rowOf } from './home-reader.ts'
import { KeptSketch, type SketchChange } from './kept-sketch.ts'
import { replaces, type SetRecord } from './records.ts'

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

/** Of one library; as many callers wait as a node has sessions. */
const MAX_WAITING_WRITES = 64
/** So small that copies are made in parts where a few dozen records come. */
const LIMITS: FollowLimits = {
  batchChanges: 8,
  batchBytes: MIB,
  dryChanges: 64,
  freeComparison: 4096,
  remembered: 64
}
/** For the trees of one node: fifty of them are in memory at once, and have a few thousand records each. */
const CACHE = { interiorBytes: 256 * KIB, bucketBytes: MIB }
const NEVER = new AbortController().signal

/** What may not be published or removed: a second content of a version, words about a release that is not here, nothing at all. */
const REFUSED: readonly string[] = ['RELEASE_EXISTS', 'RELEASE_NOT_FOUND', 'LIMIT_EXCEEDED']
/** What a closed library of another node has too stays known as long as that is here. */
const KEPT = 'NOT_PERMITTED'

/**
 * The library of a simulated node: its records, and the product's own companion beside them, which keeps tree and heads in the
 * same batches. It lives from one start of the node to its end; what stays is on the disk.
 */
export class Home extends HomeReader {
  readonly #writes: Semaphore
  readonly #companion: WorkerCompanion
  readonly #commits: Commits
  readonly #sketch = new KeptSketch()
  readonly sets: LibrarySets

  private constructor(
    modules: HomeModules,
    key: SigningKey,
    { writes, cache, companion }: { writes: Semaphore; cache: NodeCache; companion: WorkerCompanion }
  ) {
    super(modules, { cache, writer: key.publicKey })
    const { disk, now } = modules
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

  view(): SetView {
    const snapshot = this.modules.disk.snapshot()
    const tree = this.tree(snapshot)
    return {
      tree,
      sketch: this.#sketch.of(tree),
      bytesOf: recHash => readBytes(snapshot, recHash),
      close: () => void snapshot.close()
    }
  }

  /** Takes verified records in as one commit, with tree and head. Returns those that have changed the set. */
  take(records: readonly SetRecord[]): Promise<SetRecord[]> {
    const { disk, now } = this.modules
    return this.#writes.run(async () => {
      const tree = this.tree(disk)
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
    const { disk, now } = this.modules
    const { bytes, kind } = record.record
    const isHere = findRecord(openTree(disk, libraryId, this.cache), record.trieKey) !== undefined
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
    const { disk, now } = this.modules
    try {
      await this.#commits.run(() => planRemove(disk, recHash), now())
    } catch (thrown) {
      if (!(thrown instanceof CatalogError && [...REFUSED, KEPT].includes(thrown.code))) throw thrown
    }
  }

  /** The newest record of each key, where it is newer than the one that is here. */
  #joining(tree: StoredTree, records: readonly SetRecord[]): SetRecord[] {
    const newest = new Map<string, SetRecord>()
    for (const record of records) {
      const before = newest.get(record.key) ?? this.find(tree, record.trieKey)
      if (before === undefined || replaces(record, before)) newest.set(record.key, record)
    }
    return [...newest.values()]
  }

  async takeHead(head: Uint8Array): Promise<HeadVerdict | 'forgotten'> {
    return (await this.#ask('takeHead', { head })) as HeadVerdict | 'forgotten'
  }

  /** Signs again what is a day old. */
  async renewIfDue(): Promise<void> {
    const { access } = this.sets
    for (const library of await access.own()) {
      if (library.access !== 'public') await this.#renewAccess(library)
      const head = this.headOf(library.id, this.writer)
      if (head !== undefined && this.modules.now() >= head.time + RENEW_AFTER_MS)
        await this.sets.renew(library.libraryId)
    }
  }

  /** A list from before the home was restored or copied admits nobody and is not renewed: its operator looks at it, and signs it anew. */
  async #renewAccess(library: OwnLibrary): Promise<void> {
    const { access } = this.sets
    const signAnew = (): Promise<undefined> =>
      access.changeMembers(library.name, { joining: [], leaving: [] })
    if (await access.isEarlier(library.libraryId)) return void (await signAnew())
    try {
      await access.renewAccess(library)
    } catch (thrown) {
      if (toCatalogError(thrown).code !== 'NOT_PERMITTED') throw thrown
      await signAnew()
    }
  }

  #ask(method: string, parameters: object): Promise<unknown> {
    return this.#companion.handle(method, { ...parameters, nowMs: this.modules.now() }, NEVER)
  }
}
