import type { Clock } from './clock.ts'

/** What `read` gives, which is called once for all who ask within `forMs`: for what the system is slow to say, and nobody needs to know sooner. */
export function recently<T>(clock: Pick<Clock, 'monotonicMs'>, forMs: number, read: () => T): () => T {
  let last: { value: T; untilMs: number } | undefined
  return () => {
    const nowMs = clock.monotonicMs()
    if (last === undefined || nowMs >= last.untilMs) last = { value: read(), untilMs: nowMs + forMs }
    return last.value
  }
}
