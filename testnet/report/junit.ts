/**
 * Results as JUnit XML, as CI systems read it: a scenario is a suite, a step a test case. What is more than steps becomes a case of its
 * own when it went wrong: a fault that could not be taken back, and each figure that is worse than in earlier runs.
 */
import { SECOND_MS } from '../../base/index.ts'
import type { StepResult } from '../scenarios/result.ts'
import { element, escapeText } from './markup.ts'
import type { ReportedRun } from './reported-run.ts'

type Outcome = 'passed' | 'failure' | 'error' | 'skipped'

interface Case {
  readonly name: string
  readonly tookMs: number
  readonly outcome: Outcome
  readonly message?: string
}

/** The whole document. */
export function junitReport(runs: readonly ReportedRun[]): string {
  const suites = runs.map(run => suiteOf(run, casesOf(run)))
  const all = runs.flatMap(casesOf)
  const tookMs = runs.reduce((sum, { result }) => sum + result.tookMs, 0)
  const document = element('testsuites', { name: 'testnet', ...countsOf(all, tookMs) }, suites)
  return `<?xml version="1.0" encoding="UTF-8"?>\n${document}\n`
}

function casesOf({ result, comparison }: ReportedRun): Case[] {
  const { steps, faults, state, reason } = result
  const cases: Case[] = steps.map(caseOfStep)
  // A run that did not get to a step, or was cut off between two, would look as if all were well.
  if (state === 'skipped') cases.push({ name: 'run', tookMs: 0, outcome: 'skipped', message: reason })
  if (state === 'interrupted') cases.push({ name: 'run', tookMs: 0, outcome: 'error', message: reason })
  if (state === 'failed' && steps.every(step => step.state !== 'failed'))
    cases.push({ name: 'run', tookMs: 0, outcome: 'failure', message: reason })
  for (const { kind, description, error } of faults)
    if (error !== undefined)
      cases.push({ name: `taking back ${kind}: ${description}`, tookMs: 0, outcome: 'error', message: error })
  for (const { figure, percentile, verdict, reason: why } of comparison?.figures ?? [])
    if (verdict === 'regression')
      cases.push({ name: `${figure}, ${percentile}`, tookMs: 0, outcome: 'failure', message: why })
  return cases
}

function caseOfStep({ name, state, tookMs, error }: StepResult): Case {
  if (state === 'passed') return { name, tookMs, outcome: 'passed' }
  if (state === 'failed') return { name, tookMs, outcome: 'failure', message: error }
  return { name, tookMs, outcome: 'skipped', message: error ?? 'a step before it has failed' }
}

function suiteOf({ result, machine, comparison }: ReportedRun, cases: readonly Case[]): string {
  const { scenario, driver, topology, seed, startedAt, tookMs, figures } = result
  const measured = Object.entries(figures).flatMap(([name, { unit, p50, p95, p99 }]) =>
    Object.entries({ p50, p95, p99 }).map(([which, value]) => [`${name}.${which}.${unit}`, value] as const)
  )
  const properties = [
    ['driver', driver],
    ['topology', topology],
    ['seed', seed],
    ['machine', machine],
    ...(comparison === undefined ? [] : [['earlierRuns', comparison.earlierRuns] as const]),
    ...measured
  ].map(([name, value]) => element('property', { name, value }))
  return element(
    'testsuite',
    // JUnit's own instants have no fraction and no zone.
    { name: scenario, timestamp: startedAt.slice(0, 19), ...countsOf(cases, tookMs) },
    [element('properties', {}, properties), ...cases.map(one => caseOf(scenario, one))]
  )
}

function caseOf(scenario: string, { name, tookMs, outcome, message = outcome }: Case): string {
  const [line] = message.split('\n')
  const said =
    outcome === 'passed'
      ? ''
      : element(outcome, { message: line }, outcome === 'skipped' ? '' : escapeText(message))
  return element('testcase', { classname: `testnet.${scenario}`, name, time: tookMs / SECOND_MS }, said)
}

function countsOf(cases: readonly Case[], tookMs: number): Record<string, number> {
  const count = (outcome: Outcome): number => cases.filter(one => one.outcome === outcome).length
  return {
    tests: cases.length,
    failures: count('failure'),
    errors: count('error'),
    skipped: count('skipped'),
    time: tookMs / SECOND_MS
  }
}
