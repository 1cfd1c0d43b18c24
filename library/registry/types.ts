import type { CID } from 'multiformats/cid'
import type { WriteOperation } from '../database/types.ts'
import type { ReleaseRecord } from '../records/types.ts'

export interface ListOptions {
  /** 1 to MAX_PAGE_RECORDS; the caller pages with `after`. */
  limit: number
  /** Opaque cursor from the page before. */
  after?: string
  signal?: AbortSignal
}

export interface ReleasePage {
  /** By name and version, as text. */
  releases: ReleaseRecord[]
  /** Absent on the last page. */
  next?: string
}

export interface AddResult {
  /** False when nothing changed: the same content was already published, or a record with no smaller sequence is here. */
  added: boolean
  /** What is stored now: the record given, or the one that was here. */
  record: ReleaseRecord
}

/** What the name index says of a release, without reading its record. */
export interface IndexEntry {
  name: string
  version: string
  owner: Uint8Array
  sequence: number
  content: CID
  /** Where the record stands. */
  recHash: Uint8Array
}

/** Which releases of a name a peer asks for, and from where on. */
export interface StoredQuery {
  readonly name: string
  /** This version only. */
  readonly version?: string
  readonly owner?: Uint8Array
  /** Only versions that it matches, by npm's rules; ignored when it is no range. */
  readonly range?: string
  /** `cursor` of the last record of the page before; the record itself may be gone meanwhile. */
  readonly after?: Uint8Array
  /** Records at most. */
  readonly limit: number
}

/** A record as it lies on disk: the signed bytes, and its place in the order of `storedPage`. */
export interface StoredRecord {
  readonly bytes: Uint8Array
  readonly cursor: Uint8Array
}

export interface StoredPage {
  readonly records: StoredRecord[]
  /** Whether there are more behind them. */
  readonly hasMore: boolean
}

/** One change of the registry, ready to be committed as one batch with `sync: true`. */
export interface RegistryPlan {
  /** Empty when nothing changes. */
  operations: WriteOperation[]
  added: boolean
  /** Bytes of the record that is stored once the batch is committed. */
  stored: Uint8Array
}

/** The writing half, in the worker: plan (plan.ts), commit durably, answer; strictly one after the other. */
export interface RegistryWriter {
  publish(
    record: Uint8Array,
    nowMs: number,
    signal?: AbortSignal
  ): Promise<{ added: boolean; stored: Uint8Array }>
  add(
    record: Uint8Array,
    nowMs: number,
    signal?: AbortSignal
  ): Promise<{ added: boolean; stored: Uint8Array }>
  remove(recHash: Uint8Array, signal?: AbortSignal): Promise<void>
}

/** The records a node holds, found by id and by name. Reads on the main thread, writes in the worker. */
export interface Registry {
  get(id: CID): ReleaseRecord | undefined
  /** Known releases of a name, any owner, highest version first; the MAX_VERSIONS highest of them. */
  versions(name: string, signal?: AbortSignal): Promise<ReleaseRecord[]>
  /** All of them, or all of one version, streamed in no useful order and without their records. */
  entries(of: { name: string; version?: string }, signal?: AbortSignal): AsyncIterable<IndexEntry>
  /** The record of an entry; undefined when it was replaced since. */
  read(entry: IndexEntry): ReleaseRecord | undefined
  list(options: ListOptions): Promise<ReleasePage>
  /** Signed bytes of a record as they are stored, checked against their hash and not decoded. */
  stored(id: CID): Uint8Array | undefined
  /**
   * Stored bytes of a name's releases, highest version first, for peers: looks through at most MAX_SCANNED_ENTRIES entries of the
   * index, gives way to others meanwhile, and decodes no record. INVALID_ARGUMENT for a cursor that is none.
   */
  storedPage(query: StoredQuery, signal?: AbortSignal): Promise<StoredPage>
  /** Number of releases in the home library. */
  count(): number
  /** Revision of the home library: grows with each change. */
  revision(): number

  /**
   * Verifies and stores a record of one's own in the home library, durably, with its announcement schedule.
   * RELEASE_EXISTS when (name, version, owner) has other content. The same content again returns the stored record.
   */
  publish(recordBytes: Uint8Array, signal?: AbortSignal): Promise<AddResult>
  /** Verifies and stores a record that came from a peer (no membership in the home library). Durable. */
  add(recordBytes: Uint8Array, signal?: AbortSignal): Promise<AddResult>
  /**
   * Takes a release out, durably, and with it what keeps its content unless another release names it; the bytes go
   * with the next collection. RELEASE_PINNED, RELEASE_NOT_FOUND.
   */
  remove(id: CID, signal?: AbortSignal): Promise<void>

  /** Owner first installed under a name here. */
  ownerPin(name: string): Uint8Array | undefined
  pinOwner(name: string, owner: Uint8Array, signal?: AbortSignal): Promise<void>
}
