/**
 * The node's own metrics; each other part registers its own in the same registry. Names end in their unit. Values that
 * can be read at any time (memory, delays, counts) are read when they are asked for, so an idle node does no work.
 */
import { readdir } from 'node:fs/promises'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Registry } from 'prom-client'
import { MINUTE_MS, type PartMetrics, partMetrics, SECOND_MS } from '../base/index.ts'
import { type Lifecycle, NODE_STATES } from './lifecycle.ts'
import type { ErrorLog } from './logging/error-log.ts'
import type { OperationManager } from './operations.ts'

/** From a cached read to a long-poll, in seconds. */
const REQUEST_BUCKETS_S = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10, 60]
/**
 * The delay is measured by a timer of this interval, which its histogram holds too and which is taken off again. Finer than
 * the target (p99 below 10 ms) it would only wake an idle node more often.
 */
const LOOP_INTERVAL_MS = 10
/** Of each window: long enough for a p99 that means something, short enough to see trouble while it lasts. */
const LOOP_WINDOW_MS = MINUTE_MS
const LOOP_QUANTILES = [0.5, 0.99, 1] as const
const NS_PER_S = 1e9
const US_PER_S = 1e6

type OnRequest = (route: string, method: string, status: number, tookS: number) => void

export interface NodeMetrics {
  readonly registry: Registry
  requestDone: OnRequest
  /** Calls back with each request that is done. */
  onRequest(listener: OnRequest): void
  close(): void
}

export interface NodeMetricsModules {
  lifecycle: Lifecycle
  operations: OperationManager
  errors: Pick<ErrorLog, 'onNoted'>
  registry: Registry
}

export function createNodeMetrics(modules: NodeMetricsModules): NodeMetrics {
  const metrics = partMetrics(modules.registry, 'node')
  const delay = monitorEventLoopDelay({ resolution: LOOP_INTERVAL_MS })
  delay.enable()
  const loop = new LoopDelay(delay)
  const turning = setInterval(() => loop.turn(), LOOP_WINDOW_MS)
  turning.unref()
  registerProcess(metrics, loop)
  const { lifecycle } = modules
  metrics.gauges('state_ratio', () =>
    NODE_STATES.map(state => [{ state }, lifecycle.state === state ? 1 : 0] as const)
  )
  registerOperations(metrics, modules.operations)
  // Labels are few: codes are those of a table or names of classes of errors, parts are named in the code.
  const errors = metrics.counter('errors_total')
  modules.errors.onNoted(({ code, part }) => errors.inc({ code, part }))
  const requests = metrics.counter('http_requests_total')
  const durations = metrics.histogram('http_request_duration_seconds', REQUEST_BUCKETS_S)
  const listeners: OnRequest[] = []
  return {
    registry: modules.registry,
    requestDone(route, method, status, tookS) {
      requests.inc({ route, method, status })
      durations.observe({ route }, tookS)
      for (const listener of listeners) listener(route, method, status, tookS)
    },
    onRequest: listener => void listeners.push(listener),
    close() {
      clearInterval(turning)
      delay.disable()
    }
  }
}

/** Delays of the event loop by quantile, in seconds. */
type Delays = ReadonlyArray<readonly [quantile: number, delayS: number]>

/**
 * The delay of the event loop in windows of fixed length: whoever reads changes nothing for others who read, and a peak is
 * there for a whole window after its own.
 */
class LoopDelay {
  readonly #histogram: ReturnType<typeof monitorEventLoopDelay>
  /** Of the last whole window; zero before there is one. */
  last: Delays = LOOP_QUANTILES.map(quantile => [quantile, 0] as const)

  constructor(histogram: ReturnType<typeof monitorEventLoopDelay>) {
    this.#histogram = histogram
  }

  current(): Delays {
    return LOOP_QUANTILES.map(quantile => {
      const intervalS = this.#histogram.percentile(quantile * 100) / NS_PER_S
      return [quantile, Math.max(0, intervalS - LOOP_INTERVAL_MS / SECOND_MS)] as const
    })
  }

  /** Begins the next window. */
  turn(): void {
    this.last = this.current()
    this.#histogram.reset()
  }
}

function registerProcess(metrics: PartMetrics<'node'>, loop: LoopDelay): void {
  metrics.gauges('event_loop_delay_seconds', () =>
    Object.entries({ current: loop.current(), last: loop.last }).flatMap(([window, delays]) =>
      delays.map(([quantile, delayS]) => [{ window, quantile: String(quantile) }, delayS] as const)
    )
  )
  metrics.gauge('memory_rss_bytes', () => process.memoryUsage.rss())
  metrics.gauge('uptime_seconds', () => process.uptime())
  metrics.gauge('open_files', openFiles)
  metrics.counted('cpu_seconds_total', () => {
    const { user, system } = process.cpuUsage()
    return [
      [{ mode: 'user' }, user / US_PER_S],
      [{ mode: 'system' }, system / US_PER_S]
    ]
  })
}

/** Linux says it in a folder; elsewhere there is none. */
async function openFiles(): Promise<number> {
  const files = await readdir('/proc/self/fd').catch(() => [])
  return files.length
}

function registerOperations(metrics: PartMetrics<'node'>, operations: OperationManager): void {
  metrics.gauge('running_operations', () => operations.running)
  const ended = metrics.counter('operations_total')
  operations.watchAll(({ kind, state }) => {
    if (state !== 'running') ended.inc({ kind, state })
  })
}
