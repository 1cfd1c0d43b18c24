import { GIB, MINUTE_MS } from '../../../base/index.ts'
import type { MirrorPolicy } from '../../../mirror/index.ts'

/** Grace and the rest as by default; a quota that is large beside what there is to hold. */
export const POLICY: MirrorPolicy = {
  min: 2,
  target: 3,
  max: 6,
  graceMs: 15 * MINUTE_MS,
  quotaBytes: GIB,
  repairBudgetBytes: GIB,
  accept: 'network',
  strategy: 'popularity',
  isFrozen: false,
  isDraining: false
}

/** How fast contents are transferred. */
export const RATE_BYTES_PER_MS = 10_000
