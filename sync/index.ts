/**
 * Sync: libraries that stay equal. A library is a set of records; here it gets a Merkle trie, whose root stands for the whole
 * set, heads, in which its writer signs that root, and views, which say what follows from records that contradict each
 * other. It compares and proves sets, says what must be written for them and what two nodes say to make theirs equal; records
 * are verified and stored by the library, and nothing here opens a connection. Changes of a set and messages of peers come
 * in; rows for the same batch, roots, proofs, signed heads and messages go out.
 */

export * from './access/index.ts'
export * from './bundle/index.ts'
export { openSyncCompanion, type SyncCompanionModules, type SyncCompanionOptions } from './companion.ts'
export {
  awaitedFromMs,
  type BundleOutcome,
  copyName,
  expectJoinable,
  FAILED,
  type FollowedRow,
  type FollowLimits,
  type FollowOptions,
  type FollowOutcome,
  type FollowRun,
  type FollowState,
  including,
  type JoiningPage,
  MAX_JOINED,
  MAX_RUNS,
  nextTime,
  Overlay,
  planFollows,
  readAllFollowed,
  readFollowed,
  SYNC_STRATEGIES,
  type SyncStrategy,
  staleTime,
  TOLD_AGAIN_MS,
  telling,
  tellingBeside,
  yieldTime
} from './follow/index.ts'
export * from './heads/index.ts'
export {
  type BundlePort,
  type Followed,
  type LibrarySession,
  LibrarySets,
  type LibrarySetsModules,
  type LibrarySetsOptions,
  type SessionRequest,
  type SetState,
  type ShownSet
} from './library-sets.ts'
export * from './reconcile/index.ts'
export * from './sketch/index.ts'
export * from './trie/index.ts'
export * from './views/index.ts'
