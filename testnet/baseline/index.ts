/** What earlier runs of scenarios have measured, and whether a run is worse than they were. */
export { type Comparison, compareRuns, displayValue, type FigureComparison, type Verdict } from './compare.ts'
export { Baseline, type BaselineRun, machineName, type RunKey, runOf } from './store.ts'
