import { createHash } from 'node:crypto'
import {
  BACKUP_MAGIC,
  type BackupKind,
  type BackupPart,
  KIND_BYTES,
  PART_HEAD_BYTES,
  ROW_HEAD_BYTES,
  type Row,
  SEGMENT_HEAD_BYTES
} from './parts.ts'

/**
 * A backup as bytes: for each part its head, its body in one or more pieces and its hash, and what closes the file behind the last.
 * The caller sees to the order of the parts, and may use their memory again once the next is asked for.
 */
export async function* writeBackup(parts: AsyncIterable<BackupPart>): AsyncGenerator<Uint8Array> {
  const whole = createHash('sha256')
  const counted = (bytes: Uint8Array): Uint8Array => {
    whole.update(bytes)
    return bytes
  }
  let before: Uint8Array = BACKUP_MAGIC
  for await (const part of parts) {
    const head = counted(before)
    before = new Uint8Array(0)
    if (head.byteLength > 0) yield head
    for (const bytes of partBytes(part.kind, bodyOf(part))) yield counted(bytes)
  }
  yield Buffer.concat([...partBytes('end', [whole.digest()])])
}

function* partBytes(kind: BackupKind, body: readonly Uint8Array[]): Generator<Uint8Array> {
  const head = Buffer.alloc(PART_HEAD_BYTES)
  head[0] = KIND_BYTES[kind]
  head.writeUInt32BE(
    body.reduce((sum, bytes) => sum + bytes.byteLength, 0),
    1
  )
  const hash = createHash('sha256')
  for (const bytes of [head, ...body]) {
    hash.update(bytes)
    yield bytes
  }
  yield hash.digest()
}

function bodyOf(part: BackupPart): Uint8Array[] {
  switch (part.kind) {
    case 'state':
      return [Buffer.from(JSON.stringify(part.state))]
    case 'file':
      return [Uint8Array.of(part.name.length), Buffer.from(part.name), part.bytes]
    case 'rows':
      return [Buffer.concat(part.rows.flatMap(rowBytes))]
    case 'away':
      return [Buffer.concat(part.segments.map(({ segment, sizeBytes }) => twoNumbers(segment, sizeBytes)))]
    case 'piece':
      return [twoNumbers(part.segment, part.offsetBytes), part.bytes]
  }
}

function rowBytes({ key, value }: Row): Uint8Array[] {
  const head = Buffer.alloc(ROW_HEAD_BYTES)
  head.writeUInt16BE(key.byteLength)
  head.writeUInt32BE(value.byteLength, 2)
  return [head, key, value]
}

function twoNumbers(first: number, second: number): Uint8Array {
  const bytes = Buffer.alloc(SEGMENT_HEAD_BYTES)
  bytes.writeUInt32BE(first)
  bytes.writeUInt32BE(second, 4)
  return bytes
}
