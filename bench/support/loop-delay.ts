/**
 * The delay of a daemon's event loop under a load, by the daemon's own metric, beside that of a process that does nothing
 * but measure its own: what the idle process is delayed by is the machine's doing, not the daemon's.
 */
import { fork } from 'node:child_process'
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

/** Runs `work`; `readMetrics` gives the text of the daemon's GET /metrics, each reading of which begins a new measurement. */
export const measureLoopDelay = async (
  work: () => Promise<unknown>,
  readMetrics: () => Promise<string>
): Promise<{ daemon: LoopDelay; reference: LoopDelay; tookMs: number }> => {
  const child = fork(fileURLToPath(import.meta.url), ['reference'])
  try {
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
