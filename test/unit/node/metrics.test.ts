import { Counter, Registry } from 'prom-client'
import { describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../../base/index.ts'
import { Lifecycle } from '../../../node/lifecycle.ts'
import { ErrorLog } from '../../../node/logging/error-log.ts'
import { createNodeMetrics } from '../../../node/metrics.ts'
import { OperationManager } from '../../../node/operations.ts'
import { createRates } from '../../../node/services/rates.ts'

describe('metrics of the node', () => {
  it('count operations by how they ended, and tell the state', async () => {
    const lifecycle = new Lifecycle()
    const operations = new OperationManager({ clock: systemClock }, { maxRunning: 2 })
    const metrics = createNodeMetrics({
      lifecycle,
      operations,
      errors: new ErrorLog(),
      registry: new Registry()
    })
    const { id } = operations.start('fetch', 'r', async () => ({}))
    await operations.wait(id, 1000)
    const text = await metrics.registry.metrics()
    expect(text).toContain('catalog_node_operations_total{kind="fetch",state="done"} 1')
    expect(text).toContain('catalog_node_state_ratio{state="initializing"} 1')
    metrics.close()
  })

  it('see how long the event loop was held, without the interval of the measurement', async () => {
    const lifecycle = new Lifecycle()
    const operations = new OperationManager({ clock: systemClock }, { maxRunning: 2 })
    const metrics = createNodeMetrics({
      lifecycle,
      operations,
      errors: new ErrorLog(),
      registry: new Registry()
    })
    const delay = async (quantile: string): Promise<number> => {
      const text = await metrics.registry.metrics()
      return Number(
        new RegExp(`event_loop_delay_seconds\\{window="current",quantile="${quantile}"\\} (\\S+)`).exec(
          text
        )?.[1]
      )
    }
    // The first firing of the timer behind it only sets its start; the later ones see that the loop was held.
    let longest = 0
    await vi.waitUntil(
      async () => {
        const untilMs = performance.now() + 80
        while (performance.now() < untilMs);
        longest = await delay('1')
        return longest > 0.04
      },
      { interval: 1, timeout: 30_000 }
    )
    expect(longest).toBeLessThan(2)
    // A reading resets nothing.
    expect(await delay('1')).toBeGreaterThanOrEqual(longest)
    metrics.close()
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
