/**
 * sync/1: what two nodes say to each other to make their copies of one library equal. Goals: a difference of a few records found in
 * one round trip and 1.4 KB whatever the size of the library, one of thousands in two and 40 bytes each; every
 * message within bounds that hold before it is decoded. Not its business: what is said when (sync/reconcile/), and whether
 * a record may be taken in: a port answers that (the worker, in the end). In: streams and a port. Out: sessions that end within known
 * bounds of time, and what they came to.
 */
export { runSyncSession, type SyncClientModules } from './client.ts'
export { isSessionOver, type SessionPort, type SessionTraffic, type SpokenPart } from './drive.ts'
export * from './limits.ts'
export {
  abortFrame,
  decodeSyncFrame,
  encodeSyncMessage,
  readSyncFrame,
  readSyncMessage,
  type SyncFrame,
  type SyncKind,
  type SyncMessage
} from './message.ts'
export type {
  Changes as SyncChanges,
  Descend,
  Hello as SyncHello,
  Opening as DescentOpening,
  Sketch as SketchFrame,
  Want
} from './messages.js'
export {
  isViolation as isSyncViolation,
  SyncServer,
  type SyncServerModules,
  type SyncServerOptions
} from './server.ts'
export { decodeShapes, encodeShapes, type GroupShape, listShape, stepShape, subtreesBelow } from './shapes.ts'
