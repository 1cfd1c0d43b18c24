/**
 * Nodes that follow each other without a network: each is the worker's host in this thread on a LevelDB of its own, and sessions hand
 * frames from one to the other, which a test may change on the way.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CatalogError, GIB, silentLogger, systemClock, toCatalogError } from '../../../base/index.ts'
import { membershipKey, recordKey } from '../../../library/database/keys.ts'
import { type Level, LevelReader, openLevel } from '../../../library/database/level.ts'
import {
  createReleaseRecord,
  type DatabaseWriter,
  HOME_LIBRARY,
  KeyFamily,
  makeKey,
  type ReleaseRecord,
  readLibraryState,
  type WriteOperation
} from '../../../library/index.ts'
import { createRegistry, type Registry } from '../../../library/registry/index.ts'
import { WorkerHost } from '../../../library/worker/host.ts'
import { FrameReader, readSyncFrame, type SyncFrame } from '../../../protocols/index.ts'
import { FOLLOW_LIMITS, type FollowLimits } from '../../../sync/follow/index.ts'
import {
  copyName,
  type Followed,
  type FollowOutcome,
  type LibrarySession,
  LibrarySets,
  libraryIdOf,
  openSyncCompanion,
  type SyncStrategy
} from '../../../sync/index.ts'
import { SigningKey, sha256 } from '../../../trust/index.ts'
import { contentOf, keyOf, NOW_MS, small } from '../records/examples.ts'

export interface HomeOptions {
  limits?: Partial<FollowLimits>
}

export class SyncHome {
  readonly key: SigningKey
  readonly registry: Registry
  readonly sets: LibrarySets
  readonly reader: LevelReader
  nowMs = NOW_MS
  /** That sync has opened and not closed. */
  openSnapshots = 0
  /** Batches that sync may write before the disk fails, once; undefined = it does not. */
  batchesLeft: number | undefined
  /** How often sync has gone through rows. */
  walks = 0
  readonly #home: string
  readonly #level: Level
  readonly #host: WorkerHost

  static async open(name: string, { limits = {} }: HomeOptions = {}): Promise<SyncHome> {
    const home = await mkdtemp(join(tmpdir(), `catalog-sync-${name}-`))
    await mkdir(join(home, 'db'))
    const key = SigningKey.fromSeed(sha256(Buffer.from(`node ${name}`)))
    return new SyncHome(home, await openLevel(join(home, 'db')), key, { ...FOLLOW_LIMITS, ...limits })
  }

  private constructor(home: string, level: Level, key: SigningKey, limits: FollowLimits) {
    this.#home = home
    this.#level = level
    this.key = key
    this.reader = new LevelReader(level)
    const settings = {
      home,
      databaseFolder: join(home, 'db'),
      segmentsFolder: join(home, 'segments'),
      quotaBytes: 0,
      compression: 'zstd' as const
    }
    this.#host = new WorkerHost(
      {
        log: silentLogger,
        companion: modules =>
          openSyncCompanion(
            { ...modules, database: this.#failing(modules.database), signer: key },
            { place: Buffer.from('here'), limits }
          )
      },
      settings
    )
    const { signal } = new AbortController()
    const host = this.#host
    const clock = { ...systemClock, now: () => this.nowMs }
    this.registry = createRegistry({
      database: { ...this.#database, write: operations => this.write(operations) },
      writer: {
        write: request => host.handle('registryWrite', request, signal),
        addAll: request => host.handle('registryAddAll', request, signal),
        remove: async (recHash, nowMs) =>
          void (await host.handle('registryRemove', { recHash, nowMs }, signal))
      },
      clock
    })
    this.sets = new LibrarySets(
      {
        library: {
          snapshot: () => new LevelReader(level).snapshot(),
          companion: (method, parameters) => host.handle('companion', { method, parameters }, signal),
          holdWorker: () => () => undefined
        },
        clock,
        log: silentLogger
      },
      { writer: key.publicKey }
    )
  }

  get #database(): Pick<LevelReader, 'get' | 'getMany' | 'iterate'> {
    const reader = new LevelReader(this.#level)
    return {
      get: key => reader.get(key),
      getMany: keys => reader.getMany(keys),
      iterate: (range, signal) => reader.iterate(range, signal)
    }
  }

  async write(operations: WriteOperation[]): Promise<void> {
    await this.#host.handle('databaseWrite', { operations, sync: true }, new AbortController().signal)
  }

  #failing(database: DatabaseWriter): DatabaseWriter {
    const batch: DatabaseWriter['batch'] = async (operations, options) => {
      if (this.batchesLeft !== undefined && this.batchesLeft-- === 0) {
        this.batchesLeft = undefined
        throw new CatalogError('DISK_IO', 'the disk fails')
      }
      await database.batch(operations, options)
    }
    const snapshot: DatabaseWriter['snapshot'] = () => {
      const opened = database.snapshot()
      const close = opened.close.bind(opened)
      this.openSnapshots++
      return Object.assign(opened, {
        close: async () => {
          this.openSnapshots--
          await close()
        }
      })
    }
    return new Proxy(database, {
      get: (target, name) => {
        if (name === 'batch') return batch
        if (name === 'iterate') this.walks++
        if (name === 'snapshot') return snapshot
        const value = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      }
    })
  }

  get library(): Uint8Array {
    return libraryIdOf(this.key.publicKey, HOME_LIBRARY)
  }

  /** The id of a library of this node. */
  idOf(name: string): Uint8Array {
    return libraryIdOf(this.key.publicKey, name)
  }

  /** Publishes into one of its own libraries other than home. */
  async publishIn(name: string, ...releases: ReleaseRecord[]): Promise<void> {
    const { libraryId } = await this.sets.access.ownNamed(name)
    for (const { bytes } of releases) await this.registry.publish(bytes, { libraryId })
  }

  async publish(...releases: ReleaseRecord[]): Promise<void> {
    for (const { bytes } of releases) await this.registry.publish(bytes)
  }

  /** The libraries that are followed. */
  async followed(): Promise<Followed[]> {
    return await this.sets.followed(library => {
      throw new Error(`the row of ${Buffer.from(library).toString('hex')} cannot be read`)
    })
  }

  /** The libraries that are followed, checked node by node and record by record. */
  async followedWhole({ isRepaired = false } = {}): Promise<string[]> {
    const roots: string[] = []
    for (const { library, row, root } of await this.followed()) {
      const name = copyName(library, row.copy, row)
      const report = await this.sets.check(name)
      if (!report.ok) throw new Error(`the copy is damaged: ${report.problems.join('; ')}`)
      const [told, counted] = [readLibraryState(this.reader, name).sizeBytes, await this.#sizeOf(name)]
      // What a repair leaves out stays counted until a copy is made anew.
      if (!isRepaired && (told ?? 0) !== counted)
        throw new Error(`a copy of ${counted} bytes says it has ${told}`)
      roots.push(Buffer.from(root).toString('hex'))
    }
    return roots
  }

  /** Bytes of the records of a copy. */
  async #sizeOf(name: string): Promise<number> {
    let bytes = 0
    for await (const [key] of this.reader.iterate({ prefix: makeKey(KeyFamily.Membership) })) {
      const recHash = key.subarray(KeyFamily.Membership.length, KeyFamily.Membership.length + 32)
      if (Buffer.from(key).equals(membershipKey(recHash, name)))
        bytes += this.reader.get(recordKey(recHash))!.byteLength
    }
    return bytes
  }

  async root(): Promise<string> {
    return Buffer.from((await this.sets.state(HOME_LIBRARY)).root).toString('hex')
  }

  async close(): Promise<void> {
    await this.#host.handle('close', undefined, new AbortController().signal)
    await this.#level.close()
    await rm(this.#home, { recursive: true, force: true })
  }
}

