/**
 * Two nodes with sets in memory that speak to each other through the real codec: every message is encoded, cut out of a stream
 * and decoded again. A record is its key, its sequence and a few bytes of its own; its recHash is computed from these by whoever
 * gets it.
 */
import { CatalogError } from '../../../base/index.ts'
import {
  abortFrame,
  encodeSyncMessage,
  FrameReader,
  readSyncMessage,
  type SyncMessage
} from '../../../protocols/index.ts'
import {
  admitRecords,
  awaitSession,
  beginSession,
  buildSketch,
  receive,
  recordFrames,
  replySteps,
  type Session,
  type SessionOptions,
  type SessionStep,
  type Sketch,
  type SketchedRecord,
  type TreeChange
} from '../../../sync/index.ts'
import { hashOf, hex, MemoryTree } from './tries.ts'

export interface StoredRecord extends SketchedRecord {
  readonly bytes: Uint8Array
}

const KEY_BYTES = 32
const SEAL_BYTES = 8
const sealOf = (body: Uint8Array): Uint8Array =>
  hashOf(Buffer.concat([Buffer.from('seal'), body])).subarray(0, SEAL_BYTES)

/** A record under a key; `sequence` decides between two of one key, `salt` tells records of other content apart. */
export function makeRecord(trieKey: Uint8Array, sequence = 0, salt = ''): StoredRecord {
  const number = Buffer.alloc(4)
  number.writeUInt32BE(sequence)
  const body = Buffer.concat([trieKey, number, Buffer.from(salt)])
  return parseRecord(Buffer.concat([body, sealOf(body)]))
}

/** What a node makes of bytes that came. */
export const parseRecord = (bytes: Uint8Array): StoredRecord => ({
  bytes,
  // A record that is too short for a key has one of zeros behind it; its seal will not fit.
  trieKey: Uint8Array.from({ length: KEY_BYTES }, (_, index) => bytes[index] ?? 0),
  recHash: hashOf(bytes)
})

/** Stands for the check of a signature. */
export function isSealed({ bytes }: StoredRecord): boolean {
  const end = Math.max(bytes.byteLength - SEAL_BYTES, 0)
  return hex(sealOf(bytes.subarray(0, end))) === hex(bytes.subarray(end))
}

/** A record with a key as spread as real ones. */
export const numbered = (number: number, sequence = 0): StoredRecord =>
  makeRecord(hashOf(`key ${number}`), sequence)

const sequenceOf = ({ bytes }: StoredRecord): number => Buffer.from(bytes).readUInt32BE(KEY_BYTES)

const supersedes = (a: StoredRecord, b: StoredRecord): boolean =>
  sequenceOf(a) === sequenceOf(b) ? hex(a.recHash) > hex(b.recHash) : sequenceOf(a) > sequenceOf(b)

/** A set of records with its trie and its sketch. */
export class Side {
  readonly name: string
  tree = new MemoryTree()
  readonly records = new Map<string, StoredRecord>()
  /** Also records that another one has replaced: a session may still offer them. */
  readonly #byHash = new Map<string, Uint8Array>()
  /** Refuses records although they are good, as a node with other rules would. */
  refuses: (record: StoredRecord) => boolean = () => false
  /** Changes the sketch that is shown of the set. */
  changeSketch: (sketch: Sketch) => void = () => undefined
  #nonce = 0
  /** The last head of the set, where it is that of a writer; and what has changed since another one. */
  known: Pick<SessionOptions, 'epoch' | 'changes'> = {}

  constructor(name: string, records: Iterable<StoredRecord> = []) {
    this.name = name
    this.take([...records])
  }

  get root(): string {
    return this.tree.root
  }

  /** Another side with the same records. */
  copy(name: string): Side {
    const copy = new Side(name)
    copy.tree = this.snapshot()
    for (const [key, record] of this.records) copy.records.set(key, record)
    for (const [hash, bytes] of this.#byHash) copy.#byHash.set(hash, bytes)
    return copy
  }

  /** The trie as it is now, whatever happens to the set. */
  snapshot(): MemoryTree {
    const copy = new MemoryTree()
    copy.top = this.tree.top
    // Nodes are replaced, never changed, so a copy of the rows is a snapshot.
    for (const [path, bytes] of this.tree.rows) copy.rows.set(path, bytes)
    return copy
  }

  take(records: readonly StoredRecord[]): void {
    const changes = new Map<string, TreeChange>()
    for (const record of records) {
      const key = hex(record.trieKey)
      const before = this.records.get(key)
      if (before !== undefined && !supersedes(record, before)) continue
      this.records.set(key, record)
      this.#byHash.set(hex(record.recHash), record.bytes)
      changes.set(key, record)
    }
    this.tree.apply([...changes.values()])
  }

  /** Whether a record is here, or one that replaces it. */
  holds(record: StoredRecord): boolean {
    const here = this.records.get(hex(record.trieKey))
    return here !== undefined && !supersedes(record, here)
  }

  bytesOf(recHash: Uint8Array): Uint8Array {
    const bytes = this.#byHash.get(hex(recHash))
    if (bytes === undefined) throw new Error('a record was offered that was never here')
    return bytes
  }

  options(library: string, initiator: string, responder: string): SessionOptions {
    return {
      library: hashOf(library),
      initiator: Buffer.from(initiator),
      responder: Buffer.from(responder),
      revision: 1,
      ...this.known,
      sketch: cells => {
        const sketch = buildSketch(this.records.values(), cells)
        this.changeSketch(sketch)
        return sketch
      },
      random: bytes => hashOf(`${this.name} ${this.#nonce++}`).subarray(0, bytes)
    }
  }
}

/** One side of a session at work: takes frames, gives frames. */
export class Speaker {
  readonly side: Side
  session: Session
  isEqual = false
  /** The set as it was when the session began, or after the last records. */
  #view: MemoryTree
  #admitted: StoredRecord[] = []
  /** What came behind the turn that was answered. */
  #unread: Uint8Array = Buffer.alloc(0)

