/** What the admin API asks of the node: one interface per subject, implemented by the files of this folder. */
import type { CID } from 'multiformats/cid'
import type { Logger } from '../../base/index.ts'
import type {
  ConflictStrategy,
  ContentPolicy,
  LoadedConfig,
  RoutingStrategy,
  SyncMode
} from '../../config/index.ts'
import type { ContentStore } from '../../library/index.ts'
import type { LiveLimit, Priority } from '../../protocols/index.ts'
import type { Access, SyncStrategy } from '../../sync/index.ts'
import type { Anomalies } from '../anomalies/anomalies.ts'
import type { BackingUp } from '../backup/backing-up.ts'
import type { BlockedShape, BlockResult, BlocksReply } from '../block-schemas.ts'
import type { BundleResult } from '../bundle-schemas.ts'
import type { EventHub } from '../events.ts'
import type { DeletedLibrary, GroupShape, LibraryList, OwnLibraryShape } from '../library-schemas.ts'
import type { Lifecycle } from '../lifecycle.ts'
import type { Logging } from '../logging/logging.ts'
import type { NodeMetrics } from '../metrics.ts'
import type { MirrorCopyShape, MirrorPlanReply, MirrorRunResult, MirrorStatus } from '../mirror-schemas.ts'
import type { OperationManager, OperationProgress } from '../operations.ts'
import type { QueuedShape, QueueReply } from '../queue-schemas.ts'
import type {
  CollectResult,
  ConfigChange,
  ConfigReply,
  Conflict,
  ConflictItem,
  ConflictRule,
  DoctorCheck,
  ErrorsReply,
  FetchedRelease,
  FetchResult,
  Identity,
  LimitedPeer,
  PeerDetail,
  PeerList,
  PeerShape,
  PublishResult,
  ReleaseInfo,
  ReleaseItem,
  Status,
  VerifyResult,
  Why
} from '../schemas.ts'
import type { BanShape } from '../standing-schemas.ts'
import type { ContentList, CopyResult } from '../store-schemas.ts'
import type { FollowShape, SyncResult, SyncStatus, Unfollowed } from '../sync-schemas.ts'
import type { TopologyReply } from '../topology-schemas.ts'
import type { Alerting } from './alerts/alerting.ts'
import type { LibraryAddress } from './library-address.ts'
import type { QueueKind, QueueRequests } from './operation-queue.ts'
import type { ReleaseFilter } from './release-filter.ts'
import type { Room, Wanted } from './rooms.ts'

/** How a service works on a long request. */
export interface WorkContext {
  signal: AbortSignal
  progress(progress: OperationProgress): void
  /** Of a fetch: hears which release it is, before the content comes. */
  release?(release: FetchedRelease): void
}

/** Of work that changes something for good. */
export interface CommitContext extends WorkContext {
  /** The work cannot be undone any more; throws the signal's reason when it fired before. */
  commit(): void
}

export interface StatusService {
  status(): Promise<Status>
  /** What the status says of it. */
  health(): Promise<Status['health']>
  identity(): Identity
}

export interface ErrorsService {
  /** Those of so long ago at most. */
  list(withinMs: number): Promise<ErrorsReply>
}

export interface PublishRequest {
  /** The signed record, as it is stored. */
  recordBytes: Uint8Array
  /** Name of the library of this node that it goes into; home unless given. */
  library?: string
  /** Return when so many peers hold the announcement; 0 = do not wait; `announce.wait` unless given. */
  wait?: number
  /** Of the wait. */
  timeoutMs: number
}

export interface PublishingService {
  publish(request: PublishRequest, context: CommitContext): Promise<PublishResult>
}

export interface ChangesService {
  /**
   * Publishes a status or attestation about a release that is here; the release as it is then. RELEASE_NOT_FOUND, and the errors
   * of the record.
   */
  say(recordBytes: Uint8Array, signal: AbortSignal): Promise<ReleaseItem>
  /** Publishes new words for a release that is here. CONTENT_INVALID when they say something else of its content. */
  revise(recordBytes: Uint8Array, signal: AbortSignal): Promise<ReleaseItem>
}

export interface ReleaseQuery {
  spec: string
  /** Public key of the owner that is meant. */
  publisher?: string
  /** Whether peers and the DHT are asked too. */
  network: boolean
}

