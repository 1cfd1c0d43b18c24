/** Shapes of the admin API, as the daemon's own schemas state them. Only types: nothing of the node is loaded. */
export type {
  BanShape,
  BlockedShape,
  BlockResult,
  BlocksReply,
  BundleResult,
  Claimant,
  CollectResult,
  ConfigChange,
  ConfigReply,
  Conflict,
  ConflictItem,
  ConflictRule,
  ContentItem,
  CopyResult,
  DeletedLibrary,
  DoctorCheck,
  ErrorsReply,
  FetchedRelease,
  FetchResult,
  FollowedLibrary,
  FollowShape,
  GroupList,
  GroupShape,
  Identity,
  KnownLibraryShape,
  LibraryList,
  LimitedPeer,
  MirrorCopyShape,
  MirrorPlanReply,
  MirrorRunResult,
  MirrorStatus,
  NotedErrorShape,
  OwnLibraryShape,
  PeerDetail,
  PeerLimitsShape,
  PeerList,
  PeerShape,
  PublishResult,
  QueuedShape,
  QueueReply,
  ReleaseInfo,
  ReleaseItem,
  Status,
  SyncResult,
  SyncStatus,
  TopologyPeer,
  TopologyReply,
  Unfollowed,
  VerifyResult,
  Why
} from '../../node/index.ts'

/** Answer of POST /v1/ingests. */
export interface IngestAnswer {
  /** CID of the content. */
  content: string
  sizeBytes: number
  files: number
  newBytes: number
}
