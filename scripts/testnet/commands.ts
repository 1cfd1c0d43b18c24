/** The commands of `npm run testnet`. Each returns the status with which the process ends. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { CatalogError, SECOND_MS, systemClock } from '../../base/index.ts'
import {
  allSaid,
  type DriverName,
  driverNamed,
  driverOf,
  type NetworkPlan,
  parseCounts,
  planNetwork,
  type RunningNetwork,
  runScenario,
  type Scenario,
  startFaults,
  TOPOLOGIES,
  whyNotFit
} from '../../testnet/index.ts'
import { nodeTable, printComparison, printResult, printStep } from './print.ts'
import { keepResult, type ReportWords } from './reports.ts'

const ROOT = resolve(import.meta.dirname, '..', '..')
/** Connections come a moment after the start of who makes them. */
const CONNECTED_MS = 30 * SECOND_MS
const LOOK_MS = 500
/** As in docker-compose.yml. */
const DEFAULT_IMAGE = 'catalog:local'

export interface UpWords {
  readonly folder: string
  readonly driver: string
  readonly topology: string
  readonly regions: string
  readonly nodes: string
}

export async function up(words: UpWords, signal: AbortSignal): Promise<number> {
  const topology = TOPOLOGIES.find(known => known === words.topology)
  if (topology === undefined)
    throw new CatalogError('INVALID_ARGUMENT', `${words.topology} is none of ${TOPOLOGIES.join(', ')}`)
  const plan = planNetwork({ topology, regions: words.regions.split(','), counts: parseCounts(words.nodes) })
  if (driverOf(words.folder) !== undefined)
    throw new CatalogError('INVALID_ARGUMENT', `a network runs already (${words.folder})`, {
      hint: 'look at it with `status`, or remove it with `down`'
    })
  const network = await bringUp(words.driver, plan, words.folder, signal)
  console.log(await nodeTable(network, signal))
  console.log(`\nhomes and logs: ${words.folder}`)
  await network.close()
  return 0
}

export async function status(folder: string, signal: AbortSignal): Promise<number> {
  const network = driverOf(folder)?.attach(folder)
  if (network === undefined) {
    console.log('no network runs; `npm run testnet -- up` starts one')
    return 1
  }
  console.log(await nodeTable(network, signal))
  await network.close()
  return 0
}

export async function down(folder: string): Promise<number> {
  const driver = driverOf(folder)
  if (driver === undefined) console.log('no network runs')
  await driver?.down(folder)
  return 0
}

export interface RunWords extends ReportWords {
  readonly folder: string
  readonly driver: string
  readonly seed: string
  readonly upgradeTo?: string
  /** The command that runs it again, where that is not `run`. */
  readonly again?: string
}

/** On the network that runs, if it fits; else on one of its own, which is removed afterwards. */
export async function runOne(scenario: Scenario, words: RunWords, signal: AbortSignal): Promise<number> {
  const running = driverOf(words.folder)?.attach(words.folder)
  if (running !== undefined) {
    const why = whyNotFit(running.plan, scenario.size)
    if (why === undefined) return await runOn(running, scenario, words, signal)
    await running.close()
    console.log(`the network that runs does not fit (${why}): a network of its own`)
  }
  return await runOnOwn(scenario, words, signal)
}

/** On a network of its own, which is removed afterwards. */
export async function runOnOwn(
  scenario: Scenario,
  words: Omit<RunWords, 'folder'>,
  signal: AbortSignal
): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'catalog-testnet-'))
  console.log(`homes and logs, while it runs: ${folder}`)
  try {
    const network = await bringUp(words.driver, planNetwork(scenario.size), folder, signal)
    return await runOn(network, scenario, words, signal)
  } finally {
    await driverNamed(words.driver).down(folder)
  }
}

async function runOn(
  network: RunningNetwork,
  scenario: Scenario,
  words: Omit<RunWords, 'folder'>,
  signal: AbortSignal
): Promise<number> {
  const { seed, upgradeTo } = words
  console.log(`${scenario.name}: ${scenario.description}\nseed ${seed}, ${network.nodes.length} nodes\n`)
  const options = {
    seed,
    onStep: printStep,
    ...(upgradeTo !== undefined && { upgradeTo: PROGRAMS[network.driver].named(upgradeTo) })
  }
  const result = await runScenario(scenario, { network, clock: systemClock }, options, signal)
  await network.close()
  printResult(result)
  if (result.state === 'failed')
    console.log(`again: ${words.again ?? `npm run testnet -- run ${scenario.name}`} --seed ${seed}`)
  const comparison = keepResult(result, words)
  if (comparison !== undefined) printComparison(comparison)
  const isWell = result.state === 'passed' || result.state === 'skipped'
  return isWell && comparison?.isRegression !== true ? 0 : 1
}

/** What nodes run, by driver. */
const PROGRAMS: Readonly<Record<DriverName, { latest(): string; named(word: string): string }>> = {
  netns: { latest: buildBundle, named: word => resolve(word) },
  // The driver builds the image when there is none.
  compose: { latest: () => process.env.CATALOG_IMAGE ?? DEFAULT_IMAGE, named: word => word }
}

function buildBundle(): string {
  const built = spawnSync(process.execPath, [join(ROOT, 'scripts', 'bundle.ts')], { encoding: 'utf8' })
  if (built.signal !== null) throw new CatalogError('ABORTED', `the build was ended by ${built.signal}`)
  if (built.status !== 0) throw new CatalogError('INTERNAL', `the program was not built: ${built.stderr}`)
  return join(ROOT, 'dist', 'catalog.cjs')
}

/** Builds the program, starts the network, and looks whether it has come up in the order of its plan. */
async function bringUp(
  name: string,
  plan: NetworkPlan,
  folder: string,
  signal: AbortSignal
): Promise<RunningNetwork> {
  const driver = driverNamed(name)
  const program = PROGRAMS[driver.name].latest()
  const startMs = performance.now()
  const network = await driver.up(plan, { folder, program }, signal)
  await untilStarted(network, signal).catch(async error => {
    await driver.down(folder)
    throw error
  })
  const seconds = ((performance.now() - startMs) / SECOND_MS).toFixed(1)
  console.log(`${plan.nodes.length} nodes are up after ${seconds} s, each after those it depends on\n`)
  return network
}

async function untilStarted(network: RunningNetwork, signal: AbortSignal): Promise<void> {
  const endMs = performance.now() + CONNECTED_MS
  for (;;) {
    const faults = startFaults(network.plan, await allSaid(network, signal))
    if (faults.length === 0) return
    if (performance.now() > endMs) throw new CatalogError('TIMEOUT', faults.join('; '))
    await wait(LOOK_MS, undefined, { signal })
  }
}
