import type { Slice } from '../../library/index.ts'

/** Runs work that comes in steps, and gives way to others between them. */
export async function runSteps<T>(steps: Generator<void, T>, slice: Slice): Promise<T> {
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
    if (slice.due()) await slice.pause()
  }
}
