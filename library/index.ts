/**
 * Library: what a node holds. Releases as signed records, found by id and by name; contents as
 * content-addressed blocks, found by hash; both in one folder, the home. Folders come in as tar streams and
 * blocks and records from peers as bytes; everything that goes out was verified on the way. One worker
 * thread, started when needed, does all writing and heavy work; reads happen on the caller's thread. The
 * library knows no network and decides nothing about trust: which owner is meant, what to fetch and what to
 * keep is for those above.
 */
export {
  BLOCK_ID_BYTES,
  blockIdOf,
  EMPTY_ROOT,
  hashBlock,
  idKey,
  MAX_BLOCK_BYTES,
  rawBytesOf
} from './content/blocks.ts'
export type { BucketCredentials } from './content/bucket.ts'
export * from './content/content-store.ts'
export { INGEST_LIMITS, truncated } from './content/ingest.ts'
export { DISK_HEADROOM_BYTES } from './content/local-segments.ts'
export { type BlockLook, lookAtBlocks } from './content/look.ts'
export { decodePage, EntryOrder, MAX_PAGE_BYTES } from './content/manifest.ts'
export { manifestPages } from './content/manifest-reader.ts'
export { checkEntryPath, checkSymlinkTarget, comparePaths, MAX_PATH_BYTES } from './content/paths.ts'
export type { BlockSource } from './content/reader.ts'
export { usableBytes } from './content/segments.ts'
export { paddingBytes, TAR_END, type TarEntry, tarHead } from './content/tar-header.ts'
export {
  decodeNode,
  expectChild,
  isSingleChunk,
  MANIFEST_FANOUT,
  MAX_NODE_BYTES,
  type NodeExpectation,
  singleChunk,
  TREE_FANOUT
} from './content/tree.ts'
export * from './content/types.ts'
export { KeyFamily, makeKey, mirrorCopyKey } from './database/keys.ts'
export type * from './database/types.ts'
export { type HeldSegment, type HeldState, holdStoppedState } from './held-state.ts'
export { type Inspection, type InspectOptions, inspectLibrary } from './inspect.ts'
export * from './installer/index.ts'
export * from './names.ts'
export {
  type BucketOptions,
  type LibraryModules,
  type LibraryOptions,
  openLibrary,
  withDatabase,
  withHomeLocked
} from './open.ts'
export * from './records/index.ts'
export * from './registry/index.ts'
export * from './spec.ts'
export type * from './types.ts'
export { type CommitModules, Commits } from './worker/commits.ts'
export type {
  CompanionFactory,
  CompanionModules,
  CompanionOptions,
  FollowingRows,
  WorkerCompanion
} from './worker/companion.ts'
export { Scheduler, type Slice } from './worker/scheduler.ts'
export { runWorker } from './worker/thread.ts'
