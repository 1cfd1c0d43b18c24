/** The sessions that are under way, in the worker: opened, fed and asked by the main thread, which has their streams. */
import { CatalogError, type Logger, type Semaphore, toCatalogError } from '../../base/index.ts'
import {
  type DatabaseReader,
  type DatabaseWriter,
  isFollowedLibrary,
  type Scheduler,
  type Slice,
  type WriteOperation
} from '../../library/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import { type Audiences, type OwnLibrary, readOwnLibrary } from '../access/index.ts'
import { libraryOf } from '../find-library.ts'
import { type Head, type HeadVerdict, isRenewalDue, readHead } from '../heads/index.ts'
import { type NodeCache, openTree, type StoredTree, type TreeChange, type TreeStore } from '../trie/index.ts'
import type { SyncMethods } from '../types.ts'
import { BundleCopy } from './bundle-copy.ts'
import { Copies, type CopiesModules } from './copies.ts'
import type { DraftModules } from './draft.ts'
import { FollowerSession } from './follower.ts'
import { type FollowLimits, MAX_SESSIONS } from './limits.ts'
import { type FollowedRow, isUnfinished, readAllFollowed, readFollowed } from './rows.ts'
import { runSteps } from './run-steps.ts'
import { SketchCache } from './sketches.ts'
import { type ShownLibrary, SourceSession } from './source.ts'
import { changesSince, type HeadPlace } from './told-changes.ts'
import type {
  BundleOpening,
  BundleOutcome,
  FollowOptions,
  Said,
  SessionOpening,
  WorkerSession
} from './types.ts'

export interface SessionsModules {
  database: DatabaseWriter
  writes: Semaphore
  scheduler: Scheduler
  log: Logger
  trees: TreeStore
  cache: NodeCache
  companion: CopiesModules['companion']
  /** Public key of this node. */
  own: Uint8Array
  audiences: Audiences
  takeHead(head: Head, nowMs: number): Promise<HeadVerdict | 'forgotten'>
  /** Plans to sign the root of a library of this node again. */
  sign(library: OwnLibrary, nowMs: number): WriteOperation[]
  limits: FollowLimits
  random(bytes: number): Uint8Array
}

export class SyncSessions {
  readonly sketches = new SketchCache()
  readonly copies: Copies
  readonly #modules: SessionsModules
  readonly #sessions = new Map<number, { session: WorkerSession; library: string }>()
  /** Those of them that take a bundle in. */
  readonly #bundles = new Map<number, BundleCopy>()
  /** Under a number of its own, too: a negative one, that no caller chooses. */
  #lastForget = 0
  /** Copies that are being finished or given up, by library; resolve whatever comes of it. */
  readonly #finishing = new Map<string, Promise<void>>()

  constructor(modules: SessionsModules) {
    this.#modules = modules
    this.copies = new Copies(modules)
  }

