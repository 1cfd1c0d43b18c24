import { Counter, Registry } from 'prom-client'
import { describe, expect, it, onTestFinished } from 'vitest'
import { SECOND_MS, systemClock } from '../../../base/index.ts'
import { Lifecycle } from '../../../node/lifecycle.ts'
import { ErrorLog } from '../../../node/logging/error-log.ts'
import { createNodeMetrics } from '../../../node/metrics.ts'
import { OperationManager } from '../../../node/operations.ts'
import { createRates } from '../../../node/services/rates.ts'
import { eventually } from '../../eventually.ts'

function nodeMetrics() {
  const operations = new OperationManager({ clock: systemClock }, { maxRunning: 2 })
  const metrics = createNodeMetrics({
    lifecycle: new Lifecycle(),
    operations,
    errors: new ErrorLog(),
    registry: new Registry()
  })
  onTestFinished(() => metrics.close())
  return { operations, registry: metrics.registry }
}

describe('metrics of the node', () => {
  it('count operations by how they ended, and tell the state', async () => {
    const { operations, registry } = nodeMetrics()
    const { id } = operations.start('fetch', 'r', async () => ({}))
    await operations.wait(id, 1000)
    const text = await registry.metrics()
    expect(text).toContain('catalog_node_operations_total{kind="fetch",state="done"} 1')
    expect(text).toContain('catalog_node_state_ratio{state="initializing"} 1')
  })

  it('see how long the event loop was held, without the interval of the measurement', async () => {
    const startedMs = performance.now()
    const { registry } = nodeMetrics()
    const delayS = async (quantile: string): Promise<number> => {
      const text = await registry.metrics()
      return Number(
        new RegExp(`event_loop_delay_seconds\\{window="current",quantile="${quantile}"\\} (\\S+)`).exec(
          text
        )?.[1]
      )
    }
    // The first firing of the timer behind it only sets its start; the later ones see that the loop was held.
    const longestS = await eventually(async () => {
      const untilMs = performance.now() + 80
      while (performance.now() < untilMs);
      const seenS = await delayS('1')
      return seenS > 0.04 && seenS
    })
    expect(longestS).toBeLessThan((performance.now() - startedMs) / SECOND_MS)
    // A reading resets nothing.
    expect(await delayS('1')).toBeGreaterThanOrEqual(longestS)
    // A loop that mostly waits is held for much less than the interval that is taken off.
    await eventually(async () => (await delayS('0.5')) < 0.005)
  })

  it('make rates of counters when they are asked for', async () => {
    const registry = new Registry()
    const served = new Counter({
      name: 'catalog_content_served_bytes_total',
      help: 'x',
      registers: [registry]
    })
    let nowMs = 0
    const rates = createRates({ registry, clock: { ...systemClock, monotonicMs: () => nowMs } })
    served.inc(10_000)
    nowMs = 2000
    expect(await rates()).toEqual({ servedBytesPerSecond: 5000, fetchedBytesPerSecond: 0 })
    served.inc(10_000)
    nowMs = 2500
    expect((await rates()).servedBytesPerSecond).toBe(5000)
    nowMs = 4000
    expect((await rates()).servedBytesPerSecond).toBe(5000)
    nowMs = 6000
    expect((await rates()).servedBytesPerSecond).toBe(0)
  })
})
