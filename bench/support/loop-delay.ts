/**
 * The delay of a daemon's event loop under a load, by the daemon's own metric, beside that of a process that does nothing
 * but measure its own: what the idle process is delayed by is the machine's doing, not the daemon's.
 */
import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'

/** As the daemon measures it (node/metrics.ts). */
const INTERVAL_MS = 10
const NS_PER_MS = 1e6
const METRIC = 'catalog_node_event_loop_delay_seconds'

export interface LoopDelay {
  p50Ms: number
  p99Ms: number
  maxMs: number
}

export interface LoopSubject {
  /** Of the daemon. */
  pid: number
  /** The text of its GET /metrics, each reading of which begins a new measurement. */
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
    await readMetrics()
    const startedMs = performance.now()
    await work()
    const tookMs = performance.now() - startedMs
    const daemon = fromMetrics(await readMetrics())
    child.send('read')
    const [reference] = (await once(child, 'message')) as [LoopDelay]
    return { daemon, reference, tookMs }
  } finally {
    child.kill()
  }
}

/**
 * Real-time scheduling of a process, where `chrt` is there and may do it; else nothing. The main thread goes before the others, as
 * a thread that mostly waits does by itself where threads share the cores fairly.
 */
const putFirst = (pid: number): void => {
  spawnSync('chrt', ['--rr', '--all-tasks', '--pid', '1', String(pid)])
  spawnSync('chrt', ['--rr', '--pid', '2', String(pid)])
}

const fromMetrics = (text: string): LoopDelay => {
  const read = (quantile: string): number => {
    const line = text.split('\n').find(found => found.startsWith(`${METRIC}{quantile="${quantile}"}`))
    if (line === undefined) throw new Error(`the daemon does not tell ${METRIC} for ${quantile}`)
    return Number(line.split(' ').at(-1)) * 1000
  }
  return { p50Ms: read('0.5'), p99Ms: read('0.99'), maxMs: read('1') }
}

/** The idle process: begins when it has said that it is there, and tells its delay when it is asked. */
const serveReference = (): void => {
  const delay = monitorEventLoopDelay({ resolution: INTERVAL_MS })
  const at = (percentile: number): number =>
    Math.max(0, delay.percentile(percentile) / NS_PER_MS - INTERVAL_MS)
  process.on('message', () => process.send?.({ p50Ms: at(50), p99Ms: at(99), maxMs: at(100) }))
  delay.enable()
  process.send?.('ready')
}

if (process.argv[2] === 'reference' && process.send !== undefined) serveReference()
