import type { Registry } from 'prom-client'
import { type Clock, SECOND_MS } from '../../base/index.ts'

/** Counters of bytes whose growth is a rate of the status, by its name there. */
const COUNTERS = {
  servedBytesPerSecond: 'catalog_content_served_bytes_total',
  fetchedBytesPerSecond: 'catalog_fetch_received_bytes_total'
} as const

/** Asked more often than this, the rates of the reading before are given: over less they would only be noise. */
const MIN_SPAN_MS = SECOND_MS

/**
 * Rates over the time since they were last asked for, made from the metrics when they are asked for: an idle node samples
 * nothing.
 */
export function createRates(modules: {
  registry: Registry
  clock: Clock
}): () => Promise<Record<string, number>> {
  const { registry, clock } = modules
  let takenMs = clock.monotonicMs()
  let before = new Map<string, number>()
  let rates: Record<string, number> = Object.fromEntries(Object.keys(COUNTERS).map(name => [name, 0]))
  return async () => {
    const nowMs = clock.monotonicMs()
    const spanMs = nowMs - takenMs
    if (spanMs < MIN_SPAN_MS) return rates
    takenMs = nowMs
    const values = new Map<string, number>()
    for (const [name, metric] of Object.entries(COUNTERS)) values.set(name, await sumOf(registry, metric))
    rates = Object.fromEntries(
      [...values].map(([name, value]) => [name, ((value - (before.get(name) ?? 0)) / spanMs) * SECOND_MS])
    )
    before = values
    return rates
  }
}

async function sumOf(registry: Registry, metric: string): Promise<number> {
  const { values = [] } = (await registry.getSingleMetric(metric)?.get()) ?? {}
  return values.reduce((sum, { value }) => sum + value, 0)
}