  /** BUSY when too many are under way, or one that changes the same library. */
  async open(opening: SessionOpening, nowMs: number): Promise<undefined> {
    const isFollower = opening.role === 'follower'
    await this.#enter(opening.session, isFollower ? keyOf(opening.library) : '', () =>
      isFollower ? this.#follow(opening, nowMs) : this.#show(opening, nowMs)
    )
    return undefined
  }

  /** As a session, which is told of its records and its end instead of frames. BUSY too; HEAD_INVALID, LIMIT_EXCEEDED. */
  async openBundle(opening: BundleOpening, nowMs: number): Promise<undefined> {
    await this.#enter(opening.session, keyOf(opening.library), async () => {
      const modules = this.#draftModules(opening)
      await this.copies.finish(opening, nowMs, modules.slice)
      const bundle = await BundleCopy.open(modules, opening, nowMs)
      this.#bundles.set(opening.session, bundle)
      return { ...IDLE, close: () => bundle.close() }
    })
    return undefined
  }

  /** Takes the place of a session before anything is waited for: nobody else may change the copy. */
  async #enter(
    number: number,
    library: string,
    open: () => WorkerSession | Promise<WorkerSession>
  ): Promise<void> {
    await this.#finished(library)
    if (this.#sessions.size >= MAX_SESSIONS)
      throw new CatalogError('BUSY', `${MAX_SESSIONS} libraries are being compared`, {
        details: { isHere: true }
      })
    if (library !== '') this.#expectFree(library)
    const entry = { session: IDLE, library }
    this.#sessions.set(number, entry)
    try {
      entry.session = await open()
    } catch (thrown) {
      this.#sessions.delete(number)
      throw thrown
    }
  }

  async take({ session, kind, body, sizeBytes, nowMs }: SyncMethods['sessionTake'][0]): Promise<boolean> {
    return await this.#session(session).take({ kind, body: Uint8Array.from(body), sizeBytes }, nowMs)
  }

  async say({ session, nowMs }: SyncMethods['sessionSay'][0]): Promise<Said> {
    return await this.#session(session).say(nowMs)
  }

  async takeBundle({ session, records, nowMs }: SyncMethods['bundleTake'][0]): Promise<undefined> {
    await this.#bundle(session).take(records, nowMs)
    return undefined
  }

  async endBundle({ session, nowMs }: SyncMethods['bundleEnd'][0]): Promise<BundleOutcome> {
    return await this.#bundle(session).end(nowMs)
  }

  async close(number: number): Promise<undefined> {
    const entry = this.#sessions.get(number)
    this.#sessions.delete(number)
    const isBundle = this.#bundles.delete(number)
    const closed = entry?.session.close()
    // It may take away what it has begun: nobody else may change the copy before.
    await (isBundle ? this.#finishFor(entry!.library, closed!) : closed)
    return undefined
  }

  /** Follows a library no more. BUSY while it is being followed. */
  async forget({ library, nowMs }: SyncMethods['forgetLibrary'][0]): Promise<boolean> {
    const { database, scheduler } = this.#modules
    const key = keyOf(library)
    await this.#finished(key)
    this.#expectFree(key)
    const row = readFollowed(database, library)
    if (row === undefined) return false
    const { writer, name } = row
    const number = --this.#lastForget
    this.#sessions.set(number, { session: IDLE, library: key })
    try {
      await scheduler.run('sync', slice => this.copies.forget({ library, writer, name }, nowMs, slice))
      return true
    } finally {
      this.#sessions.delete(number)
    }
  }

  /**
   * Goes on with copies whose taking of another one's place was cut off, and takes away what bundles have begun that will not come any further, but
   * for those that a session has, which does so itself. One that fails does not keep the others from it, and what it failed with is thrown at the end.
   */
  async finish(nowMs: number, slice: Slice, signal: AbortSignal): Promise<undefined> {
    const failures: unknown[] = []
    for (const { library, readRow } of await Array.fromAsync(
      readAllFollowed(this.#modules.database, signal)
    )) {
      signal.throwIfAborted()
      const key = keyOf(library)
      if (!this.#isFree(key) || this.#finishing.has(key)) continue
      await this.#finishFor(key, this.#finish(library, readRow, nowMs, slice)).catch(
        thrown => void failures.push(thrown)
      )
    }
    if (failures.length > 0) throw failures[0]
    return undefined
  }

  async #finish(library: Uint8Array, readRow: () => FollowedRow, nowMs: number, slice: Slice): Promise<void> {
    const row = readRow()
    const { writer, name } = row
    if (!isUnfinished(row)) return
    await this.copies.finish({ library, writer, name }, nowMs, slice)
    await this.copies.giveUpBundle({ library, writer, name }, nowMs, slice)
  }

  /** Whoever is to change the copy of the library waits until the work has ended. */
  async #finishFor(library: string, work: Promise<void>): Promise<void> {
    const ended = work.catch(() => undefined)
    this.#finishing.set(library, ended)
    try {
      await work
    } finally {
      this.#finishing.delete(library)
    }
  }

  /** Nothing is being finished of it when this resolves: what has begun while it waited is waited for, too. */
  async #finished(library: string): Promise<void> {
    for (let work = this.#finishing.get(library); work !== undefined; work = this.#finishing.get(library))
      await work
  }

  #isFree(library: string): boolean {
    return ![...this.#sessions.values()].some(other => other.library === library)
  }

  #expectFree(library: string): void {
    if (!this.#isFree(library))
      throw new CatalogError('BUSY', 'this library is being followed already', { details: { isHere: true } })
  }

  #session(number: number): WorkerSession {
    return expectOpen(this.#sessions.get(number)).session
  }

  #bundle(number: number): BundleCopy {
    return expectOpen(this.#bundles.get(number))
  }

  async #follow(options: FollowOptions, nowMs: number): Promise<WorkerSession> {
    const { takeHead, limits, random } = this.#modules
    const modules = this.#draftModules(options)
    if (!options.isDryRun) {
      await this.copies.finish(options, nowMs, modules.slice)
      if (options.strategy === 'full') await this.copies.discardStaged(options, nowMs, modules.slice)
    }
    const { sketches } = this
    return await FollowerSession.open({ ...modules, sketches, takeHead, random, limits }, options)
  }

  #draftModules({ writer }: Pick<FollowOptions, 'writer'>): DraftModules {
    const { database, scheduler, cache, own, limits } = this.#modules
    if (bytesEqual(writer, own))
      throw new CatalogError('INVALID_ARGUMENT', 'a node does not follow its own library')
    const slice = scheduler.slice('sync')
    return { copies: this.copies, cache, snapshot: () => database.snapshot(), slice, limits }
  }

  #show(options: Extract<SessionOpening, { role: 'source' }>, nowMs: number): WorkerSession {
    const { scheduler, limits, random } = this.#modules
    const slice = scheduler.slice('sync')
    const show = (library: Uint8Array, node: Uint8Array): Promise<ShownLibrary> =>
      this.#shown(library, node, nowMs)
    return new SourceSession({ show, random, slice, limits }, options)
  }

  async #shown(library: Uint8Array, node: Uint8Array, nowMs: number): Promise<ShownLibrary> {
    const { database, cache, scheduler } = this.#modules
    await this.#signIfDue(library, node, nowMs)
    const snapshot = database.snapshot()
    try {
      const { libraryId, head } = this.#find(snapshot, library, node, nowMs)
      const tree = openTree(snapshot, libraryId, cache)
      if (!bytesEqual(tree.root, head.root))
        throw new CatalogError('TREE_DAMAGED', 'the tree of a library is not that of its head')
      const slice = scheduler.slice('sync')
      return {
        snapshot,
        tree,
        head,
        // Only who signs heads has a log of them.
        changesSince: async since =>
          isFollowedLibrary(libraryId)
            ? undefined
            : await this.#changesSince({ reader: snapshot, tree, head }, since),
        sketch: onRead => this.sketches.of(libraryId, tree, slice, onRead)
      }
    } catch (thrown) {
      await snapshot.close()
      throw thrown
    }
  }

  async #changesSince(
    shown: Parameters<typeof changesSince>[0],
    since: HeadPlace
  ): Promise<TreeChange[] | undefined> {
    const { scheduler, log } = this.#modules
    try {
      return await runSteps(changesSince(shown, since), scheduler.slice('sync'))
    } catch (err) {
      if (toCatalogError(err).code !== 'CONTENT_CORRUPT') throw err
      log.error({ err }, 'what the heads of this node changed cannot be read; libraries are compared instead')
      return undefined
    }
  }

  /** One whose row is damaged is as good as none too: a peer that may not know of it must not hear that there is something. */
  #readable<T>(read: () => T): T | undefined {
    try {
      return read()
    } catch (err) {
      if (toCatalogError(err).code !== 'CONTENT_CORRUPT') throw err
      this.#modules.log.error({ err }, 'what is known of a library cannot be read')
      return undefined
    }
  }

  /** A library that a node may not know of is as good as none. */
  #find(
    reader: DatabaseReader,
    library: Uint8Array,
    node: Uint8Array,
    nowMs: number
  ): { libraryId: string; head: Head } {
    const { audiences, own } = this.#modules
    const found = this.#readable(() => libraryOf(reader, library, own))
    if (found?.head !== undefined && audiences.admits(reader, node, found.libraryId, nowMs))
      return { libraryId: found.libraryId, head: found.head }
    throw new CatalogError('NOT_FOUND', 'this node has no such library')
  }

  /** A library that nothing was published in has no head, and that of a node that was away may be old. */
  async #signIfDue(library: Uint8Array, node: Uint8Array, nowMs: number): Promise<void> {
    const { database, writes, trees, audiences, own, sign } = this.#modules
    await writes.run(async () => {
      const mine = readOwnLibrary(database, own, library)
      if (mine === undefined || !audiences.admits(database, node, mine.libraryId, nowMs)) return
      const head = readHead(database, library, own)
      const isDue = head === undefined || isRenewalDue(head, nowMs) || !isOf(head, trees.open(mine.libraryId))
      if (isDue) await database.batch(sign(mine, nowMs), { sync: true })
    })
  }
}

const keyOf = (library: Uint8Array): string => Buffer.from(library).toString('hex')

function expectOpen<T>(found: T | undefined): T {
  // The worker ended meanwhile.
  if (found === undefined) throw new CatalogError('ABORTED', 'the session has ended')
  return found
}

const isOf = ({ root }: Head, tree: StoredTree): boolean => bytesEqual(root, tree.root)

const unexpected = async (): Promise<never> => {
  throw new CatalogError('INTERNAL', 'a session that is not open yet')
}

/** Holds a place until there is a session. */
const IDLE: WorkerSession = { take: unexpected, say: unexpected, close: async () => undefined }
