import type { CID } from 'multiformats/cid'
import type { ErrorJson } from '../../base/index.ts'
import type { WriteOperation } from '../database/types.ts'
import type { ReleaseIdentity, ReleaseRecord, StatementRecord, StatusRecord } from '../records/types.ts'

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

export interface StatementResult {
  /** False when nothing changed: it or a newer statement for its key is here. */
  added: boolean
  /** What is stored now. */
  statement: StatementRecord
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
  /** Whether it is known from closed libraries only. */
  isClosed: boolean
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
  /** Whether a release is one that nobody is told of. */
  readonly isHidden?: (entry: IndexEntry) => boolean
}

/** A release record as it lies on disk: its signed bytes, and those of its status and attestations. */
export interface StoredRecord {
  readonly bytes: Uint8Array
  readonly statements: Uint8Array[]
}

export interface StoredPage {
  /** Each with its place in the order of `storedPage`. */
  readonly records: Array<StoredRecord & { readonly cursor: Uint8Array }>
  /** Whether there are more behind them. */
  readonly hasMore: boolean
}

/** A change of the set that a library is: the record under a key comes or is replaced, or, without a recHash, goes. */
export interface SetChange {
  readonly trieKey: Uint8Array
  readonly recHash: Uint8Array | undefined
}

/** All changes of one library that are committed together. */
export interface SetCommit {
  readonly libraryId: string
  /** Of the library once they are. */
  readonly revision: number
  readonly changes: readonly SetChange[]
}

export interface ContestedPage {
  names: string[]
  /** Absent on the last page. */
  next?: string
}

/** One change of the registry, ready to be committed as one batch with `sync: true`. */
export interface RegistryPlan {
  /** Empty when nothing changes. */
  operations: WriteOperation[]
  sets: SetCommit[]
  added: boolean
  /** Bytes of the record that is stored once the batch is committed. */
  stored: Uint8Array
}

/** What a record can be written as: published here, as new words for what is here, or as it came from a peer. */
export type RegistryChange = 'publish' | 'revise' | 'add' | 'publishStatement' | 'addStatement'

/** A change that a record makes. */
export interface RegistryWrite {
  readonly change: RegistryChange
  readonly record: Uint8Array
  /** Name here of the library that a release is published in; of no meaning for other changes. */
  readonly libraryId: string
  readonly nowMs: number
}

/** What came of a record among several that were added: it is new, it or a newer one was here, or there were too many like it already. */
export type AddOutcome = 'added' | 'known' | 'refused'

/** Records that came from a peer or in a file, to be kept as one batch. */
export interface RegistryAddAll {
  readonly records: ReadonlyArray<{
    readonly change: Extract<RegistryChange, 'add' | 'addStatement'>
    readonly record: Uint8Array
  }>
  readonly nowMs: number
}

export interface AddedAll {
  /** Of the records in their order, up to the first that failed. */
  readonly outcomes: readonly AddOutcome[]
  /** What that one failed of; absent when none did. */
  readonly error?: ErrorJson
}

export interface PublishOptions {
  /** Name here of the library of this node that the release goes into; home unless given. */
  readonly libraryId?: string
  readonly signal?: AbortSignal
}

/** The writing half, in the worker: plan (plans.ts), commit durably, answer; strictly one after the other. */
export interface RegistryWriter {
  write(request: RegistryWrite, signal?: AbortSignal): Promise<{ added: boolean; stored: Uint8Array }>
  addAll(request: RegistryAddAll, signal?: AbortSignal): Promise<AddedAll>
  remove(recHash: Uint8Array, nowMs: number, signal?: AbortSignal): Promise<void>
}

