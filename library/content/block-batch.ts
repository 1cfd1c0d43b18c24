/**
 * Blocks on their way to the worker. An answer of a peer is up to 1,024 blocks in one piece of memory; as objects
 * they cost more to send to another thread than to hash. So the memory goes as it is, and what is known of the
 * blocks in one packed array of 52 bytes each: id, then five u32: codec, raw length, memory, offset and length in it.
 */
import { BLOCK_ID_BYTES } from './blocks.ts'
import type { BlockCodec, IncomingBlock } from './types.ts'

const FIELDS = 5
const HEAD_BYTES = BLOCK_ID_BYTES + FIELDS * 4

export interface BlockBatch {
  heads: Uint8Array
  /** What the bytes of the blocks lie in. */
  memories: Uint8Array[]
}

export function packBlocks(blocks: readonly IncomingBlock[]): BlockBatch {
  const heads = Buffer.allocUnsafeSlow(blocks.length * HEAD_BYTES)
  const memories: Uint8Array[] = []
  const numbers = new Map<ArrayBufferLike, number>()
  let at = 0
  for (const { id, codec, rawLengthBytes, bytes } of blocks) {
    const { buffer, byteOffset, byteLength } = bytes
    let memory = numbers.get(buffer)
    if (memory === undefined) {
      memory = memories.push(new Uint8Array(buffer)) - 1
      numbers.set(buffer, memory)
    }
    heads.set(id, at)
    at += BLOCK_ID_BYTES
    for (const field of [codec, rawLengthBytes, memory, byteOffset, byteLength])
      at = heads.writeUInt32LE(field, at)
  }
  return { heads, memories }
}

/** The blocks again, as views into the batch. */
export function unpackBlocks({ heads, memories }: BlockBatch): IncomingBlock[] {
  const view = Buffer.from(heads.buffer, heads.byteOffset, heads.byteLength)
  return Array.from({ length: heads.byteLength / HEAD_BYTES }, (_, i) => {
    const start = i * HEAD_BYTES
    const field = (n: number): number => view.readUInt32LE(start + BLOCK_ID_BYTES + n * 4)
    const offset = field(3)
    return {
      id: heads.subarray(start, start + BLOCK_ID_BYTES),
      codec: field(0) as BlockCodec,
      rawLengthBytes: field(1),
      bytes: memories[field(2)]!.subarray(offset, offset + field(4))
    }
  })
}
