import type { Clock } from '../../base/index.ts'
import type { PartitionReport, PartitionState } from '../../topology/index.ts'
import type { PartitionShape } from '../partition-schemas.ts'

/** In JSON, with instants in place of monotonic times. */
export function partitionShape(
  { name, sinceMs, lost, of, isCutOff, isFrozen, reasons }: PartitionState,
  last: PartitionReport | undefined,
  clock: Clock
): PartitionShape {
  const instant = (monotonicMs: number): string =>
    new Date(clock.now() - (clock.monotonicMs() - monotonicMs)).toISOString()
  return {
    state: name,
    since: instant(sinceMs),
    lost,
    of,
    isCutOff,
    isFrozen,
    reasons: [...reasons],
    last: last === undefined ? null : reportShape(last, instant)
  }
}

function reportShape(
  { sinceMs, noticedAfterMs, lastedMs, healedInMs, ...report }: PartitionReport,
  instant: (monotonicMs: number) => string
): NonNullable<PartitionShape['last']> {
  return {
    ...report,
    since: instant(sinceMs),
    noticedAfterMs: Math.round(noticedAfterMs),
    lastedMs: Math.round(lastedMs),
    healedInMs: Math.round(healedInMs)
  }
}
