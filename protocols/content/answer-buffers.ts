import { MAX_ANSWER_BYTES } from './limits.ts'

/** Buffers kept for the next answer: as many answers as may be unwritten, and the one that is being read. */
const MAX_KEPT = 9

/**
 * Buffers for answers on their way to the store's worker, used again and again. They are shared memory, which the worker
 * reads in place. Transferring a fresh buffer for each answer makes a gibibyte of garbage per gibibyte in both threads,
 * and the collector then takes more time than the hashing (measured: 150 full collections for 1 GiB).
 *
 * A buffer must come back only after the worker has said that it is done with it. One whose write failed or was
 * aborted is dropped instead: the worker may still look at it, and must never see other bytes than those it hashed.
 */
export class AnswerBuffers {
  readonly #kept: Uint8Array[] = []

  /** A buffer of at least `sizeBytes`; its bytes beyond what is written into it are leftovers. */
  take(sizeBytes: number): Uint8Array {
    if (sizeBytes > MAX_ANSWER_BYTES) return new Uint8Array(new SharedArrayBuffer(sizeBytes))
    return this.#kept.pop() ?? new Uint8Array(new SharedArrayBuffer(MAX_ANSWER_BYTES))
  }

  /** Gives back a buffer that nobody looks at any more. */
  give(buffer: Uint8Array): void {
    if (buffer.byteLength === MAX_ANSWER_BYTES && this.#kept.length < MAX_KEPT) this.#kept.push(buffer)
  }
}
