/** What is watched for anomalies, put together: operations and requests as they end; the rest where its callbacks are given. */
import { SECOND_MS } from '../base/index.ts'
import { Anomalies, type AnomaliesModules } from './anomalies/anomalies.ts'
import type { NodeMetrics } from './metrics.ts'
import type { OperationManager } from './operations.ts'

export interface AnomalyWatchingModules extends Omit<AnomaliesModules, 'metrics'> {
  operations: Pick<OperationManager, 'watchAll'>
  metrics: Pick<NodeMetrics, 'registry' | 'onRequest'>
}

/** They take as long as their clients want: they wait for something, or carry what is large. */
const SLOW_ROUTES = /\/(events|log|tar|plan)$|^\/v1\/operations\/:id$|^\/v1\/(packages|doctor|topology)/

export function watchAnomalies({ operations, metrics, ...modules }: AnomalyWatchingModules): Anomalies {
  const anomalies = new Anomalies({ ...modules, metrics: metrics.registry })
  operations.watchAll(({ kind, state, startedAt, endedAt }) => {
    if (state !== 'done' && state !== 'failed') return
    anomalies.sample(`${kind}-failures`, state === 'failed' ? 1 : 0)
    if (state === 'done')
      anomalies.sample(`${kind}-duration`, Date.parse(endedAt ?? startedAt) - Date.parse(startedAt))
  })
  metrics.onRequest((route, method, status, tookS) => {
    anomalies.sample('api-failures', status >= 500 ? 1 : 0)
    if (method === 'GET' && !SLOW_ROUTES.test(route)) anomalies.sample('api-duration', tookS * SECOND_MS)
  })
  return anomalies
}