export interface ReleaseService {
  list(limit: number, after?: string): Promise<{ packages: ReleaseItem[]; next?: string }>
  local(name: string, signal: AbortSignal): Promise<ReleaseItem[]>
  versions(name: string, network: boolean, signal: AbortSignal): Promise<ReleaseItem[]>
  info(query: ReleaseQuery, signal: AbortSignal): Promise<ReleaseInfo>
  /** The signed record of a release that is here, in base64. */
  record(id: string): string
  pin(name: string): string
  setPin(name: string, owner: string, signal: AbortSignal): Promise<void>
}

/** An operator's decision: whose a name is, or how conflicts are looked at (absent: as configured). */
export type Resolution = { owner: string } | { strategy: ConflictStrategy | undefined }

export interface ConflictService {
  /** Names that several owners publish here, or of which one signed two contents as one version. */
  list(
    limit: number,
    after: string | undefined,
    signal: AbortSignal
  ): Promise<{ conflicts: ConflictItem[]; next?: string }>
  /** Everybody who publishes a name. With `network` peers and the DHT are asked too. */
  show(name: string, network: boolean, signal: AbortSignal): Promise<Conflict>
  /** Of a name, or a strategy of a @scope. RELEASE_NOT_FOUND for an owner that publishes nothing under the name. */
  resolve(subject: string, resolution: Resolution, signal: AbortSignal): Promise<ConflictRule>
}

export interface FetchRequest {
  spec: string
  publisher?: string
  /** CID of the one content that is meant, whatever words its record has. */
  content?: string
  /** Peer id or multiaddr of the one source to use. */
  from?: string
  /** Normal unless given. Of several requests for the same content the most urgent one counts. */
  priority?: Priority
  /** Whether it is taken although all libraries that have it may be out of date. */
  stale?: boolean
}

export interface FetchingService {
  fetch(request: FetchRequest, context: WorkContext): Promise<FetchResult>
}

/** With a filter: of which releases content comes, and which join home in a union. */
export interface SyncRequest extends ReleaseFilter {
  /** Peer id or multiaddr. */
  peer: string
  /** Address of a library, or the name of one of the peer's; the peer's home unless given. */
  library?: string
  dryRun?: boolean
  /** How the copy is made equal; unless given, `incremental` with the writer of the library and `differential` with others. */
  strategy?: SyncStrategy
  /** Whether what is in the copy joins the home library of this node; a mirror unless given. */
  mode?: SyncMode
  /** It is a mirror now, and is to join later: NOT_PERMITTED for a library that is not for everybody, as in mode union. */
  isToJoin?: boolean
  /** Which content comes after the records; none unless given. */
  content?: ContentPolicy
}

export interface SyncingService {
  /** Makes the copy of a library equal to what a peer has of it. */
  sync(request: SyncRequest, context: WorkContext): Promise<SyncResult>
  status(signal: AbortSignal): Promise<SyncStatus>
  /** Lets go of the copy of the library with an address. NOT_FOUND, BUSY; ALREADY_FOLLOWED while it is followed by itself. */
  forget(library: string, signal: AbortSignal): Promise<LibraryAddress>
}

/** With a filter, it takes the place of the one before; without, that stays. */
export interface FollowRequest extends ReleaseFilter {
  /** Its address. */
  library: string
  /** As it was, or none, unless given. */
  content?: ContentPolicy
  /** As it was, or a mirror, unless given. */
  mode?: SyncMode
  /** Takes the filter away. */
  everything?: boolean
}

/** What is followed, changed while the node runs, and kept in its configuration. */
export interface SubscribingService {
  /** Follows a library from now on, or in another way than before. INVALID_ARGUMENT, KEY_INVALID, ALREADY_FOLLOWED, LIMIT_EXCEEDED, CONFIG_OVERRIDDEN. */
  follow(request: FollowRequest): Promise<FollowShape>
  /** Follows a library no more, and lets go of its copy. INVALID_ARGUMENT, NOT_FOUND, BUSY, CONFIG_OVERRIDDEN. */
  unfollow(library: string, signal: AbortSignal): Promise<Unfollowed>
}

