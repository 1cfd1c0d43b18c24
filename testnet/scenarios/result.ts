/** What a run of a scenario says at its end, as data: reports and the baseline read it, and it is written as JSON. */
import type { DriverName, NodeState } from '../drivers/driver.ts'
import type { Topology } from '../network/plan.ts'

export interface ScenarioResult {
  readonly scenario: string
  readonly description: string
  readonly driver: DriverName
  readonly topology: Topology
  readonly seed: string
  /** RFC 3339. */
  readonly startedAt: string
  readonly tookMs: number
  /** `skipped`: the driver cannot do what the scenario needs; `reason` says what. */
  readonly state: 'passed' | 'failed' | 'interrupted' | 'skipped'
  readonly reason?: string
  readonly steps: readonly StepResult[]
  /** What steps have measured, by name: a duration, a size or a number each. */
  readonly figures: Readonly<Record<string, Figure>>
  readonly faults: readonly FaultResult[]
  /** How the nodes were when all faults had been taken back. */
  readonly nodes: readonly NodeResult[]
}

export interface StepResult {
  readonly name: string
  /** `skipped`: a step before it has failed; or it says nothing, or the driver cannot do it, and `error` why. */
  readonly state: 'passed' | 'failed' | 'skipped'
  readonly tookMs: number
  readonly error?: string
}

export interface Figure {
  readonly unit: 'ms' | 'bytes' | 'count'
  readonly count: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
}

/** Times are since the start of the scenario. */
export interface FaultResult {
  readonly kind: string
  /** What it was done to, and how much, for people. */
  readonly description: string
  readonly appliedAtMs: number
  /** Absent when taking it back failed: `error` says why. */
  readonly revertedAtMs?: number
  readonly error?: string
}

export interface NodeResult {
  readonly name: string
  readonly role: string
  readonly region: string
  readonly state: NodeState
  /** Absent when its daemon does not answer. */
  readonly peers?: number
  readonly releases?: number
  readonly rssBytes?: number
}
