/**
 * The content store as the main thread uses it: reads happen here, verified and without blocking; every write
 * is a request to the worker.
 */
import type { CID } from 'multiformats/cid'
import { CatalogError, type Clock, type Logger, type PartMetrics, toCatalogError } from '../../base/index.ts'
import type { DatabaseReader } from '../database/types.ts'
import type { WorkerPort } from '../worker/client.ts'
import type { ScrubRequest, ScrubStep } from '../worker/scrub.ts'
import { ArrivingBlocks } from './arriving.ts'
import { blockIdOf } from './blocks.ts'
import type { WorkerBucket } from './bucket-work.ts'
import { completeKey } from './complete.ts'
import type {
  ContentPage,
  ContentQuery,
  ContentStore,
  CopyOptions,
  CopyReport,
  CopyTarget
} from './content-store.ts'
import { copyContent } from './copy.ts'
import { exportTar, type TarBlocks } from './export.ts'
import { heldKey, listHeld, readSummary } from './held.ts'
import { HoldingsCount } from './holdings.ts'
import { IngestClient } from './ingest-client.ts'
import { ContentKeeper } from './keeper.ts'
import { openManifest } from './manifest-reader.ts'
import { BlockReader } from './reader.ts'
import { ReceiveClient } from './receive-client.ts'
import { type BlockLocation, decodeTail } from './record.ts'
import type { SegmentReads } from './segment-backend.ts'
import { DAMAGE_KEY, TAIL_KEY } from './segment-modules.ts'
import { fileChunks } from './tree-reader.ts'
import type {
  BlockId,
  ChunkRef,
  CollectOutcome,
  CollectRequest,
  ContentSummary,
  Holdings,
  Ingest,
  KeptRelease,
  LocalState,
  ManifestReader,
  Receive,
  StoredBlock,
  StoreStats,
  VerifyReport
} from './types.ts'
import { pageKeys } from './update.ts'

export interface ContentStoreModules {
  database: DatabaseReader
  worker: WorkerPort
  reads: SegmentReads
  bucket: WorkerBucket | undefined
  clock: Clock
  log: Logger
  metrics: PartMetrics<'library'>
}

export class LocalContentStore implements ContentStore {
  readonly #database: DatabaseReader
  readonly #worker: WorkerPort
  readonly #log: Logger
  readonly #files: SegmentReads
  readonly bucket: WorkerBucket | undefined
  readonly #reader: BlockReader
  readonly #clock: Clock
  readonly #holdings: HoldingsCount
  readonly #keeper: ContentKeeper
  readonly #grown: Array<() => void> = []
  readonly #onGrown = (): void => {
    for (const listener of this.#grown) listener()
    this.bucket?.changed()
  }
  readonly #corrupt
  readonly #ingested
  readonly #collected
  readonly #freed
  readonly #received
  /** Ingests and receives begun; a number is never used again, whatever becomes of the worker. */
  #begun = 0

