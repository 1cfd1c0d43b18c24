import type { Clock } from '../../base/index.ts'

/**
 * From a question to the answer that something is not here: longer than it takes to find out. A peer that may not know of something hears
 * the same as of what does not exist, and by this also when.
 */
export const NOT_HERE_MS = 20
/** The same where all libraries that are here are looked at, whichever are asked for: 1,000 closed ones take 40 to 70 ms. */
export const NONE_HERE_MS = 100

export interface NotHere {
  readonly clock: Clock
  /** When the question came, monotonic. */
  readonly askedMs: number
  /** NOT_HERE_MS unless given. */
  readonly afterMs?: number
}

/** Waits until it is time for that answer. Rejects with the signal's reason. */
export async function timeOfNotHere(
  { clock, askedMs, afterMs = NOT_HERE_MS }: NotHere,
  signal?: AbortSignal
): Promise<void> {
  await clock.wait(Math.max(0, askedMs + afterMs - clock.monotonicMs()), signal)
}