  constructor(side: Side, session: Session, view: MemoryTree) {
    this.side = side
    this.session = session
    this.#view = view
  }

  static initiator(side: Side, options: SessionOptions): { speaker: Speaker; frames: Uint8Array[] } {
    const view = side.snapshot()
    const step = beginSession(view, options)
    return { speaker: new Speaker(side, step.session, view), frames: [...step.frames] }
  }

  static responder(side: Side, options: SessionOptions): Speaker {
    const view = side.snapshot()
    return new Speaker(side, awaitSession(view, options), view)
  }

  /** Takes a turn's frames and returns what to answer. Throws what the session throws. */
  async hear(frames: readonly Uint8Array[]): Promise<Uint8Array[]> {
    const bytes = Buffer.concat([this.#unread, ...frames])
    const reader = new FrameReader(once(bytes))
    for (let next = await readSyncMessage(reader); next !== undefined; next = await readSyncMessage(reader)) {
      const { message, sizeBytes } = next
      const heard = receive(this.session, message, sizeBytes)
      this.session = heard.session
      if (message.kind === 'records') this.#admit(message.body.records)
      if (!heard.hasTurn) continue
      this.#unread = bytes.subarray(reader.takenBytes)
      return this.#reply()
    }
    this.#unread = Buffer.alloc(0)
    return []
  }

  #admit(records: readonly Uint8Array[]): void {
    const parsed = records.map(parseRecord)
    if (!parsed.every(isSealed)) throw new CatalogError('SIGNATURE_INVALID', 'a record with another seal')
    const { session, isNew } = admitRecords(this.session, this.#view, parsed)
    this.session = session
    this.#admitted.push(...parsed.filter((record, index) => isNew[index] && !this.side.refuses(record)))
  }

  #reply(): Uint8Array[] {
    if (this.#admitted.length > 0) {
      this.side.take(this.#admitted)
      this.#admitted = []
      this.#view = this.side.snapshot()
    }
    const step = lastOf(replySteps(this.session, this.#view))
    this.session = step.session
    this.isEqual = step.isEqual
    const records = [...step.records].map(({ recHash }) => this.side.bytesOf(recHash))
    return [...recordFrames(records), ...step.frames]
  }
}

function lastOf(steps: Generator<void, SessionStep>): SessionStep {
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.byteLength > 0) yield bytes
}

/** The messages in a row of frames. */
export async function messagesOf(frames: readonly Uint8Array[]): Promise<SyncMessage[]> {
  const reader = new FrameReader(once(Buffer.concat(frames)))
  const messages: SyncMessage[] = []
  for (let next = await readSyncMessage(reader); next !== undefined; next = await readSyncMessage(reader))
    messages.push(next.message)
  return messages
}

export const framesOf = (messages: readonly SyncMessage[]): Uint8Array[] => messages.map(encodeSyncMessage)

/** How a session went. */
export interface Course {
  /** Kinds of the messages of each turn, repeats left out. */
  readonly turns: string[]
  /** Bytes of both sides without records. */
  bytes: number
  /** Records sent by both sides. */
  records: number
  /** Turns until both sets were equal. */
  equalAfter: number | undefined
  /** What ended the session, when not all was well. */
  error: CatalogError | undefined
}

export interface Interference {
  /** Changes a turn on its way; the number of the turn begins at 0 with the hello. */
  readonly change?: (frames: Uint8Array[], turn: number) => Uint8Array[] | Promise<Uint8Array[]>
  /** Ends the session after so many turns, as a lost connection would. */
  readonly cutAfter?: number
}

/** More turns than any session may have: a session that gets here has no end. */
const ENDLESS = 2000

/** A session between two sides, to its end. */
export async function converge(a: Side, b: Side, interference: Interference = {}): Promise<Course> {
  const course: Course = {
    turns: [],
    bytes: 0,
    records: 0,
    equalAfter: undefined,
    error: undefined
  }
  const { change = (frames: Uint8Array[]) => frames, cutAfter = ENDLESS } = interference
  const begun = Speaker.initiator(a, a.options('library', a.name, b.name))
  const speakers = [Speaker.responder(b, b.options('library', a.name, b.name)), begun.speaker]
  let frames = begun.frames
  for (let turn = 0; frames.length > 0 && turn < cutAfter; turn++) {
    if (turn === ENDLESS) throw new Error('a session without end')
    frames = await change(frames, turn)
    await note(course, frames)
    try {
      frames = await speakers[turn % 2]!.hear(frames)
    } catch (error) {
      if (!(error instanceof CatalogError)) throw error
      course.error ??= error
      course.turns.push(`error ${error.code}`)
      // An abort is the last word: it is heard, and nothing is said to it.
      frames = error.message.startsWith('the other side answered') ? [] : [abortFrame(error)]
    }
    if (a.root === b.root) course.equalAfter ??= turn + 1
  }
  return course
}

async function note(course: Course, frames: readonly Uint8Array[]): Promise<void> {
  const messages = await messagesOf(frames).catch(() => [])
  course.turns.push([...new Set(messages.map(({ kind }) => kind))].join('+'))
  for (const message of messages)
    if (message.kind === 'records') course.records += message.body.records.length
    else course.bytes += encodeSyncMessage(message).byteLength
}
