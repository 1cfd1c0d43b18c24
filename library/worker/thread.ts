/**
 * The worker thread: connects the host to the thread's port; see host.ts for what it does and protocol.ts for what is said. The
 * file that the thread is started with calls this, and brings what works in it beside the library.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { assertInvariant, type ErrorJson, type Logger, toCatalogError } from '../../base/index.ts'
import type { CompanionFactory } from './companion.ts'
import { WorkerHost } from './host.ts'
import type { FromWorker, ToWorker, WorkerSettings } from './protocol.ts'

type Send = (message: FromWorker) => void

/** With its stack, from which client.ts makes an error again: a log that has only `message` shows nobody where. */
function plainError(thrown: unknown): ErrorJson & { stack?: string } {
  const error = toCatalogError(thrown)
  const { stack } = error.cause instanceof Error ? error.cause : error
  return { ...error.toJSON(), ...(stack === undefined ? {} : { stack }) }
}

/** Log lines go out over the main thread's logger. Errors become plain data on the way. */
function portLogger(send: Send, bound: object): Logger {
  const line =
    (level: 'error' | 'warn' | 'info' | 'debug') =>
    (fields: object, message: string): void => {
      const all: Record<string, unknown> = { ...bound, ...fields }
      if (all.err !== undefined) all.err = plainError(all.err)
      send({ kind: 'log', level, fields: all, message })
    }
  return {
    error: line('error'),
    warn: line('warn'),
    info: line('info'),
    debug: line('debug'),
    trace: () => {},
    child: fields => portLogger(send, { ...bound, ...fields })
  }
}

/** Serves the thread's port until the library closes it. Throws INTERNAL when this is no worker thread. */
export function runWorker(companion: CompanionFactory): void {
  assertInvariant(parentPort !== null, 'runWorker is called in a worker thread')
  const port = parentPort
  const send: Send = message => port.postMessage(message)
  const onCommitted = (): void => send({ kind: 'committed' })
  const host = new WorkerHost(
    { log: portLogger(send, {}), onCommitted, companion },
    workerData as WorkerSettings
  )
  const running = new Map<number, AbortController>()

  port.on('message', (message: ToWorker) => {
    if (message.kind === 'cancel') running.get(message.id)?.abort()
    else void answer(message)
  })

  async function answer(request: Extract<ToWorker, { kind: 'request' }>): Promise<void> {
    const { id, method, parameters } = request
    // Long checks need not end before the worker may; writes do not listen and are finished.
    if (method === 'close') for (const abort of running.values()) abort.abort()
    const abort = new AbortController()
    running.set(id, abort)
    try {
      // The client's types pair method and parameters; across the port they are only data.
      const result = await host.handle(method, parameters as never, abort.signal)
      send({ kind: 'result', id, result })
    } catch (thrown) {
      send({ kind: 'error', id, error: toCatalogError(thrown).toJSON() })
    } finally {
      running.delete(id)
    }
    // With the port closed nothing keeps the thread alive.
    if (method === 'close') port.close()
  }
}
