import { setTimeout as delay } from 'node:timers/promises'

type Attempt<T> = (signal: AbortSignal) => Promise<T>

export interface HedgeOptions<T> {
  /** How long the first attempt is alone; the second begins sooner when the first fails. */
  readonly headStartMs: number
  readonly signal: AbortSignal
  /** Takes what the slower attempt brings after all. */
  giveBack(late: T): void
}

/**
 * The result of the first of two attempts that succeeds; the other is told to stop. When both fail, the error of the
 * first: it is the way that was preferred.
 */
export async function hedge<T>(
  preferred: Attempt<T>,
  other: Attempt<T>,
  { headStartMs, signal, giveBack }: HedgeOptions<T>
): Promise<T> {
  const stops = [new AbortController(), new AbortController()] as const
  const [mine, its] = stops.map(stop => AbortSignal.any([signal, stop.signal])) as [AbortSignal, AbortSignal]
  const first = preferred(mine)
  const second = (async () => {
    await Promise.race([delay(headStartMs, undefined, { signal: its }), failureOf(first)])
    its.throwIfAborted()
    return await other(its)
  })()
  const attempts = [first, second]
  try {
    const winner = await Promise.any(
      attempts.map(async (attempt, index) => ({ value: await attempt, index }))
    )
    const loser = 1 - winner.index
    stops[loser]?.abort(new Error('another attempt was faster'))
    attempts[loser]?.then(giveBack, () => {})
    return winner.value
  } catch {
    return await first
  }
}

/** Resolves when the promise rejects; stays open otherwise. */
const failureOf = (attempt: Promise<unknown>): Promise<void> =>
  new Promise(resolve => {
    attempt.catch(() => resolve())
  })
