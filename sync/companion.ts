/**
 * Sync in the worker: with every change of a library's set it brings the tree after it and signs a head, in the same batch, so
 * that records, tree and head are never apart. It also does what is heavy or must be alone with the database: checking a tree,
 * building it anew, taking heads of others.
 */
import { randomBytes } from 'node:crypto'
import {
  type CompanionModules,
  type FollowingRows,
  isFollowedLibrary,
  isPublicLibrary,
  KeyFamily,
  makeKey,
  nameOfOwn,
  type SetCommit,
  type Slice,
  type WorkerCompanion,
  type WriteOperation
} from '../library/index.ts'
import { bytesEqual, type Signer } from '../trust/index.ts'
import { Audiences, LibraryDeletion, LibraryKeeper, readOwnLibrary } from './access/index.ts'
import { FOLLOW_LIMITS, type FollowLimits, Joins, SyncSessions } from './follow/index.ts'
import {
  decodeHead,
  type Head,
  HeadStore,
  type HeadVerdict,
  libraryIdOf,
  type OwnSet,
  readHead
} from './heads/index.ts'
import {
  checkTree,
  findRecord,
  NodeCache,
  type RebuiltTree,
  readLibraryIds,
  rebuildTree,
  type TreeReport,
  TreeStore
} from './trie/index.ts'
import type { SyncMethod, SyncMethods } from './types.ts'

export interface SyncCompanionModules extends CompanionModules {
  /** The node's key. */
  signer: Signer
}

export interface SyncCompanionOptions {
  /** Where the home stands: bytes that a copy of it would not have (heads/own.ts). */
  place: Uint8Array
  /** What is done at once; as measured unless given. */
  limits?: FollowLimits
  /** Nodes of trees that are in memory; one of the usual size unless given. */
  cache?: NodeCache
  /** Unforeseeable bytes; the system's unless given. */
  random?: (bytes: number) => Uint8Array
}

type Handlers = {
  [M in SyncMethod]: (parameters: SyncMethods[M][0], signal: AbortSignal) => Promise<SyncMethods[M][1]>
}

/** Opens it on the worker's database, with nothing left of trees whose building was cut off. */
export async function openSyncCompanion(
  modules: SyncCompanionModules,
  options: SyncCompanionOptions
): Promise<WorkerCompanion> {
  const { database } = modules
  const { cache = new NodeCache() } = options
  const trees = new TreeStore({ database, cache })
  await database.clear(makeKey(KeyFamily.TreeSort))
  for await (const libraryId of readLibraryIds(database)) await trees.clean(libraryId)
  const heads = new HeadStore({ ...modules, reader: database }, options)
  return new SyncCompanion(modules, { trees, cache, heads }, options)
}

class SyncCompanion implements WorkerCompanion {
  readonly #modules: SyncCompanionModules
  readonly #trees: TreeStore
  readonly #heads: HeadStore
  readonly #sessions: SyncSessions
  readonly #keeper: LibraryKeeper
  readonly #joins: Joins
  readonly #deletion: LibraryDeletion

