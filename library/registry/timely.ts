import { CatalogError, MINUTE_MS, plural } from '../../base/index.ts'

/** Clocks of honest machines differ by less. A record dated later would win over every honest successor until then. */
export const MAX_CLOCK_AHEAD_MS = 10 * MINUTE_MS

/** Whether a record that is dated so may count now. */
export const isTimely = (datedMs: number, nowMs: number): boolean => datedMs <= nowMs + MAX_CLOCK_AHEAD_MS

/** From when what is dated so counts. */
export const timelyFromMs = (datedMs: number): number => datedMs - MAX_CLOCK_AHEAD_MS

/** Throws RECORD_EARLY, with `datedMs` in its details. */
export function expectTimely(datedMs: number, nowMs: number): void {
  if (isTimely(datedMs, nowMs)) return
  throw new CatalogError(
    'RECORD_EARLY',
    `the record is dated ${plural(Math.ceil((datedMs - nowMs) / MINUTE_MS), 'minute')} ahead`,
    {
      details: { datedMs, nowMs }
    }
  )
}
