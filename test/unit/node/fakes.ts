import { Registry } from 'prom-client'
import { type Clock, silentLogger, systemClock } from '../../../base/index.ts'
import type { AdminModules } from '../../../node/admin/app.ts'
import { adminRoutes } from '../../../node/admin/routes/index.ts'
import { Streams } from '../../../node/admin/streams.ts'
import { EventHub } from '../../../node/events.ts'
import { Lifecycle } from '../../../node/lifecycle.ts'
import { ErrorLog } from '../../../node/logging/error-log.ts'
import { createLogging } from '../../../node/logging/logging.ts'
import { createNodeMetrics } from '../../../node/metrics.ts'
import { OperationManager } from '../../../node/operations.ts'
import { createPause } from '../../../node/services/pause.ts'
import type { NodeServices } from '../../../node/services/types.ts'

/** A running node whose parts are real where they are the node's own, and given by the test where they are not. */
export function fakeNode(
  given: Partial<NodeServices> = {},
  clock: Clock = systemClock
): {
  services: NodeServices
  modules: AdminModules & { streams: Streams }
} {
  const lifecycle = new Lifecycle()
  lifecycle.transition('running', 'test')
  const operations = new OperationManager({ clock: systemClock }, { maxRunning: 10 })
  const metrics = createNodeMetrics({
    lifecycle,
    operations,
    errors: new ErrorLog(),
    registry: new Registry()
  })
  const sink = { write: () => {}, close: async () => {} }
  const own = {
    version: '0.0.0-test',
    lifecycle,
    operations,
    metrics,
    events: new EventHub({ clock: systemClock }),
    logging: createLogging({ sink }, { level: 'debug' }),
    logger: silentLogger,
    alerting: { active: () => [] },
    anomalies: { active: () => [] },
    pause: createPause({ lifecycle, parts: [] })
  }
  const services = { ...own, ...given } as NodeServices
  const streams = new Streams({ clock })
  const routes = adminRoutes(services, streams)
  return { services, modules: { routes, metrics, streams, logger: silentLogger } }
}
