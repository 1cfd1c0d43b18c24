/** The commands of `npm run testnet`. Each returns the status with which the process ends. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { CatalogError, SECOND_MS, systemClock } from '../../base/index.ts'
import {
  allSaid,
  Baseline,
  compareRuns,
  driverNamed,
  driverOf,
  htmlReport,
  junitReport,
  machineName,
  type NetworkPlan,
  parseCounts,
  planNetwork,
  type RunningNetwork,
  runOf,
  runScenario,
  type Scenario,
  type ScenarioResult,
  startFaults,
  TOPOLOGIES,
  whyNotFit
} from '../../testnet/index.ts'
import { nodeTable, printResult, printStep } from './print.ts'

const ROOT = resolve(import.meta.dirname, '..', '..')
/** As in docker-compose.yml; the driver builds it when there is none. */
const IMAGE = process.env.CATALOG_IMAGE ?? 'catalog:local'
/** Connections come a moment after the start of who makes them. */
const CONNECTED_MS = 30 * SECOND_MS
const LOOK_MS = 500

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

export interface RunWords {
  readonly folder: string
  readonly driver: string
  readonly seed: string
  readonly report: string | undefined
  readonly upgradeTo: string | undefined
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
  const folder = mkdtempSync(join(tmpdir(), 'catalog-testnet-'))
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
  { seed, report, upgradeTo }: RunWords,
  signal: AbortSignal
): Promise<number> {
  console.log(`${scenario.name}: ${scenario.description}\nseed ${seed}, ${network.nodes.length} nodes\n`)
  const options = {
    seed,
    onStep: printStep,
    ...(upgradeTo !== undefined && { upgradeTo: resolve(upgradeTo) })
  }
  const result = await runScenario(scenario, { network, clock: systemClock }, options, signal)
  await network.close()
  printResult(result)
  const isWorse = report !== undefined && writeReport(report, result)
  return (result.state === 'passed' || result.state === 'skipped') && !isWorse ? 0 : 1
}

/**
 * The run as JSON, as a page and as JUnit XML, held against the runs before it whose figures are in the same folder. Whether it is
 * worse than they were.
 */
function writeReport(folder: string, result: ScenarioResult): boolean {
  mkdirSync(folder, { recursive: true })
  const machine = machineName()
  const path = join(folder, 'baseline.json')
  const baseline = Baseline.read(path)
  const run = runOf(result, machine)
  const comparison = compareRuns(baseline.runsOf(run), run.figures)
  const reported = [{ result, machine, comparison }]
  const write = (ending: string, text: string): void =>
    writeFileSync(join(folder, `${result.scenario}.${ending}`), text)
  write('json', `${JSON.stringify(result, undefined, 2)}\n`)
  write('html', htmlReport(reported))
  write('xml', junitReport(reported))
  // What did not pass is no measure of those to come.
  if (result.state === 'passed') baseline.with(run).write(path)
  for (const { figure, percentile, reason, verdict } of comparison.figures)
    if (verdict === 'regression') console.log(`regression: ${figure} ${percentile}: ${reason}`)
  return comparison.isRegression
}

/** Builds the program, starts the network, and looks whether it has come up in the order of its plan. */
async function bringUp(
  name: string,
  plan: NetworkPlan,
  folder: string,
  signal: AbortSignal
): Promise<RunningNetwork> {
  const driver = driverNamed(name)
  const program = driver.name === 'netns' ? buildProgram() : IMAGE
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

/** Path of the program, built from the sources as they are. */
function buildProgram(): string {
  const { status: code, stderr } = spawnSync(process.execPath, [join(ROOT, 'scripts', 'bundle.ts')], {
    encoding: 'utf8'
  })
  if (code !== 0) throw new CatalogError('INTERNAL', `the program was not built: ${stderr}`)
  return join(ROOT, 'dist', 'catalog.cjs')
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