  constructor(modules: ContentStoreModules) {
    const { database, worker, clock, log, metrics, reads, bucket } = modules
    this.#database = database
    this.#worker = worker
    this.#log = log
    this.#clock = clock
    this.#holdings = new HoldingsCount({ database, clock })
    this.#files = reads
    this.bucket = bucket
    this.#keeper = new ContentKeeper({ database, worker, files: this.#files, clock, log })
    const read = metrics.counter('content_read_bytes_total')
    this.#corrupt = metrics.counter('content_corrupt_blocks_total')
    this.#ingested = metrics.counter('content_ingested_bytes_total')
    this.#received = metrics.counter('content_received_bytes_total')
    this.#collected = metrics.counter('content_collected_bytes_total')
    this.#freed = metrics.counter('content_freed_bytes_total')
    this.#reader = new BlockReader({
      index: database,
      files: this.#files,
      log,
      onRead: bytes => read.inc(bytes),
      onCorrupt: (id, location) => {
        this.#foundCorrupt(1)
        this.#giveUp(id, location)
      }
    })
  }

  hasBlock(id: BlockId): boolean {
    return this.#reader.has(id)
  }

  readBlock(id: BlockId, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#reader.read(id, signal)
  }

  readStored(id: BlockId, signal?: AbortSignal): Promise<StoredBlock> {
    return this.#reader.readStored(id, signal)
  }

  readStoredMany(
    ids: readonly BlockId[],
    memoryOf: (sizeBytes: number) => Uint8Array,
    signal?: AbortSignal
  ): Promise<StoredBlock[]> {
    return this.#reader.readStoredMany(ids, memoryOf, signal)
  }

  async beginIngest(options: { signal?: AbortSignal }): Promise<Ingest> {
    return await IngestClient.open(this.#worker, {
      number: ++this.#begun,
      nowMs: () => this.#clock.now(),
      onWritten: this.#onGrown,
      signal: options.signal,
      onFinished: ({ newBytes }) => this.#ingested.inc(newBytes)
    })
  }

  beginReceive(): Receive {
    return new ReceiveClient(this.#worker, {
      number: ++this.#begun,
      nowMs: () => this.#clock.now(),
      onWritten: sizeBytes => {
        this.#received.inc(sizeBytes)
        this.#onGrown()
      },
      onComplete: () => this.#holdings.completed()
    })
  }

  openManifest(content: CID, signal?: AbortSignal): Promise<ManifestReader> {
    return openManifest(this.#reader, content, signal)
  }

  chunks(root: CID, sizeBytes: number, signal?: AbortSignal): AsyncIterable<ChunkRef> {
    return fileChunks(this.#reader, root, sizeBytes, signal)
  }

  async wholePages(content: CID, signal?: AbortSignal): Promise<ReadonlySet<string> | undefined> {
    if (this.#database.get(DAMAGE_KEY) !== undefined || this.localState(content) !== 'complete')
      return undefined
    const keys = await pageKeys(this.#reader, content, signal)
    return keys === undefined ? undefined : new Set(keys)
  }

  localState(content: CID): LocalState {
    if (this.summary(content) !== undefined) return 'complete'
    return this.hasBlock(blockIdOf(content)) ? 'partial' : 'none'
  }

  summary(content: CID): ContentSummary | undefined {
    return readSummary(this.#database, content)
  }

  list(query: ContentQuery): Promise<ContentPage> {
    return listHeld(this.#database, query)
  }

  exportTar(content: CID, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    return this.#export(this.#reader, content, signal)
  }

  async *exportArriving(
    content: CID,
    fetched: Promise<unknown>,
    signal?: AbortSignal
  ): AsyncIterable<Uint8Array> {
    const modules = { reader: this.#reader, committed: this.#worker.committed, fetched }
    yield* this.#export(new ArrivingBlocks(modules, signal), content, signal)
    await fetched
  }

  async *#export(blocks: TarBlocks, content: CID, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    const done = this.#keeper.hold(content)
    try {
      yield* exportTar(blocks, content, signal)
    } catch (thrown) {
      const error = toCatalogError(thrown)
      if (error.code === 'CONTENT_CORRUPT' || error.code === 'CONTENT_MISSING') this.#unmark(content)
      throw thrown
    } finally {
      done()
    }
  }

  async copyTo(target: CopyTarget, content: CID, options: CopyOptions = {}): Promise<CopyReport> {
    const done = this.#keeper.hold(content)
    try {
      const summary = this.summary(content)
      if (summary === undefined)
        throw new CatalogError('CONTENT_MISSING', `the content ${content} is not whole here`)
      return await copyContent({ source: this.#reader, target }, { content, summary }, options)
    } finally {
      done()
    }
  }

  remove(content: CID, signal?: AbortSignal): Promise<void> {
    return this.#keeper.remove(content, signal)
  }

  hold(content: CID): () => void {
    return this.#keeper.hold(content)
  }

  isKept(content: CID): boolean {
    return this.#database.get(heldKey(content.bytes)) !== undefined
  }

  isPinned(release: KeptRelease): boolean {
    return this.#keeper.isPinned(release)
  }

  pin(release: KeptRelease, signal?: AbortSignal): Promise<void> {
    return this.#keeper.pin(release, signal)
  }

  unpin(release: KeptRelease, signal?: AbortSignal): Promise<void> {
    return this.#keeper.unpin(release, signal)
  }

  onGrown(listener: () => void): void {
    this.#grown.push(listener)
  }

  async collect(request: CollectRequest): Promise<CollectOutcome> {
    const outcome = await this.#keeper.collect(request)
    if (!request.dryRun) {
      this.#collected.inc(outcome.bytes)
      this.#freed.inc(outcome.freedBytes)
      this.bucket?.changed()
    }
    return outcome
  }

  async scrub(request: ScrubRequest, signal?: AbortSignal): Promise<ScrubStep> {
    const step = await this.#worker.request('scrub', request, { signal })
    this.#foundCorrupt(step.corrupt)
    return step
  }

  async verify(content: CID, signal?: AbortSignal): Promise<VerifyReport> {
    const report = await this.#worker.request('verify', { content: content.bytes }, { signal })
    this.#foundCorrupt(report.corrupt)
    return report
  }

  #foundCorrupt(blocks: number): void {
    this.#corrupt.inc(blocks)
    if (blocks > 0) this.#holdings.forget()
  }

  stats(): StoreStats {
    const { blocks, totalBytes } = decodeTail(this.#database.get(TAIL_KEY))
    return { bytes: totalBytes, chunks: blocks }
  }

  holdings(): Promise<Holdings> {
    return this.#holdings.now()
  }

  /** Before the worker ends: writes down when contents were last used. */
  async settle(): Promise<void> {
    await this.#keeper.writeUses()
  }

  /** Closes the segments that are open for reading. */
  close(): Promise<void> {
    return this.#files.close()
  }

  /**
   * Has the worker take a corrupt block out of the index. Until then the reader itself treats it as missing.
   */
  #giveUp(id: BlockId, location: BlockLocation): void {
    const { segment, offsetBytes } = location
    this.#worker
      .request('blockForget', { id: Uint8Array.from(id), segment, offsetBytes })
      .then(isGood => {
        if (isGood) this.#reader.trust(id, location)
      })
      .catch(thrown => this.#warn(thrown, 'a corrupt block could not be taken out of the index'))
  }

  /** A content that turned out not to be whole is no longer said to be: a fetch then completes it. */
  #unmark(content: CID): void {
    this.#worker
      .request('databaseWrite', {
        operations: [{ type: 'del', key: completeKey(content.bytes) }],
        sync: false
      })
      .catch(thrown => this.#warn(thrown, 'the mark of an incomplete content could not be removed'))
  }

  #warn(thrown: unknown, message: string): void {
    const error = toCatalogError(thrown)
    if (error.code !== 'SHUTTING_DOWN') this.#log.warn({ err: error }, message)
  }
}
