/**
 * Throttle: how fast bytes move, and whose turn it is. Token buckets for all peers together, for each class and each peer, in
 * both directions, with rates by time of day; four classes in strict order with a reserve, and deficit round robin
 * between the peers of a class. What is sent takes its tokens before it is given to the transport, what is fetched before it
 * is asked for, so a limit never leaves a stream unread. Not its business: which peer deserves what (weights are
 * injected), and what the bytes are. In: limits, and `take`; out: the moment at which bytes may move.
 */
export { MAX_BURST_BYTES, MIN_RATE_BYTES } from './limits.ts'
export { greaterPriority, lesserPriority, PRIORITIES, type Priority } from './priority.ts'
export {
  type Budget,
  createThrottle,
  type EffectiveLimits,
  type LiveLimit,
  type Throttle,
  type ThrottleOptions
} from './throttle.ts'
export { expectRate, parseClassRate, parseRate, parseWindow } from './windows.ts'
