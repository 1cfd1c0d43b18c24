/**
 * The delay of a daemon's event loop under a load, by the daemon's own metric, beside that of a process that does nothing
 * but measure its own: what the idle process is delayed by is the machine's doing, not the daemon's.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'

/** As the daemon measures it (node/metrics.ts). */
const INTERVAL_MS = 10
const NS_PER_MS = 1e6
const METRIC = 'catalog_node_event_loop_delay_seconds'
/** The daemon measures in windows of a minute and tells the one under way and the last: work of up to two is seen whole. */
const WINDOW_MS = 60_000
const POLL_MS = 200
/** A window that begins late because the daemon is busy. */
const SETTLE_MS = 10_000

export interface LoopDelay {
  p50Ms: number
  p99Ms: number
  maxMs: number
}

export interface LoopSubject {
  /** Of the daemon. */
  pid: number
  /** The text of its GET /metrics. */
  readMetrics(): Promise<string>
}

/**
 * Measures while `work` runs. As root the daemon and the reference go before everything else on the machine, so that what others
 * do there at the time does not count; the peer and the command line do not.
 */
export const measureLoopDelay = async (
  work: () => Promise<unknown>,
  { pid, readMetrics }: LoopSubject
): Promise<{ daemon: LoopDelay; reference: LoopDelay; tookMs: number }> => {
  const child = fork(fileURLToPath(import.meta.url), ['reference'])
  try {
    for (const first of [pid, child.pid!]) putFirst(first)
    await once(child, 'message')
    const before = await nextWindow(readMetrics)
    child.send('reset')
    const startedMs = performance.now()
    await work()
    const tookMs = performance.now() - startedMs
    if (tookMs > 2 * WINDOW_MS)
      throw new Error(`the work took ${tookMs} ms, more than what the metric covers`)
    const daemon = fromMetrics(await readMetrics(), before)
    child.send('read')
    const [reference] = (await once(child, 'message')) as [LoopDelay]
    return { daemon, reference, tookMs }
  } finally {
    child.kill()
  }
}

/**
 * The highest priority of fair scheduling for every thread of a process, where this user may give it; else nothing. Not real-time
 * scheduling: the main thread then waits for threads of V8 that never get a turn.
 */
const putFirst = (pid: number): void => {
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`))
      setPriority(Number(thread), constants.priority.PRIORITY_HIGHEST)
  } catch {
    // Not root, or not Linux: it competes like everybody else.
  }
}

/** Waits, at most a minute, for the daemon to begin a window; resolves to the one that ended. */
const nextWindow = async (readMetrics: () => Promise<string>): Promise<LoopDelay> => {
  const before = delayIn(await readMetrics(), 'last')
  const endMs = performance.now() + WINDOW_MS + SETTLE_MS
  for (;;) {
    const last = delayIn(await readMetrics(), 'last')
    if (!isDeepStrictEqual(last, before)) return last
    if (performance.now() > endMs) throw new Error(`the daemon begins no new window of ${METRIC}`)
    await sleep(POLL_MS)
  }
}

/** The worse of the windows since `before`. */
const fromMetrics = (text: string, before: LoopDelay): LoopDelay => {
  const [last, current] = [delayIn(text, 'last'), delayIn(text, 'current')]
  return last.p99Ms > current.p99Ms && !isDeepStrictEqual(last, before) ? last : current
}

const delayIn = (text: string, window: 'current' | 'last'): LoopDelay => {
  const read = (quantile: string): number => {
    const prefix = `${METRIC}{window="${window}",quantile="${quantile}"}`
    const line = text.split('\n').find(found => found.startsWith(prefix))
    if (line === undefined) throw new Error(`the daemon does not tell ${prefix}`)
    return Number(line.split(' ').at(-1)) * 1000
  }
  return { p50Ms: read('0.5'), p99Ms: read('0.99'), maxMs: read('1') }
}

/** The idle process: begins when it has said that it is there, and tells its delay when it is asked. */
const serveReference = (): void => {
  const delay = monitorEventLoopDelay({ resolution: INTERVAL_MS })
  const at = (percentile: number): number =>
    Math.max(0, delay.percentile(percentile) / NS_PER_MS - INTERVAL_MS)
  process.on('message', message => {
    if (message === 'reset') delay.reset()
    else process.send?.({ p50Ms: at(50), p99Ms: at(99), maxMs: at(100) })
  })
  delay.enable()
  process.send?.('ready')
}

if (process.argv[2] === 'reference' && process.send !== undefined) serveReference()
