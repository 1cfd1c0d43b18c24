/**
 * What all protocols share on the wire: protocol ids with the network's name, varint framing with size limits that hold
 * before anything is buffered, declarations of messages with their bounds, the map between error codes and wire
 * statuses, and the W3C trace context. It opens no stream and knows no message of any protocol. In: bytes as a stream
 * delivers them; out: frames and typed messages, or PROTOCOL_VIOLATION and STREAM_TRUNCATED.
 */
export { connectionTo, openConnection } from './connection.ts'
export { type ByteSource, FrameReader } from './frame-reader.ts'
export { drained, encodeFrame } from './frame-writer.ts'
export { protocolId } from './ids.ts'
export {
  declareMessage,
  declareRequest,
  MAX_PAYLOAD_BYTES,
  type MessageBounds,
  type RequestType,
  type WireMessage
} from './message.ts'
export { timeOfNotHere } from './not-here.ts'
export { errorOfStatus, fromTransport, printable, type StatusFields, statusOf } from './status.ts'
export { activeTraceparent, asking, contextOf } from './trace.ts'
