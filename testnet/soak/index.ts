/**
 * The soak: a network that works for hours under mixed load and faults, and is judged by what it had become by then. What happens is
 * decided before by a seed: `load-plan.ts` says what each user does, `fault-plan.ts` what is done to whom and when. `load.ts` and
 * `fault-run.ts` carry it out, `watch.ts` asks every node again and again how it is, into bounded histories (`history.ts`, `series.ts`).
 * `judge.ts` makes verdicts of these: pure functions over what was seen. `scenario.ts` puts all of it in the form of a scenario, so that
 * the runner, drivers, faults and reports are those of any other.
 */
export { faultPlan } from './fault-plan.ts'
export { judge } from './judge.ts'
export { UserPlan } from './load-plan.ts'
export { type Soak, type SoakOptions, soakScenario } from './scenario.ts'
