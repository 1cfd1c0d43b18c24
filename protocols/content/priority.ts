import { PRIORITIES, type Priority } from '../throttle/index.ts'

/** Of a stream that does not say how urgent it is. */
export const DEFAULT_PRIORITY: Priority = 'normal'

/** The number of a class in an Open. */
export const wireOfPriority = (priority: Priority): number => PRIORITIES.length - PRIORITIES.indexOf(priority)

/** The class that the number in an Open stands for: 1 low to 4 critical, all else the default. */
export const priorityOfWire = (value: number): Priority =>
  PRIORITIES[PRIORITIES.length - value] ?? DEFAULT_PRIORITY
