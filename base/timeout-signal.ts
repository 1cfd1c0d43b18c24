/**
 * A signal that is aborted after so long, as `AbortSignal.timeout` is; its timer does not keep the process alive.
 *
 * Not that one, since Node 24 never lets go of a part of what is made of it: with `AbortSignal.any([…, AbortSignal.timeout(…)])`
 * as one of the signals of another `AbortSignal.any` it puts the first in its list of signals that must not be collected, as if it had a
 * timer, and takes it out when its timer fires, which it has not. A node lost a signal with each question within a search.
 */
export function timeoutSignal(timeoutMs: number): AbortSignal {
  const ended = new AbortController()
  const late = (): void => ended.abort(new DOMException('the time for it is over', 'TimeoutError'))
  setTimeout(late, timeoutMs).unref()
  return ended.signal
}
