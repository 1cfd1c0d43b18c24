import { Registry } from 'prom-client'
import { describe, expect, test } from 'vitest'
import { METRIC_TABLE, metricName, partMetrics, Semaphore, showQueue } from '../../../base/index.ts'

/** Base units of Prometheus, and what Catalog counts. */
const UNIT =
  /_(bytes|seconds|ratio|number|alerts|anomalies|answers|batches|blocks|calls|challenges|claims|comparisons|connections|contents|copies|errors|exchanges|failures|fetches|files|heads|keys|libraries|lookups|names|offers|operations|partitions|peers|pieces|proofs|providers|receipts|records|refusals|relays|releases|requests|segments|sessions|spans|stakes|starts|streams|summaries|tasks|threads|violations)$/

const rows = Object.entries(METRIC_TABLE).flatMap(([part, metrics]) =>
  Object.entries(metrics).map(([name, row]) => ({ name: metricName(part, name), row }))
)

describe('the table of metrics', () => {
  test.each(rows)('$name has part, subject and unit, and says what it is', ({ name, row }) => {
    expect(name).toMatch(/^catalog(_[a-z]+){3,}$/)
    expect(name.replace(/_total$/, '')).toMatch(UNIT)
    expect(name.endsWith('_total')).toBe(row.type === 'counter')
    expect(row.help).toMatch(/^[A-Z0-9].*\.$/)
    for (const label of row.labels) expect(row.help.length, label).toBeGreaterThan(20)
  })
})

describe('metrics of a part', () => {
  test('are in the registry as the table has them', async () => {
    const registry = new Registry()
    const content = partMetrics(registry, 'content')
    content.counter('served_answers_total').inc({ status: 'OK' }, 5)
    content.gauge('served_streams', async () => 7)
    partMetrics(registry, 'mirror').histogram('plan_seconds').observe(0.2)
    partMetrics(registry, 'node')
      .histogram('http_request_duration_seconds', [3, 4])
      .observe({ route: '/x' }, 2)
    let alerts: Array<readonly [{ level: string }, number]> = [[{ level: 'warn' }, 2]]
    partMetrics(registry, 'node').gauges('active_alerts', () => alerts)
    partMetrics(registry, 'node').counted('cpu_seconds_total', () => [[{ mode: 'user' }, 3]])
    const text = await registry.metrics()
    expect(text).toContain(
      `# HELP catalog_content_served_streams ${METRIC_TABLE.content.served_streams!.help}`
    )
    expect(text).toContain('catalog_content_served_answers_total{status="OK"} 5')
    expect(text).toContain('catalog_content_served_streams 7')
    expect(text).toContain('catalog_mirror_plan_seconds_bucket{le="0.25"} 1')
    expect(text.match(/^catalog_node_http_request_duration_seconds_bucket.*$/gm)).toEqual([
      'catalog_node_http_request_duration_seconds_bucket{le="3",route="/x"} 1',
      'catalog_node_http_request_duration_seconds_bucket{le="4",route="/x"} 1',
      'catalog_node_http_request_duration_seconds_bucket{le="+Inf",route="/x"} 1'
    ])
    expect(text).toContain('catalog_node_active_alerts{level="warn"} 2')
    alerts = [[{ level: 'error' }, 1]]
    const again = await registry.metrics()
    expect(again).not.toContain('level="warn"')
    expect(again).toContain('catalog_node_cpu_seconds_total{mode="user"} 3')
  })

  test('work without a registry, and twice', () => {
    for (let i = 0; i < 2; i++) partMetrics(undefined, 'heads').counter('told_heads_total').inc()
    expect(() =>
      showQueue(undefined, new Semaphore({ name: 'x', maxActive: 1, maxWaiting: 1 }))
    ).not.toThrow()
  })

  test('tell how long queues are, by name', async () => {
    const registry = new Registry()
    const [turns, others] = ['turns', 'others'].map(
      name => new Semaphore({ name, maxActive: 1, maxWaiting: 5 })
    )
    for (const queue of [turns!, others!]) showQueue(registry, queue)
    const release = await turns!.acquire()
    const waiting = [turns!.acquire(), turns!.acquire()]
    const text = await registry.metrics()
    expect(text).toContain('catalog_queue_waiting_tasks{queue="turns"} 2')
    expect(text).toContain('catalog_queue_running_tasks{queue="turns"} 1')
    expect(text).toContain('catalog_queue_waiting_tasks{queue="others"} 0')
    release()
    for (const turn of waiting) (await turn)()
    // One that is built anew, as after a pause, takes the place of the old one.
    showQueue(registry, new Semaphore({ name: 'turns', maxActive: 1, maxWaiting: 5 }))
    expect(await registry.metrics()).toContain('catalog_queue_running_tasks{queue="turns"} 0')
  })
})