export interface NewLibraryRequest {
  name: string
  access: Access
  /** Of `friends`. */
  group?: string
  /** Peer ids; for `private` and `restricted`. */
  members?: readonly string[]
}

/** Nodes that join and leave an audience, by their peer ids. */
export interface AudienceChange {
  joining?: readonly string[]
  leaving?: readonly string[]
}

export interface LibraryService {
  /** The libraries of this node, and those that it follows. */
  list(signal: AbortSignal): Promise<LibraryList>
  /** One of this node. NOT_FOUND. */
  show(name: string): Promise<OwnLibraryShape>
  /** INVALID_ARGUMENT, LIBRARY_EXISTS, LIMIT_EXCEEDED. */
  create(request: NewLibraryRequest, signal: AbortSignal): Promise<OwnLibraryShape>
  /** Nobody is shown it any more when this resolves, and what only it has is forgotten. NOT_FOUND, INVALID_ARGUMENT, RELEASE_PINNED, TREE_DAMAGED. */
  delete(name: string, signal: AbortSignal): Promise<DeletedLibrary>
  /** Changes whom a `private` or `restricted` library is for: in force when this resolves. NOT_FOUND, INVALID_ARGUMENT, LIMIT_EXCEEDED. */
  changeMembers(name: string, change: AudienceChange, signal: AbortSignal): Promise<OwnLibraryShape>
  /** Groups of nodes that libraries are made for, by name. */
  groups(signal: AbortSignal): Promise<GroupShape[]>
  /** Changes a group, and with it all libraries that are for it. NOT_FOUND, INVALID_ARGUMENT, LIMIT_EXCEEDED. */
  changeGroup(name: string, change: AudienceChange, signal: AbortSignal): Promise<GroupShape>
}

export interface CollectingService {
  /** Frees what nothing needs, and contents down to the low-water mark; or says what would go. */
  collect(dryRun: boolean, context: WorkContext): Promise<CollectResult>
  /** Lets go of so much that something fits, and keeps that room for it. QUOTA_EXCEEDED when not enough may go. */
  makeRoom(wanted: Wanted, context: WorkContext): Promise<Room>
}

export interface ContentService {
  /** A page of what is held; the first one begins with what is being fetched. */
  list(limit: number, after: CID | undefined, signal: AbortSignal): Promise<ContentList>
  /** The records that name it stay; its bytes go with the next collection. */
  remove(content: CID, signal: AbortSignal): Promise<void>
}

export interface CopyingService {
  /** `to` is the absolute path of a home that no daemon runs on. */
  copy(to: string, context: WorkContext): Promise<CopyResult>
}

