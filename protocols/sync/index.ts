/**
 * sync/1: what two nodes say to each other to make their copies of one library equal. Goals: a difference of a few records found in
 * one round trip and 1.4 KB whatever the size of the library, one of thousands in two and 40 bytes each; every
 * message within bounds that hold before it is decoded. Not its business: what is said when (sync/reconcile/), and whether
 * a record may be taken in. In: bytes of a stream, or messages. Out: checked messages, or frames.
 */
export * from './limits.ts'
export { encodeSyncMessage, readSyncMessage, type SyncMessage } from './message.ts'
export type {
  Descend,
  Hello as SyncHello,
  Opening as DescentOpening,
  Sketch as SketchFrame,
  Want
} from './messages.js'
export { decodeShapes, encodeShapes, type GroupShape, listShape, stepShape, subtreesBelow } from './shapes.ts'
