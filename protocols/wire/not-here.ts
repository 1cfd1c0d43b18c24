import type { Clock } from '../../base/index.ts'

/**
 * From a question to the answer that something is not here: longer than it takes to find out. A peer that may not know of something hears
 * the same as of what does not exist, and by this also when.
 */
export const NOT_HERE_MS = 20

/** Waits until it is time for that answer to a question that came at `askedMs`, monotonic. Rejects with the signal's reason. */
export async function timeOfNotHere(
  { clock, askedMs }: { clock: Clock; askedMs: number },
  signal?: AbortSignal
): Promise<void> {
  await clock.wait(Math.max(0, askedMs + NOT_HERE_MS - clock.monotonicMs()), signal)
}
