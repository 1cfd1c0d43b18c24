/** Scenarios of the testnet on networks in namespaces, as `npm run testnet -- run` runs them, and that nothing of a network stays behind. */
import { existsSync, mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, inject, it } from 'vitest'
import { DAY_MS, systemClock } from '../../base/index.ts'
import {
  netnsDriver,
  planNetwork,
  type RunningNetwork,
  readState,
  runScenario,
  SCENARIOS,
  type Scenario
} from '../../testnet/index.ts'

/** Short ones, which between them use most of the driver: kills and starts, hooks and disks. */
const TRIED = ['everything-killed', 'slow-disk']
const TEST_MS = 120_000

const why = netnsDriver.whyNot()
const signal = AbortSignal.timeout(4 * TEST_MS)
let folder: string

afterEach(async () => {
  await netnsDriver.down(folder)
})

async function up({ size }: Pick<Scenario, 'size'>): Promise<RunningNetwork> {
  folder = mkdtempSync(join(tmpdir(), 'catalog-scenario-'))
  return await netnsDriver.up(planNetwork(size), { folder, program: inject('program') }, signal)
}

describe.skipIf(why !== undefined)(`scenarios${why === undefined ? '' : ` (${why})`}`, () => {
  it.each(TRIED)('%s', { timeout: TEST_MS }, async name => {
    const scenario = SCENARIOS.find(one => one.name === name)!
    const network = await up(scenario)
    const result = await runScenario(scenario, { network, clock: systemClock }, { seed: '1' }, signal)
    await network.close()
    expect(result.reason).toBeUndefined()
    expect(result.state).toBe('passed')
  })

  it('run on a network that another process started, which leaves nothing when it goes', {
    timeout: TEST_MS
  }, async () => {
    const size = { topology: 'mesh', regions: ['eu', 'us'], counts: { seed: 1, consumer: 2 } } as const
    await (await up({ size })).close()
    // Others of this machine have networks too.
    const { prefix } = readState(folder)!.made as { prefix: string }
    const namespaces = (): string[] => readdirSync('/run/netns').filter(name => name.startsWith(prefix))
    expect(namespaces()).not.toEqual([])

    const network = netnsDriver.attach(folder)!
    const consumer = network.node('consumer1')
    await network.setLink('us', 'eu', { lossPercent: 1 }, signal)
    await consumer.pause()
    expect(await consumer.state()).toBe('paused')
    await consumer.resume()
    await consumer.setHooks({ clockOffsetMs: DAY_MS })
    await consumer.stop(signal)
    expect(await consumer.state()).toBe('stopped')
    await consumer.start({}, signal)
    const log = (await consumer.files.read('logs/catalog.log')).toString().trim().split('\n')
    expect(new Date(JSON.parse(log.at(-1)!).time).getTime()).toBeGreaterThan(Date.now() + DAY_MS / 2)
    await network.close()

    await netnsDriver.down(folder)
    expect(namespaces()).toEqual([])
    expect(existsSync(folder)).toBe(false)
    expect(netnsDriver.attach(folder)).toBeUndefined()
  })
})
