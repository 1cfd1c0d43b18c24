/**
 * Registry: the releases a node knows, found by id and by name, what is said of them, and which of all that it published. Two
 * halves over one LevelDB: the main thread reads (`createRegistry`), the worker writes what PLANS plan. Verified bytes
 * come in, verified records go out; which of several owners of a name is meant is for the caller to decide.
 */
export {
  followedLibrary,
  HOME_LIBRARY,
  idOfCopy,
  isFollowedLibrary,
  isLibraryName,
  isPublicLibrary,
  nameOfOwn,
  ownLibrary,
  PRIVATE_LIBRARY
} from './library-names.ts'
export {
  decodeMember,
  decodeVerifiedMember,
  isReleaseRecord,
  isStatementRecord,
  type MemberRecord,
  openMember
} from './member.ts'
export { keyOfStored, type Member, readMemberHashes, readMembers } from './members.ts'
export { isMember, librariesOf } from './membership.ts'
export { MAX_CONTENTS_PER_VERSION } from './plan.ts'
export { ADD_ALL_LIMITS, planAddAll } from './plan-add-all.ts'
export { pinnedOnlyIn, planDelete } from './plan-delete.ts'
export {
  type FollowedChange,
  type FollowedPlan,
  forgetLibraryState,
  planFollowed,
  planIndex,
  planRetire,
  readableMember,
  readMember
} from './plan-followed.ts'
export { type Joining, type JoinPlan, planJoin } from './plan-join.ts'
export { planOwnRecord, planOwnState } from './plan-own.ts'
export { planRemove } from './plan-remove.ts'
export { PLANS } from './plans.ts'
export { type LibraryState, readLibraryState, readRecordBytes, storedSizeBytes } from './read.ts'
export { MAX_ATTESTATIONS_READ } from './read-statements.ts'
export { createRegistry } from './registry.ts'
export {
  type Announcement,
  readAnnouncement,
  readAnnouncements,
  readPublishedIds,
  scheduleAnnouncement
} from './schedule.ts'
export { expectTimely, isTimely, MAX_CLOCK_AHEAD_MS, timelyFromMs } from './timely.ts'
export type * from './types.ts'
export { isClosedRecord } from './visibility.ts'
