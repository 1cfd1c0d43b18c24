/** The four classes, most urgent first. */
export const PRIORITIES = ['critical', 'high', 'normal', 'low'] as const
export type Priority = (typeof PRIORITIES)[number]

/** The less urgent of two. */
export const lesserPriority = (a: Priority, b: Priority): Priority =>
  PRIORITIES.indexOf(a) > PRIORITIES.indexOf(b) ? a : b

/** The more urgent of two. */
export const greaterPriority = (a: Priority, b: Priority): Priority =>
  PRIORITIES.indexOf(a) < PRIORITIES.indexOf(b) ? a : b
