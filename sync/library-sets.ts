import { CatalogError, type Clock, type Logger, toCatalogError } from '../base/index.ts'
import {
  type DatabaseReader,
  type Library,
  nameOfOwn,
  type ReleaseRecord,
  readMember
} from '../library/index.ts'
import type { SessionPort } from '../protocols/index.ts'
import { bytesEqual } from '../trust/index.ts'
import { LibraryAccess, readDeleted, readOwnLibrary } from './access/index.ts'
import { libraryOf } from './find-library.ts'
import {
  type BundleOpening,
  type BundleOutcome,
  copyName,
  type FollowedRow,
  type FollowOptions,
  type FollowOutcome,
  isUnfinished,
  type JoiningPage,
  type JoiningWish,
  joiningPage,
  readAllFollowed,
  readFollowed,
  type SourceOptions
} from './follow/index.ts'
import {
  type Contradiction,
  type Head,
  type HeadVerdict,
  isExpired,
  isRenewalDue,
  libraryIdOf,
  readEvidence,
  readHead
} from './heads/index.ts'
import {
  entryCount,
  entryHash,
  entryKey,
  iterateEntries,
  openTree,
  type RebuiltTree,
  type TreeReport,
  type TreeView
} from './trie/index.ts'
import { WorkerSide } from './worker-side.ts'

export interface LibrarySetsModules {
  library: Pick<Library, 'snapshot' | 'companion' | 'holdWorker'>
  clock: Clock
  log: Logger
}

export interface LibrarySetsOptions {
  /** Public key of the node, which signs its heads. */
  writer: Uint8Array
}

/** How a library of this node stands. */
export interface SetState {
  readonly root: Uint8Array
  /** In the set: releases and what is said of them. */
  readonly records: number
  /** The last head that this node signed for it; undefined before the first. */
  readonly head: Head | undefined
  /** Whether that may no longer be relied on. */
  readonly isExpired: boolean
  /** Whether it should be signed again: it is old, missing, or of another root. */
  readonly isRenewalDue: boolean
}

/** A library that is followed, and the copy of it that counts. */
export interface Followed {
  readonly library: Uint8Array
  readonly row: FollowedRow
  readonly root: Uint8Array
  readonly records: number
  /** Whether the head of the copy may no longer be relied on: what is newer may be missing. */
  readonly isExpired: boolean
}

const NO_HEAD = new Uint8Array()

/** A page of the releases of a followed library. */
export interface FollowedReleases {
  readonly releases: ReleaseRecord[]
  readonly next?: Uint8Array
}

/** A library of one moment, and the head of that very set. */
export interface ShownSet {
  readonly reader: DatabaseReader
  readonly tree: TreeView
  readonly head: Head
}

export type SessionRequest = Omit<FollowOptions, 'session'> | Omit<SourceOptions, 'session'>

/** The worker's side of a session; only a follower's has an outcome. */
export type LibrarySession = SessionPort<FollowOutcome>

/** The worker's side of a bundle that is taken in: see follow/bundle-copy.ts. One call after the other, and `close` whatever happens. */
export interface BundlePort {
  take(records: readonly Uint8Array[]): Promise<unknown>
  end(): Promise<BundleOutcome>
  close(): Promise<void>
}

/**
 * The sets of this node's libraries, as the main thread has them: it reads the database itself and has the worker do what is
 * heavy or writes. Methods that read throw TREE_DAMAGED or CONTENT_CORRUPT when the rows are not what was written.
 */
export class LibrarySets {
  readonly #modules: LibrarySetsModules
  readonly #writer: Uint8Array
  readonly #worker: WorkerSide
  /** The libraries of this node, and who may know of which. */
  readonly access: LibraryAccess
  #nextSession = 1

  constructor(modules: LibrarySetsModules, { writer }: LibrarySetsOptions) {
    this.#modules = modules
    this.#writer = writer
    this.#worker = new WorkerSide(modules.library)
    this.access = new LibraryAccess(modules, { writer })
  }

  /** By which others know a library. */
  idOf(libraryId: string): Uint8Array {
    return libraryIdOf(this.#writer, nameOfOwn(libraryId))
  }

  state(libraryId: string): Promise<SetState> {
    const nowMs = this.#modules.clock.now()
    return this.#worker.reading(async reader => {
      const { top, root } = openTree(reader, libraryId)
      const head = readHead(reader, this.idOf(libraryId), this.#writer)
      const isRoot = head !== undefined && bytesEqual(head.root, root)
      return {
        root,
        records: top?.count ?? 0,
        head,
        isExpired: head !== undefined && isExpired(head, nowMs),
        isRenewalDue: head === undefined ? top !== undefined : !isRoot || isRenewalDue(head, nowMs)
      }
    })
  }

