/**
 * The interface of a content store, whatever its segments stand in; test/unit/content/stores.test.ts holds each kind to it.
 *
 * | what one does with a store | here |
 * | --- | --- |
 * | store | `beginIngest` for a folder, `beginReceive` for blocks |
 * | get | `readBlock`; as at rest `readStored`, `readStoredMany`; what a content consists of: `openManifest`, `chunks`, `wholePages` |
 * | stream | `exportTar`, `exportArriving` |
 * | exists | `hasBlock` of a block, `localState` and `isKept` of a content |
 * | metadata | `summary` |
 * | list | `list` |
 * | delete | `remove` of one content; `collect` frees what nothing needs |
 * | copy to another store | `copyTo` |
 * | stats | `stats`, `holdings` |
 *
 * Beside these it keeps contents from being deleted (`hold`, `pin`) and looks whether they are what they were (`verify`, `scrub`).
 */
import type { CID } from 'multiformats/cid'
import type { ScrubRequest, ScrubStep } from '../worker/scrub.ts'
import type {
  BlockId,
  BucketWork,
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

/** Contents that one page of a list may ask for: each is some hundred bytes, and its pins. */
export const MAX_PAGE_CONTENTS = 1000

export interface ContentQuery {
  /** 1 to MAX_PAGE_CONTENTS; the caller pages with `after`. */
  limit: number
  /** The last content of the page before. */
  after?: CID
  signal?: AbortSignal
}

/** A content that is kept: it was complete once and was not let go of since. */
export interface HeldContent {
  content: CID
  /** Undefined while it is damaged: a block of it is gone or wrong. */
  summary: ContentSummary | undefined
  /** Ms since the epoch; 0 = it is let go of unless a release names it. */
  usedMs: number
  /** Releases that it is pinned for; the first MAX_LISTED_PINS. */
  pins: Array<Omit<KeptRelease, 'content'>>
}

export interface ContentPage {
  /** By CID, as bytes. */
  contents: HeldContent[]
  /** Whether there are more behind them. */
  hasMore: boolean
}

/** How far a copy is, in raw bytes. */
export interface CopyReport {
  /** Of blocks that were written, those of manifest and trees too. */
  copiedBytes: number
  /** Of chunks that the other store had. */
  reusedBytes: number
}

export interface CopyOptions {
  /**
   * Told whenever all that was copied so far is on disk there, every COPY_FLUSH_BYTES at most; the copy goes on when what it
   * returns has resolved.
   */
  onFlushed?: (report: CopyReport) => Promise<void>
  signal?: AbortSignal
}

/** What the main thread uses of the content store. Reads happen here, every write goes through the worker. */
export interface ContentStore {
  beginIngest(options: { signal?: AbortSignal }): Promise<Ingest>
  /** For the blocks of one fetch; whoever begins it ends it. */
  beginReceive(): Receive
  /** Calls `listener` after each piece that was stored. */
  onGrown(listener: () => void): void

  /** Verified bytes of one block. Throws CONTENT_MISSING or CONTENT_CORRUPT, never returns wrong bytes. */
  readBlock(id: BlockId, signal?: AbortSignal): Promise<Uint8Array>
  /** The same, as at rest, for sending to a peer; verified against the id before it is returned. */
  readStored(id: BlockId, signal?: AbortSignal): Promise<StoredBlock>
  /**
   * Many at once, in order, one behind another in memory that the caller gives when their sizes are known. When it
   * fails the memory may still be written to.
   */
  readStoredMany(
    ids: readonly BlockId[],
    memoryOf: (sizeBytes: number) => Uint8Array,
    signal?: AbortSignal
  ): Promise<StoredBlock[]>
  /** Opens a manifest whose tree and pages are all here; CONTENT_MISSING otherwise. */
  openManifest(content: CID, signal?: AbortSignal): Promise<ManifestReader>
  /** The chunks of a file in order, from a complete file tree. */
  chunks(root: CID, sizeBytes: number, signal?: AbortSignal): AsyncIterable<ChunkRef>
  /**
   * Keys (`idKey`) of the manifest pages of a content, each with everything below it here. Undefined when the content is not
   * complete, a damaged block has yet to be looked into, or the pages are too many to be listed.
   */
  wholePages(content: CID, signal?: AbortSignal): Promise<ReadonlySet<string> | undefined>

  /**
   * The whole content as a tar stream of verified bytes, files in manifest order, symlinks last. Buffers are
   * used again: what was yielded is valid until the next is asked for.
   */
  exportTar(content: CID, signal?: AbortSignal): AsyncIterable<Uint8Array>
  /**
   * The same of a content that is being fetched, as it arrives: waits for what is not here yet while the fetch goes on. Ends
   * well only when the fetch has; fails as it does.
   */
  exportArriving(content: CID, fetched: Promise<unknown>, signal?: AbortSignal): AsyncIterable<Uint8Array>

  hasBlock(id: BlockId): boolean
  localState(content: CID): LocalState
  /** Whether it is kept: it was complete once and was not let go of since. Without a mark it is damaged. */
  isKept(content: CID): boolean
  /** Undefined unless it is complete. */
  summary(content: CID): ContentSummary | undefined
  /** A page of the contents that are kept. */
  list(query: ContentQuery): Promise<ContentPage>

  /**
   * Lets go of a content, durably; what nothing else needs of it is freed by the next collection. CONTENT_MISSING when it is not
   * kept, RELEASE_PINNED when it is pinned, BUSY while it is held.
   */
  remove(content: CID, signal?: AbortSignal): Promise<void>
  /** Lets go of contents and frees what nothing needs. One at a time: BUSY while another runs. */
  collect(request: CollectRequest): Promise<CollectOutcome>
  /**
   * No collection touches what is here of the content until the returned function is called. CONTENT_MISSING when it is
   * being let go of. What is held counts as used now.
   */
  hold(content: CID): () => void
  isPinned(release: KeptRelease): boolean
  /** Durable; from then on no collection lets go of the content. CONTENT_MISSING unless it is complete. */
  pin(release: KeptRelease, signal?: AbortSignal): Promise<void>
  unpin(release: KeptRelease, signal?: AbortSignal): Promise<void>

  /**
   * Has another store hold a content that is complete here, complete and durably: copies what that one has not, verified here
   * and there. What was copied before a failure stays there, and the next try goes on with it. CONTENT_MISSING or
   * CONTENT_CORRUPT of this store; QUOTA_EXCEEDED, DISK_FULL, BUCKET_BACKLOG_FULL of the other.
   */
  copyTo(target: CopyTarget, content: CID, options?: CopyOptions): Promise<CopyReport>

  /** Re-hashes everything the content needs, in the worker. */
  verify(content: CID, signal?: AbortSignal): Promise<VerifyReport>
  /** Hashes the next blocks of all there are, in the worker; contents that need a wrong one are no longer complete then. */
  scrub(request: ScrubRequest, signal?: AbortSignal): Promise<ScrubStep>
  stats(): StoreStats
  holdings(): Promise<Holdings>
  /** Only with a bucket. */
  readonly bucket?: BucketWork | undefined
}

/** What a copy needs of the store that it goes to. */
export type CopyTarget = Pick<ContentStore, 'hasBlock' | 'localState' | 'hold' | 'beginReceive'>
