import { isAbsolute, join } from 'node:path'
import type { Registry as MetricsRegistry } from 'prom-client'
import {
  CatalogError,
  type Clock,
  type Logger,
  type PartMetrics,
  partMetrics,
  plural
} from '../base/index.ts'
import { type Bucket, BucketOwner, openBucket } from './content/bucket.ts'
import { BucketReads } from './content/bucket-reads.ts'
import { BucketState, bucketRows } from './content/bucket-rows.ts'
import type { BucketStoreSettings } from './content/bucket-segments.ts'
import { WorkerBucket } from './content/bucket-work.ts'
import type { Compression } from './content/compression.ts'
import { nodeDisk } from './content/disk.ts'
import { segmentPath } from './content/local-segments.ts'
import { decodeTail } from './content/record.ts'
import { isRecovered } from './content/recovery.ts'
import type { SegmentReads } from './content/segment-backend.ts'
import { SegmentFiles } from './content/segment-files.ts'
import { DAMAGE_KEY, TAIL_KEY } from './content/segment-modules.ts'
import { LocalContentStore } from './content/store.ts'
import { storeId } from './content/store-id.ts'
import { ChangeMarks } from './database/change-marks.ts'
import { type Level, LevelReader, LevelWriter, openLevel } from './database/level.ts'
import { type ReadNotes, Remembered } from './database/remembered.ts'
import type { Database, DatabaseSnapshot, DatabaseWriter, WriteOperation } from './database/types.ts'
import { dropHeld, type HeldState, holdState, placesOf } from './held-state.ts'
import { createRegistry } from './registry/registry.ts'
import type { Registry, RegistryWriter } from './registry/types.ts'
import { registerStoreMetrics } from './store-metrics.ts'
import type { Library } from './types.ts'
import { WorkerClient } from './worker/client.ts'

export interface LibraryModules {
  log: Logger
  clock: Clock
  metrics?: MetricsRegistry
}

/** A bucket, and how much of what goes there may stand here. */
export type BucketOptions = Omit<BucketStoreSettings, 'storeId'>

export interface LibraryOptions {
  /** Absolute path of the home; it exists. `db/` and `segments/` in it belong to the library. */
  home: string
  /** What the worker thread is started with: a file that calls `runWorker`. */
  workerUrl: URL
  /** Time without work after which the worker ends; a minute by default. */
  workerIdleMs?: number
  /** Bytes of content at most: what would exceed them is refused with QUOTA_EXCEEDED. 0 (the default) = no limit. */
  quotaBytes?: number
  /** How chunks of folders are kept: compressed where it pays (the default), or all as they are. */
  compression?: Compression
  /** Where sealed segments go; they stay in the home without it. */
  bucket?: BucketOptions | undefined
}

/**
 * Opens what a node holds. When a crash left segments that are not in the index yet, or `db/` was lost, the worker
 * recovers them first. HOME_LOCKED when another process has the home open, HOME_MISSING when there is none.
 */
export async function openLibrary(modules: LibraryModules, options: LibraryOptions): Promise<Library> {
  const { home } = options
  if (!isAbsolute(home))
    throw new CatalogError('INVALID_ARGUMENT', `the home ${home} is not an absolute path`)
  if ((await nodeDisk.sizeOf(home)) === undefined)
    throw new CatalogError('HOME_MISSING', `there is no folder ${home}`)
  const databaseFolder = join(home, 'db')
  const segmentsFolder = join(home, 'segments')
  await nodeDisk.makeFolder(databaseFolder)
  const level = await openLevel(databaseFolder)
  const library = await localLibrary(modules, options, { level, databaseFolder, segmentsFolder })
  try {
    await dropHeld(segmentsFolder)
    const tail = decodeTail(library.database.get(TAIL_KEY))
    const isChecked = library.database.get(DAMAGE_KEY) === undefined
    // What stands in the bucket is known only to it when there is no tail.
    const isNew = options.bucket !== undefined && library.database.get(TAIL_KEY) === undefined
    if (isNew || !isChecked || !(await isRecovered(nodeDisk, segmentsFolder, tail))) await library.recover()
    return library
  } catch (thrown) {
    await library.close()
    throw thrown
  }
}

/**
 * Keeps every other process out of a home while `work` runs, which may open the database itself: a process shares its lock.
 * HOME_LOCKED when another process has the home open.
 */
export async function withHomeLocked<T>(home: string, work: () => Promise<T>): Promise<T> {
  return await withDatabase(home, work)
}

/** Opens the database of a home that no library is open on, for as long as `work` runs. HOME_LOCKED as above. */
export async function withDatabase<T>(
  home: string,
  work: (database: DatabaseWriter) => Promise<T>
): Promise<T> {
  const level = await openLevel(join(home, 'db'))
  try {
    return await work(new LevelWriter(level))
  } finally {
    await level.close()
  }
}

interface OpenedBucket {
  bucket: Bucket
  settings: BucketStoreSettings
}

/** Opens the bucket first, where there is one. BUCKET_NOT_CONFIGURED when there is none and segments stand in one. */
async function localLibrary(
  modules: LibraryModules,
  options: LibraryOptions,
  places: Places
): Promise<LocalLibrary> {
  try {
    if (options.bucket === undefined) {
      await expectAllLocal(places)
      return new LocalLibrary(modules, options, places)
    }
    const settings = { ...options.bucket, storeId: await storeId(places.segmentsFolder) }
    const bucket = await openBucket(settings)
    return new LocalLibrary(modules, options, { ...places, bucket, settings })
  } catch (thrown) {
    await places.level.close()
    throw thrown
  }
}

