/**
 * Is a run worse than those before it? One number larger than another says nothing: runs of the same program differ by
 * themselves, and by how much differs from figure to figure. So each percentile is held against what earlier runs of the
 * same kind had, and counts as a regression only when all of this holds:
 *
 * - there are enough earlier runs to know how much they differ (MIN_RUNS);
 * - the figure has enough values to have that percentile: the 99th of ten values is their largest (MIN_VALUES);
 * - it is MIN_RATIO of their median or more, and above it by more than a clock and a scheduler make (MIN_DIFFERENCE);
 * - it is further from the median than SPREADS times their spread. The spread is the median of their distances from the
 *   median, times 1.4826, which for values of a normal distribution makes it the standard deviation. Unlike that, one run
 *   on a busy machine does not change it;
 * - none of them was as bad.
 *
 * What is as far on the other side is told as an improvement. A count has no better side, so a change of one is only told.
 */
import { displayDuration, displayShare, displaySize, percentile, plural } from '../../base/index.ts'
import type { Figure } from '../scenarios/result.ts'
import type { BaselineRun } from './store.ts'

/** With fewer a spread is chance. */
const MIN_RUNS = 5
const MIN_RATIO = 1.25
/** Of a normal distribution, one value in 700 is as far off on that side by itself. */
const SPREADS = 3
const NORMAL_SPREAD = 1.4826
/** Below it a difference is nobody's doing. */
const MIN_DIFFERENCE: Readonly<Record<Figure['unit'], number>> = { ms: 5, bytes: 65_536, count: 1 }
/** How many values a figure must have for a percentile to be more than its largest one. */
const MIN_VALUES = { p50: 1, p95: 20, p99: 100 } as const

type Percentile = keyof typeof MIN_VALUES
const PERCENTILES = Object.keys(MIN_VALUES) as Percentile[]

/** `unknown`: too few runs or values to say. */
export type Verdict = 'same' | 'regression' | 'improvement' | 'changed' | 'unknown'

export interface FigureComparison {
  readonly figure: string
  readonly unit: Figure['unit']
  readonly percentile: Percentile
  readonly now: number
  /** Median of the earlier runs; absent without any. */
  readonly before?: number
  /** `now` over `before`; absent where that is 0. */
  readonly ratio?: number
  readonly verdict: Verdict
  /** Why, for people. */
  readonly reason: string
}

export interface Comparison {
  readonly earlierRuns: number
  readonly isRegression: boolean
  /** By figure, then by percentile. */
  readonly figures: readonly FigureComparison[]
}

/** Holds the figures of a run against those of earlier runs of the same kind (`Baseline.runsOf`). */
export function compareRuns(earlier: readonly BaselineRun[], figures: BaselineRun['figures']): Comparison {
  const compared = Object.keys(figures)
    .sort()
    .flatMap(name => {
      const now = figures[name]!
      // The same name with another unit is another figure.
      const before = earlier.flatMap(({ figures: of }) => (of[name]?.unit === now.unit ? [of[name]!] : []))
      return PERCENTILES.map(which => compareOne(name, which, now, before))
    })
  return {
    earlierRuns: earlier.length,
    isRegression: compared.some(({ verdict }) => verdict === 'regression'),
    figures: compared
  }
}

function compareOne(
  name: string,
  which: Percentile,
  figure: Figure,
  earlier: readonly Figure[]
): FigureComparison {
  const { unit } = figure
  const now = figure[which]
  const usable = earlier.filter(({ count }) => count >= MIN_VALUES[which]).map(one => one[which])
  const before = usable.length === 0 ? undefined : medianOf(usable)
  const ratio = before === undefined || before === 0 ? undefined : now / before
  const head = {
    figure: name,
    unit,
    percentile: which,
    now,
    ...(before !== undefined && { before }),
    ...(ratio !== undefined && { ratio })
  }
  if (figure.count < MIN_VALUES[which])
    return {
      ...head,
      verdict: 'unknown',
      reason: `of ${plural(figure.count, 'value')}, and it takes ${MIN_VALUES[which]}`
    }
  if (before === undefined || usable.length < MIN_RUNS)
    return {
      ...head,
      verdict: 'unknown',
      reason: `${plural(usable.length, 'earlier run')}, and it takes ${MIN_RUNS}`
    }
  return { ...head, ...judge(now, before, usable, unit) }
}

/** `earlier` has MIN_RUNS values at least, and `before` is their median. */
function judge(
  now: number,
  before: number,
  earlier: readonly number[],
  unit: Figure['unit']
): Pick<FigureComparison, 'verdict' | 'reason'> {
  const isWorse = now > before
  const [most, least] = isWorse ? [now, before] : [before, now]
  const spread = NORMAL_SPREAD * medianOf(earlier.map(value => Math.abs(value - before)))
  const beyond = isWorse ? Math.max(...earlier) : Math.min(...earlier)
  const was = `${displayValue(now, unit)} after ${displayValue(before, unit)}`
  if (most - least < MIN_DIFFERENCE[unit] || most < MIN_RATIO * least)
    return {
      verdict: 'same',
      reason: `${was}: less than ${displayShare(MIN_RATIO - 1)} apart, or next to nothing`
    }
  if (most - least <= SPREADS * spread)
    return { verdict: 'same', reason: `${was}: runs differ by ${displayValue(spread, unit)} by themselves` }
  if (isWorse ? now <= beyond : now >= beyond)
    return { verdict: 'same', reason: `${was}: an earlier run had ${displayValue(beyond, unit)}` }
  const reason = `${was} in ${plural(earlier.length, 'earlier run')}, which differ by ${displayValue(spread, unit)} among themselves`
  if (unit === 'count') return { verdict: 'changed', reason }
  return { verdict: isWorse ? 'regression' : 'improvement', reason }
}

const medianOf = (values: readonly number[]): number => percentile(values, 0.5)!

/** A figure as people read it. */
export function displayValue(value: number, unit: Figure['unit']): string {
  if (unit === 'ms') return displayDuration(value)
  if (unit === 'bytes') return displaySize(value)
  return String(Math.round(value * 100) / 100)
}