export interface BundlingService {
  /** A bundle of what is named of a library: this node's own, or the followed one with this address. */
  create(
    request: { specs: readonly string[]; library?: string },
    signal: AbortSignal
  ): AsyncIterable<Uint8Array>
  import(source: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<BundleResult>
}

export interface QueueService {
  /** Has work done when somebody can be reached. LIMIT_EXCEEDED. */
  add<K extends QueueKind>(kind: K, request: QueueRequests[K], signal: AbortSignal): Promise<QueuedShape>
  list(signal: AbortSignal): Promise<QueueReply>
  /** NOT_FOUND. */
  remove(id: string): Promise<void>
}

export interface BlockRequest {
  subject: string
  reason?: string
  /** Says what would go, and changes nothing. */
  isDryRun?: boolean
}

/** What is kept away from this node. */
export interface BlockService {
  /** INVALID_ARGUMENT, LIMIT_EXCEEDED; BUSY when it is blocked and something of it is in use. */
  add(request: BlockRequest, signal: AbortSignal): Promise<BlockResult>
  list(): BlocksReply
  /** INVALID_ARGUMENT, NOT_FOUND. */
  remove(subject: string, signal: AbortSignal): Promise<BlockedShape>
}

/** What this node holds for others. All but `status` fail with MIRRORING_OFF where it mirrors nothing. */
export interface MirrorService {
  status(): MirrorStatus
  /** What would be done now. */
  plan(): MirrorPlanReply
  /** Looks at everything anew, and does what follows until nothing is left to do. */
  run(context: WorkContext): Promise<MirrorRunResult>
  /** This node is about to leave for good, or stays after all. Durable when it resolves. */
  drain(isCancelled: boolean): Promise<MirrorStatus>
  /** Brings a release and keeps it for others, whatever its rank. The errors of a fetch; NOT_PERMITTED for what is not for everybody. */
  pin(spec: string, publisher: string | undefined, context: WorkContext): Promise<MirrorCopyShape>
  /** The copy as it was, and stays until a plan lets go of it. RELEASE_NOT_FOUND, NOT_FOUND. */
  unpin(spec: string, publisher: string | undefined, signal: AbortSignal): Promise<MirrorCopyShape>
}

export interface RetentionService {
  pin(spec: string, publisher: string | undefined, signal: AbortSignal): Promise<ReleaseItem>
  unpin(spec: string, publisher: string | undefined, signal: AbortSignal): Promise<ReleaseItem>
  /** The release as it was. */
  remove(spec: string, publisher: string | undefined, signal: AbortSignal): Promise<ReleaseItem>
}

export interface VerificationService {
  /** Everything when `spec` is absent. With `repair` what is damaged is fetched again, and verified again. */
  verify(spec: string | undefined, repair: boolean, context: WorkContext): Promise<VerifyResult>
}

export interface WhyService {
  why(spec: string, signal: AbortSignal): Promise<Why>
}

export interface PeerService {
  list(): Promise<PeerList>
  connect(address: string, signal: AbortSignal): Promise<PeerShape>
  disconnect(peerId: string): Promise<void>
  /** From now on and after restarts; undefined for what is configured. What holds then. */
  limit(peerId: string, limit: LiveLimit | undefined, signal: AbortSignal): Promise<LimitedPeer>
  /** How a peer stands with this node, and why, whether it is connected or not. INVALID_ARGUMENT. */
  show(peerId: string, signal: AbortSignal): Promise<PeerDetail>
  /** In force, its connections closed, and durable when it resolves. INVALID_ARGUMENT, PEER_BANNED, LIMIT_EXCEEDED. */
  ban(peerId: string, reason: string | undefined, signal: AbortSignal): Promise<BanShape>
  /** INVALID_ARGUMENT, NOT_FOUND. */
  unban(peerId: string, signal: AbortSignal): Promise<BanShape>
}

export interface TopologyService {
  /** In the order of a strategy; that of the node unless given. */
  show(strategy?: RoutingStrategy): TopologyReply
}

export interface ConfigService {
  show(): ConfigReply
  set(key: string, value: unknown): Promise<ConfigChange>
  /** Sets a key to what `change` makes of what the next start would read; what that throws changes nothing. */
  edit(key: string, change: (next: LoadedConfig) => unknown): Promise<ConfigChange>
}

export interface DoctorService {
  /** `isFull`: every block of the store is hashed, not a sample. */
  run(isFull: boolean, signal: AbortSignal): Promise<DoctorCheck[]>
}

export interface PauseService {
  pause(): Promise<void>
  resume(): Promise<void>
}

/** All that the routes of the admin API use. */
export interface NodeServices {
  readonly version: string
  readonly lifecycle: Lifecycle
  readonly operations: OperationManager
  readonly events: EventHub
  readonly alerting: Pick<Alerting, 'active'>
  readonly anomalies: Pick<Anomalies, 'active'>
  readonly logging: Logging
  readonly errors: ErrorsService
  readonly logger: Logger
  readonly metrics: NodeMetrics
  readonly content: ContentStore
  readonly status: StatusService
  readonly publishing: PublishingService
  readonly changes: ChangesService
  readonly releases: ReleaseService
  readonly conflicts: ConflictService
  readonly fetching: FetchingService
  readonly syncing: SyncingService
  readonly subscribing: SubscribingService
  readonly libraries: LibraryService
  readonly verification: VerificationService
  readonly collecting: CollectingService
  readonly retention: RetentionService
  readonly mirroring: MirrorService
  readonly contents: ContentService
  readonly copying: CopyingService
  readonly bundling: BundlingService
  readonly backingUp: Pick<BackingUp, 'create'>
  readonly queueing: QueueService
  readonly blocks: BlockService
  readonly why: WhyService
  readonly peers: PeerService
  readonly topology: TopologyService
  readonly config: ConfigService
  readonly doctor: DoctorService
  readonly pause: PauseService
  invite(): string
}
