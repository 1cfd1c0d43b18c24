/** Runs a scenario on a network. Whatever happens, and however it ends, all faults are taken back before it says what was. */
import { setTimeout as wait } from 'node:timers/promises'
import { CatalogError, type Clock, timeoutSignal, toCatalogError } from '../../base/index.ts'
import type { RunningNetwork, RunningNode } from '../drivers/driver.ts'
import { ActiveFaults } from '../faults/active-faults.ts'
import { Random } from '../simulator/random.ts'
import { Measures } from './measures.ts'
import type { NodeResult, ScenarioResult, StepResult } from './result.ts'
import type { Expectation, Judgement, Scenario, Step } from './scenario.ts'
import { Work } from './work.ts'

export interface RunOptions {
  readonly seed: string
  readonly upgradeTo?: string
  /** Told of each step when it has ended. */
  onStep?(step: StepResult): void
}

/** An expectation is looked at so often: seldom enough that looking is no load. */
const LOOK_MS = 250
/** A node that does not say how it is by then is said not to. */
const NODE_MS = 5000

/** `clock` is for measuring; steps wait by real time. Never rejects for what a scenario does. */
export async function runScenario(
  scenario: Scenario,
  { network, clock }: { readonly network: RunningNetwork; readonly clock: Clock },
  { seed, upgradeTo, onStep }: RunOptions,
  signal: AbortSignal
): Promise<ScenarioResult> {
  const startedAt = new Date(clock.now()).toISOString()
  const startMs = clock.monotonicMs()
  const faults = new ActiveFaults({ network, clock })
  const measures = new Measures(clock)
  const random = new Random(`${seed}/${scenario.name}`)
  const work = new Work({ network, measures, random: random.fork('work') }, { prefix: scenario.name })
  const steps: StepResult[] = []
  let ended: Pick<ScenarioResult, 'state' | 'reason'>
  try {
    const run = { network, faults, measures, work, random, clock, upgradeTo }
    ended = await runSteps(scenario.steps(run), { clock, steps, onStep }, signal)
  } catch (error) {
    ended = { state: 'failed', reason: toCatalogError(error).message }
  }
  for (const undo of [() => work.end(), () => faults.revertAll()])
    await undo().catch(error => {
      if (ended.state === 'passed')
        ended = { state: 'failed', reason: `what was done is not undone: ${toCatalogError(error).message}` }
    })
  return {
    scenario: scenario.name,
    description: scenario.description,
    driver: network.driver,
    topology: network.plan.topology,
    seed,
    startedAt,
    tookMs: Math.round(clock.monotonicMs() - startMs),
    ...ended,
    steps,
    figures: measures.figures(),
    faults: faults.results,
    nodes: await Promise.all(network.nodes.map(describeNode))
  }
}

interface StepsOptions {
  readonly clock: Clock
  readonly steps: StepResult[]
  readonly onStep: RunOptions['onStep'] | undefined
}

/** One after the other until one fails, and all verdicts whatever failed before them; how it ended. */
async function runSteps(
  all: readonly Step[],
  { clock, steps, onStep }: StepsOptions,
  signal: AbortSignal
): Promise<Pick<ScenarioResult, 'state' | 'reason'>> {
  let ended: Pick<ScenarioResult, 'state' | 'reason'> = { state: 'passed' }
  for (const step of all) {
    const isRun = ended.state === 'passed' || (ended.state === 'failed' && 'judge' in step)
    const result = isRun
      ? await runStep(step, clock, signal)
      : { result: { name: step.name, state: 'skipped' as const, tookMs: 0 }, ended }
    steps.push(result.result)
    onStep?.(result.result)
    // What failed first is the reason, whatever comes after it.
    if (ended.state === 'passed' || result.ended.state === 'interrupted') ended = result.ended
  }
  return ended
}

async function runStep(
  step: Step,
  clock: Clock,
  signal: AbortSignal
): Promise<{ result: StepResult; ended: Pick<ScenarioResult, 'state' | 'reason'> }> {
  const startMs = clock.monotonicMs()
  const tookMs = (): number => Math.round(clock.monotonicMs() - startMs)
  const { name, limitMs } = step
  try {
    const { state, reason } = await within(limitMs, signal, end => outcomeOf(step, end))
    const result = { name, state, tookMs: tookMs(), ...(reason !== undefined && { error: reason }) }
    if (state !== 'failed') return { result, ended: { state: 'passed' } }
    return { result, ended: { state, reason: `${name}: ${reason}` } }
  } catch (thrown) {
    const { code, message } = toCatalogError(thrown)
    const error = signal.aborted ? 'interrupted' : message
    const state = signal.aborted ? 'interrupted' : code === 'UNSUPPORTED' ? 'skipped' : 'failed'
    const result = state === 'skipped' ? ('skipped' as const) : ('failed' as const)
    return {
      result: { name, state: result, tookMs: tookMs(), error },
      ended: { state, reason: `${name}: ${error}` }
    }
  }
}

async function outcomeOf(step: Step, end: AbortSignal): Promise<Judgement> {
  if ('judge' in step) return await step.judge(end)
  await ('run' in step ? step.run(end) : untilHolds(step, end))
  return { state: 'passed' }
}

/** Ends at the limit, or when the signal is aborted, whether or not the work heeds its own signal. */
async function within<T>(
  limitMs: number,
  signal: AbortSignal,
  work: (end: AbortSignal) => Promise<T>
): Promise<T> {
  signal.throwIfAborted()
  const done = new AbortController()
  const late = wait(limitMs, undefined, { signal: done.signal, ref: true }).then(() => {
    throw new CatalogError('TIMEOUT', `not done after ${limitMs} ms`)
  })
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: done.signal })
  })
  try {
    return await Promise.race([work(AbortSignal.any([signal, done.signal])), late, aborted])
  } finally {
    done.abort()
    late.catch(() => undefined)
  }
}

/** Looks again and again; at the end of its time the step is told what was wrong the last time. */
async function untilHolds(expectation: Expectation, end: AbortSignal): Promise<void> {
  const endMs = performance.now() + expectation.limitMs - 2 * LOOK_MS
  for (;;) {
    const fault = await expectation.fault(end)
    if (fault === undefined) return
    if (performance.now() > endMs) throw new CatalogError('TIMEOUT', fault)
    await wait(LOOK_MS, undefined, { signal: end })
  }
}

async function describeNode(node: RunningNode): Promise<NodeResult> {
  const { role, region } = node.plan
  const known = { name: node.name, role, region, state: await node.state() }
  try {
    const { json } = await node.ask({ method: 'GET', path: '/v1/status' }, timeoutSignal(NODE_MS))
    return { ...known, peers: json.peers, releases: json.store.contents, rssBytes: json.memory.rssBytes }
  } catch {
    // It is not running, or hangs: its state says which.
    return known
  }
}
