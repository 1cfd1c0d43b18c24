import type { Clock } from '../../base/index.ts'

/**
 * From a question to the answer that something is not here: longer than it takes to find out. A peer that may not know of something hears
 * the same as of what does not exist, and by this also when.
 */
export const NOT_HERE_MS = 20
/** For each further thing that one question is about: it takes the half of it to find that somebody may not know of one that is here. */
const FURTHER_MS = 2

export interface NotHere {
  readonly clock: Clock
  /** When the question came, monotonic. */
  readonly askedMs: number
  /** Things that it is about; 1 unless given. */
  readonly things?: number
}

/** Waits until it is time for that answer. Rejects with the signal's reason. */
export async function timeOfNotHere(
  { clock, askedMs, things = 1 }: NotHere,
  signal?: AbortSignal
): Promise<void> {
  const dueMs = askedMs + NOT_HERE_MS + FURTHER_MS * Math.max(0, things - 1)
  await clock.wait(Math.max(0, dueMs - clock.monotonicMs()), signal)
}
