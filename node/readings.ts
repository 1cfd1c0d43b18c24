/** Metrics of the node as a whole, read from the parts that know when they are collected. */
import type { Registry as MetricsRegistry } from 'prom-client'
import { partMetrics } from '../base/index.ts'
import type { Alerting } from './services/alerts/alerting.ts'
import type { StatusService } from './services/types.ts'
import type { FollowShape } from './sync-schemas.ts'

const ALERT_LEVELS = ['warn', 'error'] as const

export interface ReadingsModules {
  status: Pick<StatusService, 'health'>
  alerting: Pick<Alerting, 'active'>
  follows(): readonly FollowShape[]
}

export function registerReadings(
  registry: MetricsRegistry,
  { status, alerting, follows }: ReadingsModules
): void {
  const node = partMetrics(registry, 'node')
  node.gauge('health_ratio', async () => (await status.health()).score)
  node.gauges('active_alerts', () =>
    ALERT_LEVELS.map(
      level => [{ level }, alerting.active().filter(alert => alert.level === level).length] as const
    )
  )
  const sync = partMetrics(registry, 'sync')
  sync.gauge('followed_libraries', () => follows().length)
  sync.gauge('failing_libraries', () => follows().filter(({ state }) => state === 'failing').length)
}
