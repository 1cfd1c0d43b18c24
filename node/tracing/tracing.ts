/** Traces of a node, where a collector is configured: nothing of what makes and sends them is loaded without one. */
import type { Registry as MetricsRegistry } from 'prom-client'
import type { Clock, Logger } from '../../base/index.ts'
import type { Config } from '../../config/index.ts'
import type { Shutdown } from '../shutdown.ts'

export interface TracingModules {
  clock: Clock
  logger: Logger
  metrics: MetricsRegistry
  shutdown: Pick<Shutdown, 'leave'>
}

export interface TracingOptions {
  peerId: string
  config: Pick<Config, 'tracing' | 'network'>
}

/** Begins to keep and send spans, until a stop late enough to send those of the stop itself. */
export async function startTracing(modules: TracingModules, options: TracingOptions): Promise<void> {
  const { tracing, network } = options.config
  if (tracing.endpoint === '') return
  const { Exporting } = await import('./exporting.ts')
  const exporting = Exporting.start(modules, {
    ...tracing,
    peerId: options.peerId,
    networkId: network.id
  })
  modules.shutdown.leave('tracing', deadline => exporting.stop(deadline))
}
