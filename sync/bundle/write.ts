import { createHash } from 'node:crypto'
import { HASH_BYTES } from '../trie/index.ts'
import { BUNDLE_MAGIC, type BundleKind, type BundlePart, FRAME_HEAD_BYTES, KIND_BYTES } from './parts.ts'

/**
 * A bundle as bytes: a piece for each part, and what closes the file behind the last. The caller sees to the order of the
 * parts; the first piece comes with the first part.
 */
export async function* writeBundle(parts: AsyncIterable<BundlePart>): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  let before: Uint8Array = BUNDLE_MAGIC
  for await (const part of parts) {
    const body = Buffer.concat(bodyOf(part))
    const piece = Buffer.concat([before, frameHead(part.kind, body.byteLength), body])
    before = new Uint8Array(0)
    hash.update(piece)
    yield piece
  }
  const end = frameHead('end', HASH_BYTES)
  yield Buffer.concat([end, hash.update(end).digest()])
}

function frameHead(kind: BundleKind, lengthBytes: number): Uint8Array {
  const head = Buffer.alloc(FRAME_HEAD_BYTES)
  head[0] = KIND_BYTES[kind]
  head.writeUInt32BE(lengthBytes, 1)
  return head
}

function bodyOf(part: BundlePart): Uint8Array[] {
  switch (part.kind) {
    case 'name':
      return [Buffer.from(part.name)]
    case 'head':
      return [part.head]
    case 'record':
      return [uint32(part.record.byteLength), part.record, part.proof]
    case 'content':
      return [part.content]
    case 'block':
      return [part.id, Uint8Array.of(part.codec), uint32(part.rawLengthBytes), part.bytes]
    case 'whole':
      return []
  }
}

function uint32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
