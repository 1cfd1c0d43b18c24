/**
 * control/1: one long-lived stream for each pair of peers that carries all small messages: requests with ids and many in
 * flight both ways, cancellation, a heartbeat that finds a dead or hanging peer in less than 10 s, and a goodbye on
 * shutdown. It carries no bulk data, retries nothing, and decides nothing about a peer that misbehaves beyond cutting its
 * stream and reporting it. In: typed requests and handlers; out: typed answers, or errors with a code.
 */
export {
  type Control,
  type ControlModules,
  type ControlOptions,
  controlProtocol,
  createControl,
  type OnGoodbye
} from './control.ts'
export { GoodbyeReason, type Hello } from './frames.ts'
export type { Handler, HandlerContext } from './incoming.ts'
export type { RequestOptions } from './outgoing.ts'
