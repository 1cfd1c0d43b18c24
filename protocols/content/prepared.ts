/** Answers as they go over the wire: a header, and right behind it, in the same memory, the blocks as they are at rest. */
import type { StoredBlock } from '../../library/index.ts'
import { encodeFrame } from '../wire/frame-writer.ts'
import type { AnswerPlace } from './answer-memory.ts'
import { type Answer, answerMessage, type Block } from './frames.ts'
import { MAX_ANSWER_HEADER_BYTES, MAX_COPIED_ANSWER_BYTES } from './limits.ts'

/** Room before the blocks of an answer for its header, and the length before that. */
export const HEADER_ROOM_BYTES = MAX_ANSWER_HEADER_BYTES + 8

/** An answer ready to be sent. */
export interface Prepared {
  readonly status: number
  readonly frame: Uint8Array
  /** It carries blocks, so its bytes count against the limits of the peer. */
  readonly hasBlocks: boolean
  /** Where the frame lies, when that is not memory of its own. */
  readonly place?: AnswerPlace
}

/** Puts the header right before the blocks, so that the answer is sent as one piece. */
export function frameOf(header: Partial<Answer> & { blocks: Block[] }, memory: Uint8Array): Uint8Array {
  const head = encodeFrame([], answerMessage.encode(header))
  const start = HEADER_ROOM_BYTES - head.byteLength
  memory.set(head, start)
  const sizeBytes = header.blocks.reduce((sum, { storedLength }) => sum + storedLength, 0)
  return memory.subarray(start, HEADER_ROOM_BYTES + sizeBytes)
}

/**
 * An answer whose frame lies in `place`. A small one is copied and gives its place back: a few of them, queued for a peer
 * that is slow to read, would keep a megabyte each.
 */
export function withBlocks(frame: Uint8Array, place: AnswerPlace): Prepared {
  if (frame.byteLength > MAX_COPIED_ANSWER_BYTES) return { status: 0, frame, hasBlocks: true, place }
  // Not slice(): that of a Buffer copies nothing.
  const copied = new Uint8Array(frame)
  place.free(true)
  return { status: 0, frame: copied, hasBlocks: true }
}

export function withoutBlocks(header: Partial<Answer>): Prepared {
  const frame = encodeFrame([], answerMessage.encode(header))
  return { status: header.status ?? 0, frame, hasBlocks: false }
}

export function describe({ codec, bytes, rawLengthBytes }: StoredBlock): Block {
  return { codec, storedLength: bytes.byteLength, rawLength: rawLengthBytes }
}
