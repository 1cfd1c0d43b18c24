/** Answers as they go over the wire: a header, and right behind it, in the same memory, the blocks as they are at rest. */
import type { StoredBlock } from '../../library/index.ts'
import { encodeFrame } from '../wire/frame-writer.ts'
import { type Answer, answerMessage, type Block } from './frames.ts'
import { MAX_ANSWER_HEADER_BYTES } from './limits.ts'

/** Room before the blocks of an answer for its header, and the length before that. */
export const HEADER_ROOM_BYTES = MAX_ANSWER_HEADER_BYTES + 8

/** An answer ready to be sent. */
export interface Prepared {
  readonly status: number
  readonly frame: Uint8Array
  /** What the frame lies in, when that may be used again. */
  readonly memory?: Uint8Array
}

/** Puts the header right before the blocks, so that the answer is sent as one piece. */
export function frameOf(header: Partial<Answer> & { blocks: Block[] }, memory: Uint8Array): Uint8Array {
  const head = encodeFrame([], answerMessage.encode(header))
  const start = HEADER_ROOM_BYTES - head.byteLength
  memory.set(head, start)
  const sizeBytes = header.blocks.reduce((sum, { storedLength }) => sum + storedLength, 0)
  return memory.subarray(start, HEADER_ROOM_BYTES + sizeBytes)
}

export function withoutBlocks(header: Partial<Answer>): Prepared {
  return { status: header.status ?? 0, frame: encodeFrame([], answerMessage.encode(header)) }
}

export function describe({ codec, bytes, rawLengthBytes }: StoredBlock): Block {
  return { codec, storedLength: bytes.byteLength, rawLength: rawLengthBytes }
}
