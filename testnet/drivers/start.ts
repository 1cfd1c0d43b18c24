import type { NodePlan } from '../network/plan.ts'
import type { RunningNetwork } from './driver.ts'

/** More at once only take longer to start, each and together. */
export const STARTS_AT_ONCE = 4

/** Starts all nodes, each wave (`wavesOf`) once the one before is ready. */
export async function startInWaves(
  network: RunningNetwork,
  waves: readonly NodePlan[][],
  signal: AbortSignal
): Promise<void> {
  for (const wave of waves)
    for (let at = 0; at < wave.length; at += STARTS_AT_ONCE) {
      const some = wave.slice(at, at + STARTS_AT_ONCE)
      await Promise.all(some.map(({ name }) => network.node(name).start({}, signal)))
    }
}
