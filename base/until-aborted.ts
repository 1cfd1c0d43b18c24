/** Resolves as `promise` does, or rejects with the signal's reason as soon as it is aborted. */
export function untilAborted<V>(promise: Promise<V>, signal?: AbortSignal): Promise<V> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
