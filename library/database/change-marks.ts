/**
 * Marks in memory that both threads share, which tell the one that reads the database what the other has changed, without a message and as
 * soon as it is so. Each key has one of a fixed number of marks, by a hash of how it begins. A mark counts the writes that began and those
 * that ended, as a sequence lock does: who sees both numbers equal, reads, and later finds as many begun knows that what it read still
 * stands. Keys that share a mark by chance only make it read once more.
 */
import type { WriteOperation } from './types.ts'

/** At 8 bytes, 128 KiB: some ten thousand reads that are kept (remembered.ts), of a few keys each, rarely meet. */
const MARKS = 16_384
/**
 * Of a key what its mark is made of: up to its first zero byte, and no more than a family and most of a hash. So all rows of a name, and all of
 * a record in one family, have one mark.
 */
const LEAD_BYTES = 34
/** By which the families can be told apart: a longer one has a second letter that no other begins with. */
const FAMILY_BYTES = 2

/** A write under way. */
export interface MarkedWrite {
  /** To be called however it ended. */
  end(): void
}

export class ChangeMarks {
  /** Shared with the thread that writes. */
  readonly memory: SharedArrayBuffer
  readonly #begun: Int32Array
  readonly #ended: Int32Array

  constructor(memory = new SharedArrayBuffer(2 * (MARKS + 1) * Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory
    const half = MARKS + 1
    this.#begun = new Int32Array(memory, 0, half)
    this.#ended = new Int32Array(memory, half * Int32Array.BYTES_PER_ELEMENT, half)
  }

  /** Before a batch is given to the database. */
  begin(operations: readonly WriteOperation[]): MarkedWrite {
    const marks = new Set([ANY])
    for (const { key } of operations) {
      marks.add(markOf(key, FAMILY_BYTES))
      marks.add(markOf(key, leadOf(key)))
    }
    return this.#write(marks)
  }

  /** Before rows are changed that nobody can name. */
  beginAll(): MarkedWrite {
    return this.#write(new Set(Array.from({ length: MARKS + 1 }, (_, mark) => mark)))
  }

  /** What a thread that died had begun will not end, and may have been written or not. Nothing is written meanwhile. */
  settle(): void {
    for (const [mark, begun] of this.#begun.entries()) {
      if (this.settled(mark) !== undefined) continue
      Atomics.store(this.#begun, mark, begun + 1)
      Atomics.store(this.#ended, mark, begun + 1)
    }
  }

  /** How many writes of a mark have begun; undefined while one is under way. */
  settled(mark: number): number | undefined {
    const begun = Atomics.load(this.#begun, mark)
    return Atomics.load(this.#ended, mark) === begun ? begun : undefined
  }

  begun(mark: number): number {
    return Atomics.load(this.#begun, mark)
  }

  #write(marks: ReadonlySet<number>): MarkedWrite {
    for (const mark of marks) Atomics.add(this.#begun, mark, 1)
    return {
      end: () => {
        for (const mark of marks) Atomics.add(this.#ended, mark, 1)
      }
    }
  }
}

/** The mark of all keys together. */
export const ANY = MARKS

/** The mark of one key. */
export const keyMark = (key: Uint8Array): number => markOf(key, leadOf(key))

/** The mark that every write of a key that begins so changes. */
export function prefixMark(prefix: Uint8Array): number {
  const lead = leadOf(prefix)
  const isWhole = lead === LEAD_BYTES || prefix[lead - 1] === 0
  if (isWhole) return markOf(prefix, lead)
  return prefix.byteLength < FAMILY_BYTES ? ANY : markOf(prefix, FAMILY_BYTES)
}

function leadOf(key: Uint8Array): number {
  const length = Math.min(key.byteLength, LEAD_BYTES)
  for (let at = 0; at < length; at++) if (key[at] === 0) return at + 1
  return length
}

/** FNV-1a of the first bytes. */
function markOf(key: Uint8Array, length: number): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < Math.min(length, key.byteLength); at++) hash = Math.imul(hash ^ key[at]!, 0x01000193)
  return (hash ^ (hash >>> 15)) & (MARKS - 1)
}
