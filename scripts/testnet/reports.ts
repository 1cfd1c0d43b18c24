/** What a run leaves behind: its result for programs, reports for people and CI, and its figures for later runs. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  Baseline,
  type Comparison,
  compareRuns,
  htmlReport,
  junitReport,
  machineName,
  runOf,
  type ScenarioResult
} from '../../testnet/index.ts'

export interface ReportWords {
  /** Folder for reports. */
  readonly report?: string
  /** File with the figures of earlier runs. */
  readonly baseline?: string
  /** Whether this run is added to them. */
  readonly save: boolean
}

/** Compares a run with earlier ones and writes what was asked for. Returns what came of the comparison, if there was one. */
export function keepResult(
  result: ScenarioResult,
  { report, baseline, save }: ReportWords
): Comparison | undefined {
  const machine = machineName()
  const comparison = baseline === undefined ? undefined : compareWith(baseline, result, { machine, save })
  if (report !== undefined) writeReports(report, { result, machine, ...(comparison && { comparison }) })
  return comparison
}

/** Only a run that passed says how fast it is when all is well. */
function compareWith(
  path: string,
  result: ScenarioResult,
  { machine, save }: { machine: string; save: boolean }
): Comparison {
  const earlier = Baseline.read(path)
  const run = runOf(result, machine)
  if (save && result.state === 'passed') earlier.with(run).write(path)
  return compareRuns(earlier.runsOf(run), run.figures)
}

function writeReports(folder: string, run: Parameters<typeof htmlReport>[0][number]): void {
  mkdirSync(folder, { recursive: true })
  const write = (extension: string, text: string): void =>
    writeFileSync(join(folder, `${run.result.scenario}.${extension}`), text)
  write('json', `${JSON.stringify(run.result, undefined, 2)}\n`)
  write('html', htmlReport([run]))
  write('xml', junitReport([run]))
}
