/**
 * Following: copies of other nodes' libraries, exact and proven by their writers' heads, and the sessions in which peers make
 * them so. In the worker: what to say to a peer and what to believe it (follower.ts, source.ts), and how a copy changes (copies.ts). The
 * streams are the main thread's: it hands over frames and sends what comes back. Which library is compared with whom, and when, is a
 * plan (follow-plan.ts).
 */
export {
  awaitedFromMs,
  FAILED,
  type FollowRun,
  type FollowState,
  including,
  MAX_RUNS,
  nextTime,
  planFollows,
  staleTime,
  TOLD_AGAIN_MS,
  telling,
  tellingBeside,
  yieldTime
} from './follow-plan.ts'
export {
  expectJoinable,
  type JoiningPage,
  type JoiningWish,
  Joins,
  joiningPage,
  MAX_JOINED
} from './joins.ts'
export { FOLLOW_LIMITS, type FollowLimits } from './limits.ts'
export { Overlay } from './overlay.ts'
export { copyName, type FollowedRow, isUnfinished, readAllFollowed, readFollowed } from './rows.ts'
export { SyncSessions } from './sessions.ts'
export {
  type BundleOpening,
  type BundleOutcome,
  type FollowOptions,
  type FollowOutcome,
  type Said,
  type SessionOpening,
  type SourceOptions,
  SYNC_STRATEGIES,
  type SyncStrategy
} from './types.ts'
