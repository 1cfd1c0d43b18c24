import { createHash } from 'node:crypto'
import { Check } from 'typebox/value'
import { ByteSource, CatalogError } from '../../base/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import {
  type AwaySegment,
  BACKUP_MAGIC,
  type BackupKind,
  type BackupPart,
  BackupState,
  DIGEST_BYTES,
  isBackupFile,
  KIND_BYTES,
  MAX_BODY_BYTES,
  MAX_FILES,
  MAX_SEGMENT_BYTES,
  PART_HEAD_BYTES,
  ROW_HEAD_BYTES,
  type Row,
  SEGMENT_HEAD_BYTES
} from './parts.ts'

const KINDS = new Map(Object.entries(KIND_BYTES).map(([kind, byte]) => [byte, kind as BackupKind]))
/** The order of the parts. */
const RANK: Readonly<Record<BackupKind, number>> = { state: 0, file: 1, rows: 2, away: 3, piece: 4, end: 5 }
/** Of these there is one. */
const ONCE: ReadonlySet<BackupKind> = new Set(['state', 'end'])
const NO_BACKUP = 'is no backup of a home, or one of a later version'

/**
 * The parts of a backup, in the order of the format, with memory of their own; holds one of them, whatever the file says. Each was checked
 * by its own hash when it comes. BACKUP_INVALID where the file is not in its one form, is cut off, or was changed: at the end at
 * the latest, so whoever acts on the parts does it for good only after the last.
 */
export async function* readBackup(source: AsyncIterable<Uint8Array>): AsyncGenerator<BackupPart> {
  const bytes = new ByteSource(source, invalid)
  if (!bytesEqual(await bytes.take(BACKUP_MAGIC.byteLength, NO_BACKUP), BACKUP_MAGIC))
    throw invalid(NO_BACKUP)
  const order = new Order()
  for (;;) {
    const before = bytes.digest()
    const { kind, body } = await takePart(bytes)
    order.expectKind(kind)
    if (kind === 'end') {
      if (!bytesEqual(body, before)) throw invalid('was changed: its checksum is wrong')
      order.expectWhole()
      return await bytes.expectEnd()
    }
    const part = partOf(kind, body)
    order.expectNext(part)
    yield part
  }
}

async function takePart(bytes: ByteSource): Promise<{ kind: BackupKind; body: Buffer }> {
  const head = await bytes.take(PART_HEAD_BYTES)
  const kind = KINDS.get(head[0]!)
  if (kind === undefined) throw invalid(`has a part of the unknown kind ${head[0]}`)
  const lengthBytes = head.readUInt32BE(1)
  if (lengthBytes > MAX_BODY_BYTES[kind]) throw invalid(`has a part "${kind}" of ${lengthBytes} bytes`)
  const body = await bytes.take(lengthBytes)
  const digest = createHash('sha256').update(head).update(body).digest()
  if (!bytesEqual(await bytes.take(DIGEST_BYTES), digest))
    throw invalid(`was changed: the checksum of a part "${kind}" is wrong`)
  return { kind, body }
}

/** What may follow what; each part by itself is right already. */
class Order {
  #last: BackupKind | undefined
  #files = 0
  #name = ''
  #key: Uint8Array = new Uint8Array(0)
  #away = -1
  #segment = -1
  #offsetBytes = 0
  #state: BackupState | undefined
  #segments = 0
  #segmentBytes = 0

  expectKind(kind: BackupKind): void {
    const last = this.#last
    const isFirst = last === undefined && kind === 'state'
    const isLater = last !== undefined && RANK[kind] >= RANK[last] && !(kind === last && ONCE.has(kind))
    if (!isFirst && !isLater) throw invalid(`has a part "${kind}" after "${last ?? 'its beginning'}"`)
    this.#last = kind
  }

  expectNext(part: BackupPart): void {
    if (part.kind === 'state') this.#state = part.state
    else if (part.kind === 'file') this.#file(part.name)
    else if (part.kind === 'rows') for (const { key } of part.rows) this.#row(key)
    else if (part.kind === 'away') for (const one of part.segments) this.#awaySegment(one)
    else this.#piece(part)
  }