  constructor(
    modules: SyncCompanionModules,
    { trees, cache, heads }: { trees: TreeStore; cache: NodeCache; heads: HeadStore },
    { limits = FOLLOW_LIMITS, random = randomBytes }: SyncCompanionOptions
  ) {
    this.#modules = modules
    this.#trees = trees
    this.#heads = heads
    const { signer, log } = modules
    const audiences = new Audiences({ log }, { own: signer.publicKey })
    this.#keeper = new LibraryKeeper({ ...modules, companion: this, audiences, random })
    this.#joins = new Joins({ ...modules, companion: this })
    this.#sessions = new SyncSessions({
      ...modules,
      trees,
      cache,
      companion: this,
      limits,
      random,
      own: modules.signer.publicKey,
      audiences,
      takeHead: (head, nowMs) => this.#takeHead(head, nowMs),
      sign: ({ libraryId }, nowMs) => this.#sign(libraryId, nowMs)
    })
    this.#deletion = new LibraryDeletion(
      {
        ...modules,
        trees,
        own: signer.publicKey,
        nameClosed: (nowMs, slice) => this.#sessions.copies.nameClosed(nowMs, slice)
      },
      limits
    )
  }

  async follow(sets: readonly SetCommit[], nowMs: number): Promise<FollowingRows> {
    const slice = this.#modules.scheduler.slice('sync')
    const operations: WriteOperation[] = []
    const committed: Array<() => void> = []
    for (const { libraryId, ...set } of sets) {
      const before = this.#trees.open(libraryId)
      const { changes } = set
      const tree = await this.#trees.plan({ libraryId, ...set }, slice)
      operations.push(...tree.operations)
      committed.push(
        () => tree.committed(),
        this.#sessions.sketches.follow(libraryId, before, changes, tree.root)
      )
      // The head of a library that is followed is its writer's to sign.
      if (isFollowedLibrary(libraryId)) continue
      operations.push(...this.#sign(libraryId, nowMs, { root: tree.root, changes }))
    }
    return {
      operations,
      committed: () => {
        for (const done of committed) done()
      }
    }
  }

  find(libraryId: string, trieKey: Uint8Array): Uint8Array | undefined {
    return findRecord(this.#trees.open(libraryId), trieKey)
  }

  async handle(method: string, parameters: unknown, signal: AbortSignal): Promise<unknown> {
    // Both sides take method and parameters from SyncMethods; across the port they are only data.
    return await this.#handlers[method as SyncMethod](parameters as never, signal)
  }

  readonly #handlers: Handlers = {
    checkTree: ({ libraryId }, signal) => this.#check(libraryId, signal),
    rebuildTree: (parameters, signal) => this.#rebuild(parameters, signal),
    renewHead: ({ libraryId, nowMs }) => this.#write(async () => this.#sign(libraryId, nowMs)),
    createLibrary: async ({ library, nowMs }) => {
      const id = libraryIdOf(this.#modules.signer.publicKey, library.name)
      await this.#modules.scheduler.run('sync', slice => this.#deletion.finish(nowMs, slice, id))
      return await this.#keeper.create(library, nowMs)
    },
    deleteLibrary: async ({ name, nowMs }) => {
      await this.#modules.scheduler.run('sync', slice => this.#deletion.delete(name, nowMs, slice))
      return undefined
    },
    changeLibrary: ({ name, change, nowMs }) => this.#keeper.change(name, change, nowMs),
    changeGroup: ({ name, change, nowMs }) => this.#keeper.changeGroup(name, change, nowMs),
    renewAccess: ({ library, nowMs }) => this.#keeper.renew(library, nowMs),
    takeHead: ({ head, nowMs }) => this.#takeHead(decodeHead(head), nowMs),
    sessionOpen: ({ opening, nowMs }) => this.#sessions.open(opening, nowMs),
    sessionTake: parameters => this.#sessions.take(parameters),
    sessionSay: parameters => this.#sessions.say(parameters),
    sessionClose: ({ session }) => this.#sessions.close(session),
    bundleOpen: ({ opening, nowMs }) => this.#sessions.openBundle(opening, nowMs),
    bundleTake: parameters => this.#sessions.takeBundle(parameters),
    bundleEnd: parameters => this.#sessions.endBundle(parameters),
    joinRecords: parameters => this.#joins.join(parameters),
    forgetLibrary: parameters => this.#sessions.forget(parameters),
    finishCopies: ({ nowMs }, signal) =>
      this.#modules.scheduler.run('index', async slice => {
        const ending = abortable(slice, signal)
        await this.#deletion.finish(nowMs, ending)
        return await this.#sessions.finish(nowMs, ending, signal)
      })
  }

  async #takeHead(incoming: Head, nowMs: number): Promise<HeadVerdict | 'forgotten'> {
    return await this.#modules.writes.run(async () => {
      const isOwn = bytesEqual(incoming.writer, this.#modules.signer.publicKey)
      const own = isOwn ? this.#ownSet(incoming.library) : undefined
      const { verdict, operations } = await this.#heads.take(incoming, { own, nowMs })
      if (operations.length > 0) await this.#modules.database.batch(operations, { sync: true })
      return verdict
    })
  }

  async #check(libraryId: string, signal: AbortSignal): Promise<TreeReport> {
    const { database, scheduler } = this.#modules
    const reader = database.snapshot()
    try {
      return await scheduler.run('index', slice =>
        checkTree({ reader, slice: abortable(slice, signal) }, libraryId)
      )
    } finally {
      await reader.close()
    }
  }

  /** Changes of records wait meanwhile. What the set is now may differ from what was signed last: then it is signed again. */
  async #rebuild(
    { libraryId, nowMs }: SyncMethods['rebuildTree'][0],
    signal: AbortSignal
  ): Promise<RebuiltTree> {
    const { database, scheduler, writes, signer } = this.#modules
    return await writes.run(async () => {
      const rebuilt = await scheduler.run('index', slice =>
        rebuildTree({ database, store: this.#trees }, { libraryId }, abortable(slice, signal))
      )
      // What a copy lacks of its head comes with the next comparison.
      if (isFollowedLibrary(libraryId)) return rebuilt
      const { root } = this.#trees.open(libraryId)
      const last = readHead(database, this.#idOf(libraryId), signer.publicKey)
      if (last === undefined || !bytesEqual(last.root, root))
        await database.batch(this.#sign(libraryId, nowMs), { sync: true })
      return rebuilt
    })
  }

  async #write(plan: () => Promise<WriteOperation[]>): Promise<undefined> {
    const { database, writes } = this.#modules
    await writes.run(async () => await database.batch(await plan(), { sync: true }))
    return undefined
  }

  /** Plans the next head of a library of this node, of the set that it has now unless another one is given. */
  #sign(
    libraryId: string,
    nowMs: number,
    set: { root: Uint8Array; changes: SetCommit['changes'] } = {
      root: this.#trees.open(libraryId).root,
      changes: []
    }
  ): WriteOperation[] {
    return this.#heads.next(this.#idOf(libraryId), { ...set, isClosed: !isPublicLibrary(libraryId), nowMs })
  }

  #idOf(libraryId: string): Uint8Array {
    return libraryIdOf(this.#modules.signer.publicKey, nameOfOwn(libraryId))
  }

  /** What the library of this node is that others know by an id; undefined when it has no such library. */
  #ownSet(id: Uint8Array): OwnSet | undefined {
    const { database, signer } = this.#modules
    const library = readOwnLibrary(database, signer.publicKey, id)
    if (library === undefined) return undefined
    const { libraryId } = library
    return { root: this.#trees.open(libraryId).root, isClosed: !isPublicLibrary(libraryId) }
  }
}

/** A slice in which a job ends at its next pause once nobody waits for it any more. */
const abortable = (slice: Slice, signal: AbortSignal): Slice => ({
  due: () => signal.aborted || slice.due(),
  pause: async () => {
    signal.throwIfAborted()
    await slice.pause()
  }
})
