/**
 * Registry: the releases a node knows, found by id and by name, and which of them it published. Two halves over one LevelDB: the
 * main thread reads (`createRegistry`), the worker writes what `planPublish` and `planAdd` plan. Verified bytes
 * come in, verified records go out; which of several owners of a name is meant is for the caller to decide.
 */
export { MAX_CLOCK_AHEAD_MS, MAX_CONTENTS_PER_VERSION, planAdd, planPublish } from './plan.ts'
export { createRegistry } from './registry.ts'
export {
  type Announcement,
  readAnnouncement,
  readAnnouncements,
  readPublishedIds,
  scheduleAnnouncement
} from './schedule.ts'
export type * from './types.ts'
