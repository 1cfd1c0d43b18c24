/** The runner: what a result says of steps that pass, fail, take too long or are interrupted, and that faults never stay. */
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../base/index.ts'
import { unsupported } from '../../../testnet/drivers/driver.ts'
import { whyNotFit } from '../../../testnet/network/fits.ts'
import { planNetwork } from '../../../testnet/network/topologies.ts'
import { figureOf } from '../../../testnet/scenarios/measures.ts'
import { runScenario } from '../../../testnet/scenarios/runner.ts'
import {
  action,
  expectation,
  type Scenario,
  type ScenarioRun,
  type Step,
  verdict
} from '../../../testnet/scenarios/scenario.ts'
import { SCENARIOS } from '../../../testnet/scenarios/shipped/index.ts'
import { fakeNetwork } from './fake-network.ts'

const never = (): Promise<never> => new Promise(() => undefined)

async function run(steps: (run: ScenarioRun, stop: () => void) => Step[]) {
  const network = fakeNetwork()
  const ended = new AbortController()
  const scenario: Scenario = {
    name: 'tried',
    description: 'tried',
    size: { topology: 'mesh', regions: ['eu'], counts: { seed: 1 } },
    steps: given => steps(given, () => ended.abort(new Error('SIGINT')))
  }
  const result = await runScenario(scenario, { network, clock: systemClock }, { seed: 's' }, ended.signal)
  return { result, done: network.done }
}

const pause = ({ faults }: ScenarioRun): Step =>
  action('pause', async signal => void (await faults.apply({ kind: 'pause', node: 'mirror1' }, signal)))
const statesOf = (steps: readonly { state: string }[]): string[] => steps.map(({ state }) => state)

describe('a run', () => {
  it('that passes says how long each step took and what was measured', async () => {
    let looks = 0
    const { result, done } = await run(given => [
      pause(given),
      expectation('comes true', async () => (++looks < 3 ? 'not yet' : undefined)),
      action('measure', async () => given.measures.add('size', 7, 'bytes'))
    ])
    expect(result).toMatchObject({ state: 'passed', seed: 's', scenario: 'tried', driver: 'netns' })
    expect(statesOf(result.steps)).toEqual(['passed', 'passed', 'passed'])
    expect(looks).toBe(3)
    expect(result.figures).toEqual({ size: { unit: 'bytes', count: 1, p50: 7, p95: 7, p99: 7 } })
    expect(result.faults).toMatchObject([{ kind: 'pause', revertedAtMs: expect.any(Number) }])
    expect(done).toEqual(['pause mirror1', 'resume mirror1'])
    expect(result.nodes.every(({ state }) => state === 'running')).toBe(true)
  })

  it('that fails takes its faults back and skips what would come', async () => {
    const { result, done } = await run(given => [
      pause(given),
      action('fail', async () => {
        throw new Error('broken')
      }),
      action('after it', async () => undefined)
    ])
    expect(result).toMatchObject({ state: 'failed', reason: 'fail: broken' })
    expect(statesOf(result.steps)).toEqual(['passed', 'failed', 'skipped'])
    expect(done).toEqual(['pause mirror1', 'resume mirror1'])
  })

  it('ends a step that takes too long, even one that heeds no signal', async () => {
    const { result, done } = await run(given => [pause(given), action('hang', never, 20)])
    expect(result).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(/hang: not done after 20 ms/)
    })
    expect(done.at(-1)).toBe('resume mirror1')
  })

  it('judges all verdicts, also after a failure, and says the first reason', async () => {
    const { result } = await run(() => [
      verdict('fails', async () => ({ state: 'failed', reason: 'grew' })),
      verdict('says nothing', async () => ({ state: 'skipped', reason: 'too short' })),
      action('is not done', async () => undefined),
      verdict('breaks', async () => {
        throw new Error('broken')
      }),
      verdict('holds', async () => ({ state: 'passed' }))
    ])
    expect(statesOf(result.steps)).toEqual(['failed', 'skipped', 'skipped', 'failed', 'passed'])
    expect(result.steps.map(({ error }) => error)).toEqual([
      'grew',
      'too short',
      undefined,
      'broken',
      undefined
    ])
    expect(result).toMatchObject({ state: 'failed', reason: 'fails: grew' })
  })

  it('passes when a verdict had too little to go by', async () => {
    const { result } = await run(() => [
      verdict('v', async () => ({ state: 'skipped', reason: 'too short' }))
    ])
    expect(result).toMatchObject({ state: 'passed', steps: [{ state: 'skipped', error: 'too short' }] })
  })

  it('says of what did not come true what was wrong with it', async () => {
    const { result } = await run(() => [expectation('copies', async () => '3 are missing', 600)])
    expect(result.reason).toBe('copies: 3 are missing')
  })

  it('that is interrupted takes its faults back', async () => {
    const { result, done } = await run((given, stop) => [
      pause(given),
      action('wait', async () => {
        stop()
        await never()
      }),
      action('after it', async () => undefined)
    ])
    expect(result.state).toBe('interrupted')
    expect(statesOf(result.steps)).toEqual(['passed', 'failed', 'skipped'])
    expect(done).toEqual(['pause mirror1', 'resume mirror1'])
  })

  it('that needs what the driver cannot do is skipped', async () => {
    const { result } = await run(() => [
      action('fill', async () => {
        throw unsupported('compose', 'fill a disk')
      })
    ])
    expect(result).toMatchObject({
      state: 'skipped',
      reason: expect.stringMatching(/compose cannot fill a disk/)
    })
  })

  it('whose faults stay has failed', async () => {
    const network = fakeNetwork()
    network.failing.set('resume mirror1', new Error('stuck'))
    const scenario = { ...SCENARIOS[0]!, steps: (given: ScenarioRun) => [pause(given)] }
    const options = { network, clock: systemClock }
    const result = await runScenario(scenario, options, { seed: '1' }, new AbortController().signal)
    expect(result).toMatchObject({ state: 'failed', reason: expect.stringMatching(/not undone: stuck/) })
  })
})

describe('what is shipped', () => {
  it('has names of its own, and a network that fits it', () => {
    expect(new Set(SCENARIOS.map(({ name }) => name)).size).toBe(SCENARIOS.length)
    for (const { size } of SCENARIOS) expect(whyNotFit(planNetwork(size), size)).toBeUndefined()
    const small = planNetwork({ topology: 'mesh', regions: ['eu'], counts: { seed: 1 } })
    for (const { size } of SCENARIOS) expect(whyNotFit(small, size)).toBeDefined()
  })

  it('measures percentiles as the smallest value that so many are not above', () => {
    const values = Array.from({ length: 100 }, (_, at) => 100 - at)
    expect(figureOf(values, 'ms')).toEqual({ unit: 'ms', count: 100, p50: 50, p95: 95, p99: 99 })
    expect(figureOf([4], 'ms')).toEqual({ unit: 'ms', count: 1, p50: 4, p95: 4, p99: 4 })
  })
})
