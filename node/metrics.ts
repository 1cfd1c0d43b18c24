/**
 * The node's own metrics; each other part registers its own in the same registry. Names end in their unit. Values that
 * can be read at any time (memory, delays, counts) are read when they are asked for, so an idle node does no work.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { MINUTE_MS, SECOND_MS } from '../base/index.ts'
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

export interface NodeMetrics {
  readonly registry: Registry
  requestDone(route: string, method: string, status: number, tookS: number): void
  close(): void
}

export interface NodeMetricsModules {
  lifecycle: Lifecycle
  operations: OperationManager
  errors: Pick<ErrorLog, 'onNoted'>
  registry: Registry
}

export function createNodeMetrics(modules: NodeMetricsModules): NodeMetrics {
  const registers = [modules.registry]
  const delay = monitorEventLoopDelay({ resolution: LOOP_INTERVAL_MS })
  delay.enable()
  const loop = new LoopDelay(delay)
  const turning = setInterval(() => loop.turn(), LOOP_WINDOW_MS)
  turning.unref()
  registerProcess(registers, loop)
  registerState(registers, modules.lifecycle)
  registerOperations(registers, modules.operations)
  registerErrors(registers, modules.errors)
  const requests = new Counter({
    name: 'catalog_node_http_requests_total',
    help: 'Requests of the admin API by route, method and status.',
    labelNames: ['route', 'method', 'status'],
    registers
  })
  const durations = new Histogram({
    name: 'catalog_node_http_request_duration_seconds',
    help: 'Time from the request line to the last byte of the response.',
    labelNames: ['route'],
    buckets: REQUEST_BUCKETS_S,
    registers
  })
  return {
    registry: modules.registry,
    requestDone(route, method, status, tookS) {
      requests.inc({ route, method, status })
      durations.observe({ route }, tookS)
    },
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

function registerProcess(registers: Registry[], loop: LoopDelay): void {
  new Gauge({
    name: 'catalog_node_event_loop_delay_seconds',
    help: 'How much later than due a timer fires, by quantile: of the minute under way, and of the last whole one.',
    labelNames: ['window', 'quantile'],
    registers,
    collect() {
      for (const [window, delays] of Object.entries({ current: loop.current(), last: loop.last }))
        for (const [quantile, delayS] of delays) this.set({ window, quantile: String(quantile) }, delayS)
    }
  })
  new Gauge({
    name: 'catalog_node_memory_rss_bytes',
    help: 'Resident memory of the process.',
    registers,
    collect() {
      this.set(process.memoryUsage.rss())
    }
  })
  new Gauge({
    name: 'catalog_node_uptime_seconds',
    help: 'Time since the process started.',
    registers,
    collect() {
      this.set(process.uptime())
    }
  })
}

function registerState(registers: Registry[], lifecycle: Lifecycle): void {
  new Gauge({
    name: 'catalog_node_state',
    help: '1 for the state the node is in, 0 for the others.',
    labelNames: ['state'],
    registers,
    collect() {
      for (const state of NODE_STATES) this.set({ state }, lifecycle.state === state ? 1 : 0)
    }
  })
}

function registerOperations(registers: Registry[], operations: OperationManager): void {
  new Gauge({
    name: 'catalog_node_operations_running',
    help: 'Operations that run now.',
    registers,
    collect() {
      this.set(operations.running)
    }
  })
  const ended = new Counter({
    name: 'catalog_node_operations_total',
    help: 'Operations that have ended, by kind and state.',
    labelNames: ['kind', 'state'],
    registers
  })
  operations.watchAll(({ kind, state }) => {
    if (state !== 'running') ended.inc({ kind, state })
  })
}

/** Labels are few: codes are those of a table or names of classes of errors, parts are named in the code. */
function registerErrors(registers: Registry[], errors: Pick<ErrorLog, 'onNoted'>): void {
  const total = new Counter({
    name: 'catalog_node_errors_total',
    help: 'Errors that lines of the log tell of, those below its level too, by code and part.',
    labelNames: ['code', 'part'],
    registers
  })
  errors.onNoted(({ code, part }) => total.inc({ code, part }))
}
