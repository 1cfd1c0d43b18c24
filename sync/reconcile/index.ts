/**
 * Reconciliation: two nodes find out how their copies of one library differ, in one or two round trips and about 40 bytes for each
 * difference, and exchange what is missing. A session is a pure state machine for both sides. In: the own set (a view of its trie and a
 * sketch), messages of the other side, and its records, of which it says which may come and which are new. Out: messages and records to
 * send, whether the sets are equal, or an error that ends the session. It verifies no signature, stores nothing, opens
 * no stream and believes nobody: the root decides in the end, and what a peer may cost is bounded (limits.ts).
 */
export {
  HELLO_CELLS,
  HELLO_COUNTS,
  MAX_COUNTED_RECORDS,
  MAX_HELD_RECORDS,
  MAX_TURN_FRAMES,
  MAX_TURNS,
  RECORDS_PER_STREAM_TURN,
  SESSION_BASE_BYTES,
  SESSION_BYTES_PER_RECORD
} from './limits.ts'
export { recordFrames } from './pack.ts'
export { cellsFor } from './plan.ts'
export { awaitSession, beginSession, isOnlyCompared, reply, replySteps } from './reply.ts'
export {
  admitRecords,
  isComparing,
  receive,
  type Session,
  type SessionOptions,
  type SessionStep,
  type SyncWay,
  wayOf
} from './session.ts'