  /** Whether all is there that the beginning speaks of. */
  expectWhole(): void {
    const { segments, segmentBytes } = this.#state!
    if (this.#segments !== segments || this.#segmentBytes !== segmentBytes)
      throw invalid(`has ${this.#segments} segments where it speaks of ${segments}`)
  }

  #file(name: string): void {
    if (++this.#files > MAX_FILES) throw invalid(`has more than ${MAX_FILES} files`)
    if (name <= this.#name) throw invalid('has files in another order than that of their names')
    this.#name = name
  }

  #row(key: Uint8Array): void {
    if (Buffer.compare(key, this.#key) <= 0)
      throw invalid('has rows in another order than that of their keys')
    this.#key = key
  }

  #awaySegment({ segment }: AwaySegment): void {
    if (segment <= this.#away)
      throw invalid('has segments of a bucket in another order than that of their numbers')
    this.#away = segment
  }

  #piece({ segment, offsetBytes, bytes }: Extract<BackupPart, { kind: 'piece' }>): void {
    const isNext = segment > this.#segment && offsetBytes === 0
    const isMore = segment === this.#segment && offsetBytes === this.#offsetBytes
    if (!isNext && !isMore) throw invalid(`has a gap in the segment ${segment}`)
    if (isNext) this.#segments++
    this.#segment = segment
    this.#offsetBytes = offsetBytes + bytes.byteLength
    this.#segmentBytes += bytes.byteLength
    if (this.#offsetBytes > MAX_SEGMENT_BYTES)
      throw invalid(`has a segment of more than ${MAX_SEGMENT_BYTES} bytes`)
  }
}

function partOf(kind: Exclude<BackupKind, 'end'>, body: Buffer): BackupPart {
  switch (kind) {
    case 'state':
      return { kind, state: stateOf(body) }
    case 'file':
      return { kind, ...fileOf(body) }
    case 'rows':
      return { kind, rows: rowsOf(body) }
    case 'away':
      return { kind, segments: awayOf(body) }
    case 'piece':
      return { kind, ...pieceOf(body) }
  }
}

function stateOf(body: Buffer): BackupState {
  const state = parsed(body)
  if (!Check(BackupState, state)) throw invalid('does not say what it is a backup of')
  return state
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}

function fileOf(body: Buffer): { name: string; bytes: Uint8Array } {
  const end = 1 + (body[0] ?? 0)
  const name = body.subarray(1, end).toString('latin1')
  if (end > body.byteLength || !isBackupFile(name)) throw invalid('has a file that no home has')
  return { name, bytes: body.subarray(end) }
}

function rowsOf(body: Buffer): Row[] {
  const rows: Row[] = []
  for (let at = 0; at < body.byteLength; ) {
    const keyAt = at + ROW_HEAD_BYTES
    if (keyAt > body.byteLength) throw invalid('has a row without its beginning')
    const valueAt = keyAt + body.readUInt16BE(at)
    const end = valueAt + body.readUInt32BE(at + 2)
    if (end > body.byteLength) throw invalid('has a row that is longer than its part')
    rows.push({ key: body.subarray(keyAt, valueAt), value: body.subarray(valueAt, end) })
    at = end
  }
  return rows
}

function awayOf(body: Buffer): AwaySegment[] {
  if (body.byteLength % SEGMENT_HEAD_BYTES !== 0) throw invalid('has half a segment of a bucket')
  return Array.from({ length: body.byteLength / SEGMENT_HEAD_BYTES }, (_, index) => {
    const at = index * SEGMENT_HEAD_BYTES
    return { segment: body.readUInt32BE(at), sizeBytes: body.readUInt32BE(at + 4) }
  })
}

function pieceOf(body: Buffer): { segment: number; offsetBytes: number; bytes: Uint8Array } {
  if (body.byteLength <= SEGMENT_HEAD_BYTES) throw invalid('has a piece of a segment without bytes')
  return {
    segment: body.readUInt32BE(),
    offsetBytes: body.readUInt32BE(4),
    bytes: body.subarray(SEGMENT_HEAD_BYTES)
  }
}

export const invalid = (what: string): CatalogError => new CatalogError('BACKUP_INVALID', `the file ${what}`)
