import type { Comparison } from '../baseline/compare.ts'
import type { ScenarioResult } from '../scenarios/result.ts'

/** What reports tell of one run. */
export interface ReportedRun {
  readonly result: ScenarioResult
  /** Where it ran (`machineName`). */
  readonly machine: string
  /** With earlier runs, when there was a baseline. */
  readonly comparison?: Comparison
}

/** Whether it is to be looked at: it did not pass, left a fault behind, or is slower than it was. */
export function isBad({ result, comparison }: ReportedRun): boolean {
  const { state, faults } = result
  return (
    (state !== 'passed' && state !== 'skipped') ||
    comparison?.isRegression === true ||
    faults.some(({ error }) => error !== undefined)
  )
}
