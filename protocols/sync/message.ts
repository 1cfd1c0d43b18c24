import { CatalogError } from '../../base/index.ts'
import type { FrameReader } from '../wire/frame-reader.ts'
import { encodeFrame } from '../wire/frame-writer.ts'
import type { WireMessage } from '../wire/message.ts'
import { statusOf } from '../wire/status.ts'
import {
  abortMessage,
  changesMessage,
  descendMessage,
  finMessage,
  headMessage,
  recordsMessage,
  sketchMessage,
  syncHelloMessage,
  wantMessage
} from './frames.ts'
import type { Abort, Changes, Descend, Fin, Head, Hello, Records, Sketch, Want } from './messages.js'

interface SyncBodies {
  head: Head
  hello: Hello
  sketch: Sketch
  descend: Descend
  want: Want
  records: Records
  fin: Fin
  abort: Abort
  changes: Changes
}
export type SyncKind = keyof SyncBodies

/** A message of a session, by kind. */
export type SyncMessage = { [K in SyncKind]: { readonly kind: K; readonly body: SyncBodies[K] } }[SyncKind]

/** Numbers of the kinds on the wire (docs/wire.md) and their declarations. */
const KINDS: {
  readonly [K in SyncKind]: { readonly number: number; readonly type: WireMessage<SyncBodies[K]> }
} = {
  head: { number: 1, type: headMessage },
  hello: { number: 2, type: syncHelloMessage },
  sketch: { number: 3, type: sketchMessage },
  descend: { number: 4, type: descendMessage },
  want: { number: 5, type: wantMessage },
  records: { number: 6, type: recordsMessage },
  fin: { number: 7, type: finMessage },
  abort: { number: 8, type: abortMessage },
  changes: { number: 9, type: changesMessage }
}
const KIND_OF_NUMBER = new Map(
  Object.entries(KINDS).map(([kind, { number }]) => [number, kind as SyncKind] as const)
)

/** The frame of a message: the number of its kind, its length, its body. LIMIT_EXCEEDED when it is larger than peers accept. */
export function encodeSyncMessage({ kind, body }: SyncMessage): Uint8Array {
  const { number, type } = KINDS[kind] as { number: number; type: WireMessage<typeof body> }
  return encodeFrame([number], type.encode(body))
}

/** The frame that tells the other side why a session ends. */
export const abortFrame = (thrown: unknown): Uint8Array =>
  encodeSyncMessage({ kind: 'abort', body: statusOf(thrown) })

/** A message as it came, within the bounds of its kind and not decoded yet. */
export interface SyncFrame {
  readonly kind: SyncKind
  readonly body: Uint8Array<ArrayBuffer>
  /** Of the whole frame. */
  readonly sizeBytes: number
}

/**
 * The next frame of a stream, undefined at its end. Its length is checked against its kind before anything of it is kept. Throws
 * PROTOCOL_VIOLATION and STREAM_TRUNCATED.
 */
export async function readSyncFrame(reader: FrameReader): Promise<SyncFrame | undefined> {
  const before = reader.takenBytes
  const number = await reader.varint()
  if (number === undefined) return undefined
  const kind = KIND_OF_NUMBER.get(number)
  if (kind === undefined) throw new CatalogError('PROTOCOL_VIOLATION', `a sync frame of kind ${number}`)
  const { type } = KINDS[kind]
  const body = await reader.frame(type.name, type.maxBytes)
  if (body === undefined) throw new CatalogError('STREAM_TRUNCATED', `the stream ended inside ${type.name}`)
  return { kind, body, sizeBytes: reader.takenBytes - before }
}

/** The message in a frame. Throws PROTOCOL_VIOLATION. */
export const decodeSyncFrame = ({ kind, body }: Pick<SyncFrame, 'kind' | 'body'>): SyncMessage =>
  ({ kind, body: KINDS[kind].type.decode(body) }) as SyncMessage

/** The next message of a stream, undefined at its end, and the bytes that it took. Throws as both of the above. */
export async function readSyncMessage(
  reader: FrameReader
): Promise<{ message: SyncMessage; sizeBytes: number } | undefined> {
  const frame = await readSyncFrame(reader)
  return frame && { message: decodeSyncFrame(frame), sizeBytes: frame.sizeBytes }
}
