import type { SyncMessage } from '../../protocols/index.ts'
import {
  MAX_COUNTED_RECORDS,
  MAX_HELD_RECORDS,
  MAX_TURN_FRAMES,
  MAX_TURNS,
  RECORDS_PER_STREAM_TURN,
  SESSION_BASE_BYTES,
  SESSION_BYTES_PER_RECORD
} from '../../sync/index.ts'
import { Invited } from './invited.ts'

const HEAD_FRAME = 1
const RECORDS_FRAME = 6
const ABORT_FRAME = 8
/** Frames that do not count for the bounds of a session. */
const NOT_COUNTED: readonly number[] = [HEAD_FRAME, RECORDS_FRAME, ABORT_FRAME]

const INTRUDED = 'went on after a record had come that it had not asked for'

/**
 * What a session has cost one side, counted at the stream and not by the session itself, against the bounds that the session
 * promises to keep: what one more message is worth may come on top, and then nothing is answered.
 */
export class SessionMeter {
  turns = 0
  /** Both ways, without records. */
  bytes = 0
  recordBytes = 0
  /** All that the other side has said. */
  heardBytes = 0
  recordsTaken = 0
  /** Came although they were here. */
  recordsHeld = 0
  /** Records of the own set now, and of the other as it has said at most. */
  mine: () => number
  readonly #keyOf: (record: Uint8Array) => Uint8Array
  readonly #invited = new Invited()
  /** A record has come that was not asked for: nothing but a refusal may follow. */
  #isIntruded = false
  #told = 0
  /** Of the turn of the other side. */
  #frames = 0
  #excess: string | undefined

  /** `keyOf` reads the trieKey of a record, and throws for what is none. */
  constructor(mine: () => number, keyOf: (record: Uint8Array) => Uint8Array) {
    this.mine = mine
    this.#keyOf = keyOf
  }

  heard(message: SyncMessage, sizeBytes: number): void {
    const isLate = this.#isExceeded()
    this.heardBytes += sizeBytes
    if (message.kind === 'abort' || message.kind === 'head') return
    if (message.kind === 'records') {
      this.recordBytes += sizeBytes
      this.#isIntruded ||= message.body.records.some(record => !this.#isInvited(record))
    } else {
      this.bytes += sizeBytes
      this.#frames++
      if (!('more' in message.body && message.body.more)) this.turns++
      this.#told = Math.max(this.#told, Math.min(toldRecords(message), MAX_COUNTED_RECORDS))
    }
    if (isLate) this.#excess ??= `went on at ${this.#state()}`
  }

  said(frames: readonly Uint8Array[]): void {
    this.#frames = 0
    this.#invited.said(frames)
    const spoken = frames.filter(([kind]) => !NOT_COUNTED.includes(kind!))
    const sum = (list: readonly Uint8Array[]): number =>
      list.reduce((all, { byteLength }) => all + byteLength, 0)
    this.bytes += sum(spoken)
    this.recordBytes += sum(frames) - sum(spoken)
    if (spoken.length > 0) this.turns++
    if (this.#isExceeded()) this.#excess ??= `spoke at ${this.#state()}`
    if (this.#isIntruded && spoken.length > 0) this.#excess ??= INTRUDED
  }

  /** What no record is, is refused whatever was asked for. */
  #isInvited(record: Uint8Array): boolean {
    try {
      return this.#invited.admits(this.#keyOf(record))
    } catch {
      return true
    }
  }

  /** The bound that was not kept; undefined when all were. `isDone`: the session has come to its end. */
  excess(isDone: boolean): string | undefined {
    if (isDone && this.#isIntruded) return INTRUDED
    if (this.recordsHeld > MAX_HELD_RECORDS) return `let ${this.recordsHeld} records come that were here`
    return this.#excess
  }

  #isExceeded(): boolean {
    const records = this.mine() + this.#told
    const turns = MAX_TURNS + Math.ceil(records / RECORDS_PER_STREAM_TURN)
    if (this.#frames > MAX_TURN_FRAMES) return true
    return this.turns > turns || this.bytes > SESSION_BASE_BYTES + SESSION_BYTES_PER_RECORD * records
  }

  #state(): string {
    return `${this.turns} turns, ${this.#frames} frames in one, and ${this.bytes} bytes for ${this.mine()} records here and ${this.#told} there`
  }
}

function toldRecords(message: SyncMessage): number {
  if (message.kind === 'hello' || message.kind === 'sketch') return message.body.records
  return message.kind === 'descend' ? (message.body.opening?.records ?? 0) : 0
}
