import type { Clock } from './clock.ts'
import type { Signpost } from './signpost.ts'

/** Resolves as `promise` does, or rejects with the signal's reason as soon as it is aborted. */
export function untilAborted<V>(promise: Promise<V>, signal?: AbortSignal): Promise<V> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    // Also when it is too late: what the promise fails with must not go unheard.
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
  })
}

/**
 * Resolves when `changed` does, or after `waitMs` (Infinity: only when it does): for a loop that looks again when something
 * happens and now and then. Rejects with the signal's reason.
 */
export async function changedWithin(
  changed: Promise<void>,
  waitMs: number,
  { clock, signal }: { clock: Pick<Clock, 'wait'>; signal: AbortSignal }
): Promise<void> {
  const over = new AbortController()
  const stopped = AbortSignal.any([signal, over.signal])
  // How a wait that was stopped ends is told below.
  const timed = Number.isFinite(waitMs)
    ? [clock.wait(Math.max(0, waitMs), stopped).catch(() => undefined)]
    : []
  try {
    await untilAborted(Promise.race([changed, ...timed]), signal)
  } finally {
    over.abort()
  }
}

/** Resolves as soon as something is so, which is looked at after each change; or, never rejecting, when the signal is aborted. */
export async function untilSo(
  changes: Pick<Signpost, 'shown'>,
  isSo: () => boolean,
  signal: AbortSignal
): Promise<void> {
  while (!signal.aborted) {
    // Before the look: what changes after it is not missed.
    const changed = changes.shown()
    if (isSo()) return
    await untilAborted(changed, signal).catch(() => undefined)
  }
}
