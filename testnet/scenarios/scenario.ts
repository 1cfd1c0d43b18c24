/**
 * What a scenario is: a network that it needs, and steps on it, which are objects with a name, a limit and what is done or
 * what is to hold. A scenario makes its steps anew for each run, so that they may share what they find out.
 */
import type { Clock } from '../../base/index.ts'
import type { RunningNetwork } from '../drivers/driver.ts'
import type { ActiveFaults } from '../faults/active-faults.ts'
import type { NetworkSize } from '../network/topologies.ts'
import type { Random } from '../simulator/random.ts'
import type { Measures } from './measures.ts'
import type { Work } from './work.ts'

export interface Scenario {
  readonly name: string
  /** One sentence: what happens, and what is to hold then. */
  readonly description: string
  /** A network that it can run on; one that has as much of everything fits too. */
  readonly size: NetworkSize
  steps(run: ScenarioRun): Step[]
}

export interface ScenarioRun {
  readonly network: RunningNetwork
  readonly faults: ActiveFaults
  readonly measures: Measures
  /** What users do: publish, fetch, look. */
  readonly work: Work
  readonly random: Random
  readonly clock: Clock
  /** The program that `restart` upgrades to; undefined is the same again. */
  readonly upgradeTo: string | undefined
}

export type Step = Action | Expectation | Verdict

/** Something that is done. It fails by throwing. */
export interface Action {
  readonly name: string
  readonly limitMs: number
  run(signal: AbortSignal): Promise<void>
}

/** Something that becomes so within the limit. */
export interface Expectation {
  readonly name: string
  readonly limitMs: number
  /** What is wrong; undefined when nothing is. Asked again until then. */
  fault(signal: AbortSignal): Promise<string | undefined>
}

/** Something that is so or is not, looked at once, also when a step before it has failed: verdicts do not depend on each other. */
export interface Verdict {
  readonly name: string
  readonly limitMs: number
  judge(signal: AbortSignal): Promise<Judgement>
}

export interface Judgement {
  /** `skipped`: too little was seen to say it. */
  readonly state: 'passed' | 'failed' | 'skipped'
  /** Why; of what passed, nothing. */
  readonly reason?: string
}

/** Enough for anything on a machine that does other things too. */
const LIMIT_MS = 120_000

export const action = (name: string, run: Action['run'], limitMs = LIMIT_MS): Action => ({
  name,
  limitMs,
  run
})

export const expectation = (name: string, fault: Expectation['fault'], limitMs = LIMIT_MS): Expectation => ({
  name,
  limitMs,
  fault
})

export const verdict = (name: string, judge: Verdict['judge']): Verdict => ({
  name,
  limitMs: LIMIT_MS,
  judge
})