/** The records a node holds, found by id and by name. Reads on the main thread, writes in the worker. */
export interface Registry {
  get(id: CID): ReleaseRecord | undefined
  /** Known releases of a name, any owner, highest version first; the MAX_VERSIONS highest of them. */
  versions(name: string, signal?: AbortSignal): Promise<ReleaseRecord[]>
  /** All of them, or all of one version, or those of one owner of one version, streamed in no useful order and without their records. */
  entries(
    of: { name: string; version?: string; owner?: Uint8Array },
    signal?: AbortSignal
  ): AsyncIterable<IndexEntry>
  /** The record of an entry; undefined when it was replaced since. */
  read(entry: IndexEntry): ReleaseRecord | undefined
  list(options: ListOptions): Promise<ReleasePage>
  /** All releases that name one of these contents, in no useful order; the whole name index is gone through for it. */
  naming(contents: readonly CID[], signal?: AbortSignal): AsyncIterable<IndexEntry>
  /** Whether a record, of a release or of what is said of one, was published here: a library of this node has it. */
  isOwn(recordBytes: Uint8Array): Promise<boolean>
  /** The names here of the libraries that have a record, of a release or of what is said of one. */
  librariesOf(recordBytes: Uint8Array): Promise<string[]>
  /** Whether a record is known from closed libraries only, so that not everybody may know of it. */
  isClosed(record: Pick<ReleaseRecord, 'id'>): boolean
  /** Whether a record is here and everybody may know of it: to be asked before anybody is told. */
  isOpen(record: Pick<ReleaseRecord, 'id'>): boolean
  /** Stored bytes of a release and of what is said of it, checked against their hashes, for peers: nothing that is closed. */
  stored(id: CID, signal?: AbortSignal): Promise<StoredRecord | undefined>
  /**
   * Stored bytes of a name's releases, highest version first, for peers: looks through at most MAX_SCANNED_ENTRIES entries of the
   * index, gives way to others meanwhile, and decodes no record. INVALID_ARGUMENT for a cursor that is none.
   */
  storedPage(query: StoredQuery, signal?: AbortSignal): Promise<StoredPage>
  /** The owner's last word on a release; undefined while there is none here. */
  status(release: ReleaseIdentity): StatusRecord | undefined
  /** Its status, the first MAX_ATTESTATIONS_READ attestations, and those of `signers` whatever others there are. */
  statements(
    release: ReleaseIdentity,
    signal?: AbortSignal,
    signers?: readonly Uint8Array[]
  ): Promise<StatementRecord[]>
  /** Names that several owners publish, or of which one signed two contents as one version, after a name, page by page. */
  contested(query: { limit: number; after?: string }, signal?: AbortSignal): Promise<ContestedPage>
  /** Number of releases in a library of this node, by its name here; in home unless given. */
  count(libraryId?: string): number
  /** Revision of the home library: grows with each change. */
  revision(): number

  /**
   * Verifies and stores a record of one's own in a library of this node, durably, in a public one with its announcement schedule.
   * RELEASE_EXISTS when (name, version, owner) has other content. The same content again returns the stored record.
   */
  publish(recordBytes: Uint8Array, options?: PublishOptions): Promise<AddResult>
  /**
   * Verifies and stores newer words of one's own for a release that is here, durably, in the home library and due for announcement.
   * RELEASE_NOT_FOUND when it is not here with this content. What is not newer returns the stored record.
   */
  revise(recordBytes: Uint8Array, signal?: AbortSignal): Promise<AddResult>
  /** Verifies and stores a status or attestation of one's own, durably, in the home library; its name is due for announcement. */
  publishStatement(recordBytes: Uint8Array, signal?: AbortSignal): Promise<StatementResult>
  /** Verifies and stores a statement that came from a peer. Durable. */
  addStatement(recordBytes: Uint8Array, signal?: AbortSignal): Promise<StatementResult>
  /** Verifies and stores a record that came from a peer (no membership in the home library). Durable. */
  add(recordBytes: Uint8Array, signal?: AbortSignal): Promise<AddResult>
  /**
   * The same as one `add` or `addStatement` after the other, in one batch: of at most ADD_ALL_LIMITS. One that is refused with LIMIT_EXCEEDED
   * is passed over. Throws what the first throws that fails of something else; those before it are kept, and where the batch itself fails none.
   */
  addAll(
    records: ReadonlyArray<ReleaseRecord | StatementRecord>,
    signal?: AbortSignal
  ): Promise<readonly AddOutcome[]>
  /**
   * Takes a release out, durably, with what is said of it and what keeps its content unless another release names it; the bytes go
   * with the next collection. RELEASE_PINNED, RELEASE_NOT_FOUND.
   */
  remove(id: CID, signal?: AbortSignal): Promise<void>

  /** Owner first installed under a name here. */
  ownerPin(name: string): Uint8Array | undefined
  /** Whether some name of a scope (`@acme`) is pinned to an owner here. */
  isPinnedInScope(scope: string, owner: Uint8Array, signal?: AbortSignal): Promise<boolean>
  pinOwner(name: string, owner: Uint8Array, signal?: AbortSignal): Promise<void>
}
