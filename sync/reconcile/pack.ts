/** Cuts what is to be said in one turn into frames that fit, and joins the frames of a turn again. */
import {
  type Descend,
  type DescentOpening,
  decodeShapes,
  encodeShapes,
  encodeSyncMessage,
  FINGERPRINT_BYTES,
  type GroupShape,
  MAX_GROUPS,
  MAX_LIST,
  MAX_RECORDS_PER_FRAME,
  MAX_SYNC_FRAME_BYTES,
  type SyncMessage,
  WANT_KEY_BYTES
} from '../../protocols/index.ts'
import { encodeCells, encodeCounts, type Sketch } from '../sketch/index.ts'
import type { Groups } from './descent.ts'
import { CELLS_PER_FRAME } from './limits.ts'

/** Tags and lengths of the columns, and the opening. */
const FRAME_OVERHEAD_BYTES = 64
/** Tag and length of a record. */
const RECORD_OVERHEAD_BYTES = 4
/** Bytes of one group beside its fingerprints, at most. */
const SHAPE_BYTES = 2

/** The frames of a sketch of a set of `records`. */
export function sketchFrames(sketch: Sketch, records: number): SyncMessage[] {
  const frames: SyncMessage[] = []
  for (let from = 0; from < sketch.cellCount; from += CELLS_PER_FRAME) {
    const to = Math.min(sketch.cellCount, from + CELLS_PER_FRAME)
    const columns = { cells: encodeCells(sketch, from, to), counts: encodeCounts(sketch, from, to) }
    frames.push({ kind: 'sketch', body: { records, ...columns, more: to < sketch.cellCount } })
  }
  return frames
}

/** The frames that ask for the records with these first 8 bytes of their keys, which rise. */
export function wantFrames(keys: readonly Uint8Array[], unresolved: number): SyncMessage[] {
  const column = Buffer.concat(keys)
  const frameBytes = MAX_LIST * WANT_KEY_BYTES
  const frames: SyncMessage[] = []
  for (let at = 0; at === 0 || at < column.byteLength; at += frameBytes) {
    const part = column.subarray(at, at + frameBytes)
    frames.push({ kind: 'want', body: { keys: part, unresolved, more: at + frameBytes < column.byteLength } })
  }
  return frames
}

/** The frames of records to send, which are at most 32 KiB each and in the order of their keys. */
export function* recordFrames(records: Iterable<Uint8Array>): Generator<Uint8Array> {
  let part: Uint8Array[] = []
  let bytes = 0
  for (const record of records) {
    const itsBytes = record.byteLength + RECORD_OVERHEAD_BYTES
    if (part.length === MAX_RECORDS_PER_FRAME || bytes + itsBytes > MAX_SYNC_FRAME_BYTES) {
      yield encodeSyncMessage({ kind: 'records', body: { records: part } })
      part = []
      bytes = 0
    }
    part.push(record)
    bytes += itsBytes
  }
  if (part.length > 0) yield encodeSyncMessage({ kind: 'records', body: { records: part } })
}

/** What one turn of a descent says. */
export interface DescendTurn {
  readonly opening?: DescentOpening
  readonly answers: readonly Uint8Array[]
  readonly groups: Groups
}

/** The frames of a turn of a descent: all answers, then all groups. */
export function descendFrames({ opening, answers, groups }: DescendTurn): SyncMessage[] {
  const frames = new FramesOfDescent()
  for (const answer of answers) frames.addAnswer(answer)
  groups.shapes.forEach((shape, index) => {
    frames.addGroup(shape, groups.fingerprints[index]!)
  })
  return frames.bodies().map((body, index) => ({
    kind: 'descend',
    body: index === 0 && opening !== undefined ? { opening, ...body } : body
  }))
}

class FramesOfDescent {
  readonly #full: Descend[] = []
  #answers: Uint8Array[] = []
  #shapes: GroupShape[] = []
  #fingerprints: Uint32Array[] = []
  #bytes = FRAME_OVERHEAD_BYTES

  addAnswer(answer: Uint8Array): void {
    this.#makeRoom(answer.byteLength)
    this.#answers.push(answer)
  }

  addGroup(shape: GroupShape, fingerprints: Uint32Array): void {
    if (this.#shapes.length === MAX_GROUPS) this.#cut(true)
    this.#makeRoom(SHAPE_BYTES + fingerprints.length * FINGERPRINT_BYTES)
    this.#shapes.push(shape)
    this.#fingerprints.push(fingerprints)
  }

  bodies(): Descend[] {
    this.#cut(false)
    return this.#full
  }

  #makeRoom(bytes: number): void {
    if (this.#bytes + bytes > MAX_SYNC_FRAME_BYTES) this.#cut(true)
    this.#bytes += bytes
  }

  #cut(more: boolean): void {
    this.#full.push({
      answers: Buffer.concat(this.#answers),
      shapes: encodeShapes(this.#shapes),
      fingerprints: encodeFingerprints(this.#fingerprints),
      more
    })
    this.#answers = []
    this.#shapes = []
    this.#fingerprints = []
    this.#bytes = FRAME_OVERHEAD_BYTES
  }
}

/** The answers and groups of all frames of a turn. */
export function joinDescend(frames: readonly Descend[]): { answers: Uint8Array; groups: Groups } {
  const shapes: GroupShape[] = []
  const fingerprints: Uint32Array[] = []
  for (const frame of frames) {
    let at = 0
    for (const shape of decodeShapes(frame.shapes)) {
      shapes.push(shape)
      fingerprints.push(decodeFingerprints(frame.fingerprints, at, shape.size))
      at += shape.size * FINGERPRINT_BYTES
    }
  }
  return { answers: Buffer.concat(frames.map(({ answers }) => answers)), groups: { shapes, fingerprints } }
}

function encodeFingerprints(groups: readonly Uint32Array[]): Uint8Array {
  const count = groups.reduce((sum, { length }) => sum + length, 0)
  const bytes = Buffer.alloc(count * FINGERPRINT_BYTES)
  let at = 0
  for (const group of groups) for (const fingerprint of group) at = bytes.writeUInt32BE(fingerprint, at)
  return bytes
}

function decodeFingerprints(column: Uint8Array, from: number, count: number): Uint32Array {
  const bytes = Buffer.from(column.buffer, column.byteOffset, column.byteLength)
  return Uint32Array.from({ length: count }, (_, index) =>
    bytes.readUInt32BE(from + index * FINGERPRINT_BYTES)
  )
}
