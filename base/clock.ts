/** Time as a parameter: the daemon passes `systemClock`, tests and the simulator pass their own. */
export interface Clock {
  /** Wall time, milliseconds since the Unix epoch. */
  now(): number
  /** Monotonic time in milliseconds, for durations. */
  monotonicMs(): number
  /** Resolves after `ms`; rejects with the signal's reason when aborted. A pending wait does not keep the process alive. */
  wait(ms: number, signal?: AbortSignal): Promise<void>
}

/** What one timer of Node can wait, 24.8 days; a longer one would end at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  async wait(ms, signal) {
    let leftMs = ms
    for (; leftMs > MAX_TIMER_MS; leftMs -= MAX_TIMER_MS) await timer(MAX_TIMER_MS, signal)
    await timer(leftMs, signal)
  }
}

function timer(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason)
    const onAbort = (): void => {
      clearTimeout(timeout)
      reject(signal?.reason)
    }
    const timeout = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    timeout.unref()
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

export const SECOND_MS = 1000
export const MINUTE_MS = 60 * SECOND_MS
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS
export const KIB = 1024
export const MIB = 1024 * KIB
export const GIB = 1024 * MIB
