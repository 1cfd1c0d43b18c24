import { setTimeout as delay } from 'node:timers/promises'
import { CatalogError, displayDuration, MINUTE_MS, SECOND_MS } from '../../base/index.ts'
import type { Context } from '../framework/context.ts'
import { runOperation, type StartOptions } from './operations.ts'

/** For one command, all waits together: honest peers compare large libraries once a minute, and clocks are never quite alike. */
const MAX_WAIT_MS = 1.5 * MINUTE_MS
/** Nobody is asked more often, whatever it says. */
const LEAST_WAIT_MS = SECOND_MS

/**
 * Long work at the daemon for which a peer may have no place at the moment: when that says how long, it is waited for, as far as --timeout and
 * MAX_WAIT_MS allow, and asked again. Throws as `runOperation` does; BUSY at once where a wait would be in vain.
 */
export async function runWhenFree<Result>(context: Context, start: StartOptions): Promise<Result> {
  for (let leftMs = MAX_WAIT_MS; ; ) {
    try {
      return await runOperation<Result>(context, start)
    } catch (thrown) {
      const waitMs = waitOf(thrown)
      if (waitMs === undefined || waitMs > Math.min(leftMs, context.remainingMs() ?? leftMs)) throw thrown
      leftMs -= waitMs
      context.output.note(`The peer has no place now; it is asked again in ${displayDuration(waitMs)}.`)
      context.progress.update({ phase: 'waiting for the peer' })
      // A timer that keeps the process alive: nothing else does now.
      await delay(waitMs, undefined, { signal: context.signal })
    }
  }
}

/** How long a peer wants to be left alone; undefined when that is not what was thrown. */
function waitOf(thrown: unknown): number | undefined {
  if (!(thrown instanceof CatalogError) || thrown.code !== 'BUSY') return undefined
  const { retryAfterMs } = thrown.details ?? {}
  return typeof retryAfterMs === 'number' ? Math.max(retryAfterMs, LEAST_WAIT_MS) : undefined
}
