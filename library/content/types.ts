import type { CID } from 'multiformats/cid'

/** SHA-256 over the raw bytes of a block (a chunk, a manifest page or a file-tree node): 32 bytes. */
export type BlockId = Uint8Array

/** How the bytes of a block stand at rest and on the wire. Ids are always over the raw bytes. */
export const BlockCodec = { Raw: 0, Zstd: 1 } as const
export type BlockCodec = (typeof BlockCodec)[keyof typeof BlockCodec]

export interface StoredBlock {
  codec: BlockCodec
  rawLengthBytes: number
  /**
   * As at rest; equal to the raw bytes while `codec` is Raw. Valid until the next read of the same reader.
   */
  bytes: Uint8Array
}

export interface IncomingBlock extends StoredBlock {
  id: BlockId
}

/**
 * One entry of a manifest. `root` of a file: a CIDv1 `raw` when the file is one chunk or empty (the chunk
 * itself), else a CIDv1 `dag-cbor` of its file tree's root node.
 */
export type ManifestEntry =
  | { kind: 'file'; path: string; mode: number; sizeBytes: number; root: CID }
  | { kind: 'symlink'; path: string; target: string }
  | { kind: 'directory'; path: string; mode: number } // only empty directories have an entry

/** A leaf of a file tree: one chunk. */
export interface ChunkRef {
  id: BlockId
  lengthBytes: number
}

/** A decoded node of a file tree (docs/disk-format.md, "Blocks"). Level 1 names chunks, level n names nodes of level n-1. */
export interface TreeNode {
  level: number
  sizeBytes: number
  children: ChunkRef[]
}

export interface IngestResult {
  /** CID of the manifest's file tree (or its only page). */
  content: CID
  /** Sum of the sizes of all files. */
  sizeBytes: number
  files: number
  /** Bytes that were not in the store before. */
  newBytes: number
}

/** A folder on its way into the store, as an uncompressed tar stream whose entries are in manifest order. */
export interface Ingest {
  /** Resolves when there is room for more: call it one at a time. Copies nothing: `bytes` is transferred. */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>
  /** Everything committed to disk. Fails with STREAM_TRUNCATED when the tar has no end marker. */
  finish(): Promise<IngestResult>
  /** Drops it; blocks already stored stay for dedup until garbage collection. */
  abort(): Promise<void>
}

/** Blocks of one fetch on their way into the store. */
export interface Receive {
  /**
   * Blocks from a peer: the worker hashes each against its id, then appends. The first wrong one fails the
   * call with BYTES_WRONG (details.id) and nothing of the call is kept; a call that is cancelled before its turn keeps
   * nothing either. The buffers are transferred. Not yet durable.
   */
  writeBlocks(blocks: IncomingBlock[], signal?: AbortSignal): Promise<void>
  /**
   * All earlier writeBlocks are on disk and indexed when this resolves. DISK_FULL when some of them were
   * rolled back; as that is told once, `hasBlock` says which blocks are here, and `markComplete` looks at
   * each.
   */
  flush(signal?: AbortSignal): Promise<void>
  /**
   * Records durably that every block of this content was verified and stored; CONTENT_MISSING (details.id,
   * path) when one is not here, CONTENT_INVALID when the summary is not true. A finished ingest has done this already.
   * With `older`, a content that is complete, only what that one has not is looked at.
   */
  markComplete(
    content: CID,
    summary: ContentSummary,
    options?: { older?: CID; signal?: AbortSignal }
  ): Promise<void>
  /**
   * To be called once, however the fetch went: commits what has come, so that another attempt finds it, and forgets the rest.
   * Fails like `flush`, and is over all the same.
   */
  end(): Promise<void>
}

export type LocalState = 'none' | 'partial' | 'complete'

export interface ContentSummary {
  sizeBytes: number
  files: number
}

export interface StoreStats {
  /** Bytes of all segment files. */
  bytes: number
  /** Blocks in the index. */
  chunks: number
}

/** Contents, of releases published here and of others. */
export interface Holdings {
  /** Every block of them is here. */
  complete: number
  /** They were complete and are kept, and a block of them is damaged or gone. */
  damaged: number
  /** A damaged block was found, and contents have yet to be checked for it. */
  isUnchecked: boolean
}

/** What a collection freed, or would. */
export interface CollectReport {
  /** Blocks that nothing needs, and their bytes in the segments. */
  blocks: number
  bytes: number
  /** Segment files that went, rewritten ones included. */
  segments: number
  /** Segments whose live blocks were moved. */
  rewritten: number
  /** Bytes of files that were given back to the disk. */
  freedBytes: number
  /** Nodes and pages that kept contents lack. */
  gaps: number
  /** Numbers of the segments that went. */
  dropped: number[]
}

/** A content that could be let go of. */
export interface PlannedContent {
  content: Uint8Array
  sizeBytes: number
  /** `name@version` of what names it. */
  releases: string[]
  /** No release names it, or it is among those longest unused. */
  reason: 'unnamed' | 'unused'
  /** Ms since the epoch; 0 = never. */
  usedMs: number
}

/** Bytes of contents that never go by themselves: pinned ones, and those published here. */
export interface KeptBytes {
  pinnedBytes: number
  ownBytes: number
}

/** Contents that one collection lets go of; the next goes on. */
export const MAX_COLLECTED = 1000

export interface CollectRequest {
  /** Bytes of content that should go beside what has no name, those longest unused first; 0 = none. */
  evictBytes: number
  /** Says what would go, and changes nothing. */
  dryRun: boolean
  /** Contents that are being fetched: what is here of them stays. */
  fetching: readonly CID[]
  signal?: AbortSignal
}

export interface CollectOutcome extends CollectReport, KeptBytes {
  /** Contents that were let go of, or would be. */
  released: PlannedContent[]
}

/** A release and its content, as a pin names them. */
export interface KeptRelease {
  content: CID
  name: string
  version: string
  owner: Uint8Array
}

/** What one step of moving segments to a bucket did, and what is left to do. */
export interface BucketStep {
  sentBytes: number
  /** Whether there may be something left to do now. */
  isMore: boolean
  /** Segments whose local copies went. */
  freed: number[]
  /** Sealed segments that the bucket has not acknowledged. */
  backlogBytes: number
  backlogSegments: number
  /** Local copies of what it has acknowledged. */
  cachedBytes: number
}

/** What there is to do for a store whose sealed segments stand in a bucket. */
export interface BucketWork {
  /** Sends, deletes or frees one segment. Fails with BUCKET_*; one call at a time. */
  step(signal: AbortSignal): Promise<BucketStep>
  /** Calls `listener` whenever there may be something to do. */
  onWork(listener: () => void): void
  /** Whether the bucket answers and is this store's: fails with BUCKET_*. */
  probe(signal?: AbortSignal): Promise<void>
}

export interface VerifyReport {
  ok: boolean
  checked: number
  bytes: number
  /** How many are missing, and how many do not match their hash or make no sense: true totals, also of what `bad` leaves out. */
  missing: number
  corrupt: number
  /** Blocks whose bytes do not match, or that are missing: hex id and the path they belong to; the first 1000 of each reason. */
  bad: Array<{ id: string; path: string; reason: 'corrupt' | 'missing' }>
}

/** A manifest that is complete in the store, read page by page: never whole in memory. */
export interface ManifestReader {
  readonly pageCount: number
  /** Decoded entries of one page. Throws CONTENT_MISSING or CONTENT_CORRUPT. */
  page(index: number, signal?: AbortSignal): Promise<ManifestEntry[]>
  entries(signal?: AbortSignal): AsyncIterable<ManifestEntry>
}
