/** What may happen to a network, step by step, and what is to hold then: `scenario.ts` says what one is, `shipped/` has those there are. */
export { isScenarioFile, loadScenario } from './load.ts'
export type * from './result.ts'
export { type RunOptions, runScenario } from './runner.ts'
export { action, expectation, type Scenario, type ScenarioRun, type Step, verdict } from './scenario.ts'
export { SCENARIOS } from './shipped/index.ts'