const publisher = keyOf('ada')

/** A release as good as any other, by number. */
export const numbered = (number: number, sequence = NOW_MS): ReleaseRecord =>
  createReleaseRecord(
    small({ name: `package-${number}`, content: contentOf(`content ${number}`), sequence }),
    publisher
  )

export const range = (from: number, to: number): ReleaseRecord[] =>
  Array.from({ length: to - from }, (_, index) => numbered(from + index))

export interface SessionOptions {
  /** Whose library; the source's own unless given. */
  of?: SyncHome
  /** Which one of its libraries; home unless given. */
  name?: string
  isDryRun?: boolean
  isToJoin?: boolean
  strategy?: SyncStrategy
  maxRecords?: number
  maxBytes?: number
  compareInMs?: number
  sketchInMs?: number
  /** Changes the frames of a turn of the source on their way. */
  change?: (frames: Uint8Array[], turn: number) => Uint8Array[] | Promise<Uint8Array[]>
  /** The connection is lost after so many frames of the source. */
  cutAfterFrames?: number
}

/** What a session came to, and what it took. */
export interface SessionResult extends FollowOutcome {
  frames: number
  bytes: number
}

/** One home follows another's library by a session. Throws what ends it on the follower's side, or else on the source's. */
export async function follow(
  follower: SyncHome,
  source: SyncHome,
  options: SessionOptions = {}
): Promise<SessionResult> {
  const {
    of = source,
    name = HOME_LIBRARY,
    isDryRun = false,
    isToJoin = false,
    strategy = 'differential',
    compareInMs = 0,
    sketchInMs = 0
  } = options
  const { maxRecords = 1_000_000, maxBytes = GIB } = options
  const local = follower.key.publicKey
  const remote = source.key.publicKey
  const opening = {
    role: 'follower',
    library: of.idOf(name),
    writer: of.key.publicKey,
    name: HOME_LIBRARY,
    isDryRun,
    isToJoin,
    strategy,
    maxRecords,
    maxBytes,
    local,
    remote
  } as const
  const limits = { compareInMs, sketchInMs }
  const showing = { role: 'source', local: remote, remote: local, node: local, ...limits } as const
  return await source.sets.session(showing, theirs =>
    follower.sets.session(opening, mine => exchange(mine, theirs, options))
  )
}

