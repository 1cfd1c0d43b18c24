/**
 * What was read from the database and what was made of it, kept for as long as none of the rows has changed that it was read from. Which
 * those are nobody has to say: every read of the database that `read` makes, however deep, notes its mark (change-marks.ts). So there is nothing
 * to take out when something is published, blocked or let go of, and nothing to forget. What is kept is of the database alone: what also
 * follows from something else, such as the clock, says so with `given`, or is added by who asks.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { LruCache, MIB } from '../../base/index.ts'
import { ANY, type ChangeMarks, keyMark, prefixMark } from './change-marks.ts'

/**
 * Rows that were read for all that is kept, with what an entry costs beside them: some five thousand names of one release, each asked for with
 * its details too would be half as many. As objects they take about three times as much.
 */
const MAX_KEPT_BYTES = 8 * MIB
/** What an entry costs beside its rows. */
const ENTRY_OVERHEAD_BYTES = 400
/** Marks of one entry: a page of the list has some five for each release. What read more is not kept. */
const MAX_MARKS = 1024

/** Told of each read before it is made. */
export interface ReadNotes {
  key(key: Uint8Array): void
  prefix(prefix: Uint8Array): void
  /** Bytes of rows that were read. */
  bytes(bytes: number): void
  /** At the time of a snapshot: what notes the reads of it, which are of then. */
  ofSnapshot(): ReadNotes
}

/** What something was read from. */
interface ReadFrom {
  readonly marks: Int32Array
  /** How many writes had begun of each mark when it was read. */
  readonly stamps: Int32Array
  readonly sizeBytes: number
}

interface Kept extends ReadFrom {
  readonly value: unknown
  readonly given: unknown
}

export class Remembered implements ReadNotes {
  readonly #marks: ChangeMarks
  readonly #recordings = new AsyncLocalStorage<Recording>()
  readonly #kept: LruCache<string, Kept>
  #isClosed = false
  /** How many were found, and how many read. */
  readonly counts = { found: 0, read: 0 }

  constructor(marks: ChangeMarks, { maxBytes = MAX_KEPT_BYTES } = {}) {
    this.#marks = marks
    this.#kept = new LruCache({ maxBytes, sizeBytes: ({ sizeBytes }, key) => sizeBytes + key.length })
  }

  /** Of all that is kept: rows, names, and what an entry costs beside them. */
  get sizeBytes(): number {
    return this.#kept.weight
  }

  /**
   * What `read` resolves to, now or at an earlier call with the same key and the same `given`. It is shared by all who ask, so nobody may
   * change it.
   */
  async of<T>(key: string, read: () => Promise<T>, given?: unknown): Promise<T> {
    // What is asked for while something else is read is part of that, with all that it is of: it is read anew, and noted there.
    if (this.#isClosed || this.#recordings.getStore() !== undefined) return await read()
    const kept = this.#kept.get(key)
    if (kept !== undefined && kept.given === given && this.#stands(kept)) {
      this.counts.found++
      return kept.value as T
    }
    this.counts.read++
    const recording = new Recording(this.#marks)
    const value = await this.#recordings.run(recording, read)
    const from = recording.end()
    if (from === undefined) this.#kept.delete(key)
    else this.#kept.set(key, { value, given, ...from })
    return value
  }

  /** With the database: from here on nothing is kept, and who asks hears that it is closed. */
  close(): void {
    this.#isClosed = true
    this.#kept.clear()
  }

  key(key: Uint8Array): void {
    this.#recordings.getStore()?.note(keyMark(key))
  }

  prefix(prefix: Uint8Array): void {
    this.#recordings.getStore()?.note(prefixMark(prefix))
  }

  bytes(bytes: number): void {
    const recording = this.#recordings.getStore()
    if (recording !== undefined) recording.bytes += bytes
  }

  ofSnapshot(): ReadNotes {
    const taken = this.#marks.settled(ANY)
    const noteIfOfNow = (mark: (bytes: Uint8Array) => number) => (bytes: Uint8Array) => {
      const recording = this.#recordings.getStore()
      recording?.note(mark(bytes))
      // What has been written since is not in the snapshot, and is in the mark.
      if (taken === undefined || this.#marks.begun(ANY) !== taken) recording?.spoil()
    }
    return {
      key: noteIfOfNow(keyMark),
      prefix: noteIfOfNow(prefixMark),
      bytes: bytes => this.bytes(bytes),
      ofSnapshot: () => this.ofSnapshot()
    }
  }

  #stands({ marks, stamps }: Kept): boolean {
    for (let at = 0; at < marks.length; at++) if (this.#marks.begun(marks[at]!) !== stamps[at]) return false
    return true
  }
}

/** The marks of one read, each as it was before its first row was read. */
class Recording {
  readonly #marks: ChangeMarks
  readonly #stamps = new Map<number, number>()
  /** Whether what was read may be changing, was of another time, or is too much. */
  #isSpoilt = false
  bytes = 0

  constructor(marks: ChangeMarks) {
    this.#marks = marks
  }

  note(mark: number): void {
    const stamp = this.#marks.settled(mark)
    const noted = this.#stamps.get(mark)
    if (stamp === undefined || (noted ?? stamp) !== stamp || this.#stamps.size >= MAX_MARKS) this.spoil()
    else this.#stamps.set(mark, stamp)
  }

  spoil(): void {
    this.#isSpoilt = true
  }

  /** Undefined when it cannot be kept. */
  end(): ReadFrom | undefined {
    if (this.#isSpoilt) return undefined
    const marks = Int32Array.from(this.#stamps.keys())
    const overheadBytes = ENTRY_OVERHEAD_BYTES + 2 * marks.byteLength
    return { marks, stamps: Int32Array.from(this.#stamps.values()), sizeBytes: this.bytes + overheadBytes }
  }
}
