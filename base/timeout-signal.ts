/**
 * A signal that is aborted after so long, as `AbortSignal.timeout` is; its timer does not keep the process alive.
 *
 * Not that one, since Node 24 never lets go of a part of what is made of it: with `AbortSignal.any([…, AbortSignal.timeout(…)])`
 * as one of the signals of another `AbortSignal.any` it puts the first in its list of signals that must not be collected, as if it had a
 * timer, and takes it out when its timer fires, which it has not. A node lost a signal with each question within a search.
 */
export function timeoutSignal(timeoutMs: number): AbortSignal {
  return startTimer(timeoutMs).signal
}

/**
 * Does `work` with a signal that is aborted after so long, as `timeoutSignal` is, or with `signal`. The timer ends with the work: of what is
 * given an hour and ends within seconds, those of a whole hour would pile up.
 */
export async function withTimeout<T>(
  timeoutMs: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>
): Promise<T> {
  const timer = startTimer(timeoutMs)
  try {
    return await work(AbortSignal.any([signal, timer.signal]))
  } finally {
    timer.stop()
  }
}

function startTimer(timeoutMs: number): { signal: AbortSignal; stop(): void } {
  const ended = new AbortController()
  const late = (): void => ended.abort(new DOMException('the time for it is over', 'TimeoutError'))
  const timer = setTimeout(late, timeoutMs).unref()
  return { signal: ended.signal, stop: () => clearTimeout(timer) }
}