async function exchange(
  mine: LibrarySession,
  theirs: LibrarySession,
  { change = frames => frames, cutAfterFrames = Number.POSITIVE_INFINITY }: SessionOptions
): Promise<SessionResult> {
  const count = { frames: 0, bytes: 0 }
  for (let turn = 0; ; turn++) {
    const said = await turnOf(mine)
    // The last word is heard even where nothing follows it.
    await hear(theirs, said.frames).catch(thrown => {
      if (said.outcome === undefined) throw thrown
    })
    if (said.outcome !== undefined) return { ...said.outcome, ...count }
    const answer = await change((await turnOf(theirs)).frames, turn)
    for (const frame of answer) {
      if (++count.frames > cutAfterFrames) throw toCatalogError(new Error('the connection was lost'))
      count.bytes += frame.byteLength
      // What a peer says behind the end of its turn is not read.
      if (await hear(mine, [frame])) break
    }
  }
}

async function turnOf(
  session: LibrarySession
): Promise<{ frames: Uint8Array[]; outcome: FollowOutcome | undefined }> {
  const frames: Uint8Array[] = []
  for (;;) {
    const part = await session.say()
    frames.push(...part.frames)
    if (!part.more) return { frames, outcome: part.ended?.outcome }
  }
}

/** Whether the turn has ended. */
async function hear(session: LibrarySession, frames: readonly Uint8Array[]): Promise<boolean> {
  for (const frame of await parse(frames)) if (await session.take(frame)) return true
  return false
}

/** Frames as they come out of a stream. */
export async function parse(frames: readonly Uint8Array[]): Promise<SyncFrame[]> {
  const reader = new FrameReader(
    (async function* () {
      if (frames.length > 0) yield Buffer.concat(frames)
    })()
  )
  const parsed: SyncFrame[] = []
  for (let next = await readSyncFrame(reader); next !== undefined; next = await readSyncFrame(reader))
    parsed.push(next)
  return parsed
}
