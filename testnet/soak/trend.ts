/**
 * The trend of noisy values by Theil and Sen: the median of the slopes between all pairs of points. Memory jumps up when something big is
 * done and falls when garbage is collected; a line of least squares follows such jumps, above all at the ends. The median does not move until
 * more than a quarter of the points are off, whichever way and however far.
 */
import { percentile } from '../../base/index.ts'
import type { Point } from './series.ts'

/** Per millisecond; undefined of fewer than two instants. */
export function trendOf(points: readonly Point[]): number | undefined {
  const slopes: number[] = []
  for (const [at, one] of points.entries())
    for (const other of points.slice(at + 1))
      if (other.atMs !== one.atMs) slopes.push((other.value - one.value) / (other.atMs - one.atMs))
  return percentile(slopes, 0.5)
}