async function expectAllLocal({ level, segmentsFolder }: Places): Promise<void> {
  let away = 0
  for await (const [segment, { state }] of bucketRows(new LevelReader(level)))
    if (
      state === BucketState.Sent &&
      (await nodeDisk.sizeOf(segmentPath(segmentsFolder, segment))) === undefined
    )
      away++
  if (away > 0)
    throw new CatalogError(
      'BUCKET_NOT_CONFIGURED',
      `this home has ${plural(away, 'segment')} only in a bucket`,
      {
        details: { segments: away }
      }
    )
}

function bucketReads(
  local: SegmentFiles,
  { bucket, storeId }: { bucket: Bucket; storeId: string },
  metrics: PartMetrics<'library'>
): SegmentReads {
  const read = metrics.counter('content_bucket_read_bytes_total')
  const owner = new BucketOwner(bucket, storeId)
  return new BucketReads({ local, bucket, owner, onRead: bytes => read.inc(bytes) })
}

interface Places {
  level: Level
  databaseFolder: string
  segmentsFolder: string
}

class LocalLibrary implements Library {
  readonly database: Database
  readonly content: LocalContentStore
  readonly registry: Registry
  readonly remembered: Remembered
  readonly #level: Level
  readonly #reader: LevelReader
  readonly #segmentsFolder: string
  readonly #worker: WorkerClient
  #closing: Promise<void> | undefined

  constructor(modules: LibraryModules, options: LibraryOptions, places: Places & Partial<OpenedBucket>) {
    const { log, clock, metrics } = modules
    const { level, databaseFolder, segmentsFolder, bucket, settings } = places
    const libraryMetrics = partMetrics(metrics, 'library')
    this.#level = level
    const marks = new ChangeMarks()
    this.remembered = new Remembered(marks)
    this.#reader = new LevelReader(level, { notes: this.remembered })
    this.#segmentsFolder = segmentsFolder
    this.#worker = new WorkerClient(
      { log, clock, metrics: libraryMetrics },
      {
        url: options.workerUrl,
        settings: {
          home: options.home,
          databaseFolder,
          segmentsFolder,
          quotaBytes: options.quotaBytes ?? 0,
          compression: options.compression ?? 'zstd',
          bucket: settings,
          changeMarks: marks.memory
        },
        ...(options.workerIdleMs === undefined ? {} : { idleMs: options.workerIdleMs })
      }
    )
    this.database = new WorkerDatabase(level, this.#worker, this.remembered)
    const files = new SegmentFiles(segmentsFolder)
    const opened = bucket && settings && { bucket, storeId: settings.storeId }
    const reads = opened === undefined ? files : bucketReads(files, opened, libraryMetrics)
    this.content = new LocalContentStore({
      database: this.database,
      worker: this.#worker,
      reads,
      bucket: opened && new WorkerBucket({ worker: this.#worker, reads, ...opened }),
      clock,
      log,
      metrics: libraryMetrics
    })
    libraryMetrics.gauge('remembered_bytes', () => this.remembered.sizeBytes)
    libraryMetrics.counted('remembered_answers_total', () => [
      [{ from: 'kept' }, this.remembered.counts.found],
      [{ from: 'read' }, this.remembered.counts.read]
    ])
    registerStoreMetrics(libraryMetrics, this.content, {
      segmentsFolder,
      quotaBytes: options.quotaBytes ?? 0
    })
    this.registry = createRegistry({
      database: this.database,
      writer: workerRegistry(this.#worker),
      clock,
      metrics
    })
  }

  get workerRunning(): boolean {
    return this.#worker.running
  }

  snapshot(): DatabaseSnapshot {
    return this.#reader.snapshot()
  }

  holdState(): Promise<HeldState> {
    return holdState(placesOf(this.#level, this.#segmentsFolder))
  }

  companion(method: string, parameters: unknown, signal?: AbortSignal): Promise<unknown> {
    return this.#worker.request('companion', { method, parameters }, { signal })
  }

  holdWorker(): () => void {
    return this.#worker.hold()
  }

  /** Has the worker bring segments and index together. */
  async recover(): Promise<void> {
    await this.#worker.request('open', undefined)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** The worker first: this thread owns the cache of the database, and must be the last to let go of it. */
  async #close(): Promise<void> {
    await this.content.settle()
    await this.#worker.close()
    await this.content.close()
    this.remembered.close()
    await this.#level.close()
  }
}

/** Reads here, writes in the worker. */
class WorkerDatabase extends LevelReader implements Database {
  readonly #worker: WorkerClient

  constructor(level: Level, worker: WorkerClient, notes: ReadNotes) {
    super(level, { notes })
    this.#worker = worker
  }

  write(operations: WriteOperation[], options: { sync: boolean; signal?: AbortSignal }): Promise<void> {
    const { sync, signal } = options
    return this.#worker.request('databaseWrite', { operations, sync }, { signal })
  }
}

function workerRegistry(worker: WorkerClient): RegistryWriter {
  return {
    write: (request, signal) => worker.request('registryWrite', request, { signal }),
    addAll: (request, signal) => worker.request('registryAddAll', request, { signal }),
    remove: (recHash, nowMs, signal) => worker.request('registryRemove', { recHash, nowMs }, { signal })
  }
}