  /**
   * Runs `work` with a library of this node, or with the copy that is followed of another one. NOT_FOUND when it is not here or has no
   * records, NOT_PERMITTED when it is closed: what is made of it here could go anywhere.
   */
  async show<T>(
    library: Uint8Array,
    work: (shown: ShownSet) => Promise<T>,
    signal?: AbortSignal
  ): Promise<T> {
    const own = await this.#worker.reading(async reader => readOwnLibrary(reader, this.#writer, library))
    if (own !== undefined && (await this.state(own.libraryId)).isRenewalDue)
      await this.renew(own.libraryId, signal)
    return await this.#worker.reading(async reader => {
      const { libraryId = '', head } = libraryOf(reader, library, this.#writer) ?? {}
      const tree = openTree(reader, libraryId)
      if (head?.isClosed === true)
        throw new CatalogError(
          'NOT_PERMITTED',
          'this library is not for everybody who could get hold of a file'
        )
      if (head === undefined || tree.top === undefined)
        throw new CatalogError('NOT_FOUND', 'this library is not here, or has no records', {
          hint: '`catalog library list` shows those that are here'
        })
      if (!bytesEqual(head.root, tree.root))
        throw new CatalogError('TREE_DAMAGED', 'the tree of a library is not that of its head')
      return await work({ reader, tree, head })
    })
  }

  /** Every contradiction between heads that is kept. */
  evidence(signal?: AbortSignal): Promise<Contradiction[]> {
    return this.#worker.reading(reader => Array.fromAsync(readEvidence(reader, signal)))
  }

  /** Reads every node and record of a library and compares them. */
  check(libraryId: string, signal?: AbortSignal): Promise<TreeReport> {
    return this.#worker.ask('checkTree', { libraryId }, signal)
  }

  /** Builds the tree of a library anew from its records, while its changes wait. */
  rebuild(libraryId: string, signal?: AbortSignal): Promise<RebuiltTree> {
    return this.#worker.ask('rebuildTree', { libraryId, nowMs: this.#now() }, signal)
  }

  /** Signs the root of a library again, for another week. */
  renew(libraryId: string, signal?: AbortSignal): Promise<undefined> {
    return this.#worker.ask('renewHead', { libraryId, nowMs: this.#now() }, signal)
  }

  /**
   * Takes a head of any writer that a peer has shown, and says what came of it; HEAD_INVALID, SIGNATURE_INVALID, UNSUPPORTED,
   * LIMIT_EXCEEDED. One of this node's own that it does not remember begins a new epoch.
   */
  take(head: Uint8Array, signal?: AbortSignal): Promise<HeadVerdict | 'forgotten'> {
    return this.#worker.ask('takeHead', { head, nowMs: this.#now() }, signal)
  }

  /**
   * Runs `work` with a session that the worker has its side of, and ends it after. BUSY when there are too many, or another one that
   * changes the same library.
   */
  async session<T>(
    opening: SessionRequest,
    work: (port: LibrarySession) => Promise<T>,
    signal?: AbortSignal
  ): Promise<T> {
    const session = this.#nextSession++
    // A session lives in the worker, also while it waits for the peer.
    const release = this.#modules.library.holdWorker()
    try {
      // Not given up half-way: what the worker has begun for a library must end before another session may have it.
      await this.#worker.ask('sessionOpen', { opening: { ...opening, session }, nowMs: this.#now() })
      signal?.throwIfAborted()
      return await work({
        take: ({ kind, body, sizeBytes }) =>
          this.#worker.ask('sessionTake', { session, kind, body, sizeBytes, nowMs: this.#now() }),
        say: () => this.#worker.ask('sessionSay', { session, nowMs: this.#now() })
      })
    } finally {
      await this.#worker.ask('sessionClose', { session }).finally(release)
    }
  }

  /**
   * Begins to make the copy of another node's library what a bundle has of it. BUSY as for a session; HEAD_INVALID, LIMIT_EXCEEDED,
   * INVALID_ARGUMENT for a library of this node.
   */
  async openBundle(opening: Omit<BundleOpening, 'session'>): Promise<BundlePort> {
    const session = this.#nextSession++
    const release = this.#modules.library.holdWorker()
    const nowMs = this.#now()
    await this.#worker.ask('bundleOpen', { opening: { ...opening, session }, nowMs }).catch(thrown => {
      release()
      throw thrown
    })
    return {
      take: records => this.#worker.ask('bundleTake', { session, records, nowMs: this.#now() }),
      end: () => this.#worker.ask('bundleEnd', { session, nowMs: this.#now() }),
      close: async () => void (await this.#worker.ask('sessionClose', { session }).finally(release))
    }
  }

  /**
   * The signed head of the set that this node has now of a library, its own or one it follows; empty when none is signed yet, undefined
   * when it has no such library.
   */
  headOf(library: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#worker.reading(async reader => {
      const found = libraryOf(reader, library, this.#writer)
      return found && (found.head?.bytes ?? NO_HEAD)
    })
  }

  /** The libraries that are followed, as far as copies of them are here; those whose rows cannot be read are left out, and told. */
  followed(onUnreadable: (library: Uint8Array) => void, signal?: AbortSignal): Promise<Followed[]> {
    const nowMs = this.#now()
    return this.#worker.reading(async reader => {
      const all: Followed[] = []
      for await (const { library, readRow } of readAllFollowed(reader, signal))
        try {
          all.push(followedOf(reader, library, readRow(), nowMs))
        } catch (thrown) {
          const { code } = toCatalogError(thrown)
          if (code !== 'CONTENT_CORRUPT' && code !== 'TREE_DAMAGED') throw thrown
          onUnreadable(library)
        }
      return all
    })
  }

  /** The name here of the copy of a followed library that counts; undefined when there is none. */
  copyOf(library: Uint8Array): Promise<string | undefined> {
    return this.#worker.reading(async reader => {
      const row = readFollowed(reader, library)
      return row === undefined || row.copy === 0 ? undefined : copyName(library, row.copy, row)
    })
  }

  /** The names here of the copies of followed libraries that count. */
  copies(signal?: AbortSignal): Promise<string[]> {
    return this.#worker.reading(async reader => {
      const names: string[] = []
      for await (const { library, readRow } of readAllFollowed(reader, signal)) {
        const row = readRow()
        if (row.copy !== 0) names.push(copyName(library, row.copy, row))
      }
      return names
    })
  }

  /**
   * The releases of a followed library, some at a time, in the order of their keys: those behind the key `after`. `next` goes into the next
   * call; absent on the last page, and when the library is not here.
   */
  followedReleases(library: Uint8Array, after?: Uint8Array): Promise<FollowedReleases> {
    return this.#worker.reading(async reader => {
      const row = readFollowed(reader, library)
      if (row === undefined || row.copy === 0) return { releases: [] }
      return pageOf(reader, copyName(library, row.copy, row), after)
    })
  }

  /**
   * Records of a followed library that are to join home, some at a time: see follow/joins.ts. `after`: `next` of the page before. NOT_PERMITTED
   * for a library that is not public.
   */
  joining(library: Uint8Array, which: JoiningWish): Promise<JoiningPage> {
    return this.#worker.reading(async reader => joiningPage(reader, library, which))
  }

  /** Has records of a followed library join home, MAX_JOINED at most; how many did, or would. NOT_PERMITTED. */
  join(
    joining: { library: Uint8Array; recHashes: readonly Uint8Array[]; isDryRun: boolean },
    signal?: AbortSignal
  ): Promise<number> {
    return this.#worker.ask('joinRecords', { ...joining, nowMs: this.#now() }, signal)
  }

  /** Lets go of the copy of a library; false when there is none. BUSY while it is being followed. */
  forget(library: Uint8Array, signal?: AbortSignal): Promise<boolean> {
    return this.#worker.ask('forgetLibrary', { library, nowMs: this.#now() }, signal)
  }

  /**
   * Leads names to what is new in copies that count, takes those before away, and what is left of own libraries that were deleted, where a node
   * was stopped before it had done so. What a bundle has begun goes, unless it is coming still.
   */
  async finishCopies(signal?: AbortSignal): Promise<void> {
    const isDue = await this.#worker.reading(async reader => {
      for await (const { readRow } of readAllFollowed(reader, signal))
        try {
          if (isUnfinished(readRow())) return true
        } catch {
          // The worker tells of it, when it has finished the others.
          return true
        }
      for await (const _ of readDeleted(reader, signal)) return true
      return false
    })
    if (isDue) await this.#worker.ask('finishCopies', { nowMs: this.#now() }, signal)
  }

  #now(): number {
    return this.#modules.clock.now()
  }
}

function followedOf(reader: DatabaseReader, library: Uint8Array, row: FollowedRow, nowMs: number): Followed {
  const { top, root } = openTree(reader, copyName(library, row.copy, row))
  const expired = row.head !== undefined && isExpired(row.head, nowMs)
  return { library, row, root, records: top?.count ?? 0, isExpired: expired }
}

/** Records of one page: some 10 ms. */
const PAGE_RECORDS = 256

function pageOf(reader: DatabaseReader, libraryId: string, after: Uint8Array | undefined): FollowedReleases {
  const releases: ReleaseRecord[] = []
  let records = 0
  const behind = after === undefined ? {} : { after }
  for (const entries of iterateEntries(openTree(reader, libraryId), behind))
    for (let at = 0; at < entryCount(entries); at++) {
      const record = readMember(reader, entryHash(entries, at))
      if (record !== undefined && 'release' in record) releases.push(record)
      if (++records === PAGE_RECORDS) return { releases, next: Uint8Array.from(entryKey(entries, at)) }
    }
  return { releases }
}
