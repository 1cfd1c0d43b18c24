import { MINUTE_MS, SECOND_MS } from '../../base/index.ts'
import { buildTree, rootOf } from '../../sync/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import type { Figures } from './figures.ts'
import type { MischiefKind } from './mischief.ts'
import type { SimulatedNode } from './node.ts'
import { hex, nameOf, type SetRecord } from './records.ts'
import { Steps } from './steps.ts'
import { viewsOf } from './views.ts'
import { Violation } from './watch.ts'
import { World } from './world.ts'

export interface SimulationOptions {
  readonly seed: string
  readonly nodes: number
  readonly steps: number
  /** Kinds of hostile nodes; all unless given, none with an empty list. */
  readonly hostile?: readonly MischiefKind[]
  /** Gets a line for everything that happens. */
  readonly print?: (line: string) => void
}

/** A simulation in which something was wrong: the same options show it again. */
export class SimulationFailure extends Error {
  override readonly name = 'SimulationFailure'
  readonly options: SimulationOptions
  /** The last things to happen. */
  readonly lines: readonly string[]

  constructor(cause: unknown, step: number, options: SimulationOptions, lines: readonly string[]) {
    const what = cause instanceof Error ? cause.message : String(cause)
    super(`seed ${options.seed}, step ${step} of ${options.steps}, ${options.nodes} nodes: ${what}`, {
      cause
    })
    this.options = options
    this.lines = lines
  }
}

/** Nodes that there are from the start. */
const FIRST_NODES = 3
/** How long it may take, in a network that is whole, until all nodes have one root: some backed off for minutes. */
const MAX_QUIET_MS = 30 * MINUTE_MS
/** Longer than any time-out. */
const STILL_MS = 2 * MINUTE_MS
const LOOK_MS = SECOND_MS

/** Runs a simulation to its end. Throws SimulationFailure. */
export async function simulate(options: SimulationOptions): Promise<Figures> {
  const { seed, nodes, steps, hostile, print = () => undefined } = options
  const world = new World({ seed, nodes, print, ...(hostile && { hostile }) })
  const { figures } = world.watch
  let step = 0
  try {
    for (let first = 0; first < Math.min(FIRST_NODES, nodes); first++) await world.join()
    const sequence = new Steps(world)
    for (; step < steps; step++) await sequence.next()
    await settle(world)
    await expectOneSet(world)
    expectOneView(world)
    await expectNothingLeft(world)
  } catch (cause) {
    throw new SimulationFailure(cause, step, options, world.watch.lines)
  }
  const { length: size } = world.nodes
  return {
    ...figures,
    steps,
    honest: size,
    records: homeOf(world.nodes[0]!).count,
    events: world.timeline.events
  }
}

/** Brings everybody back and waits until all honest nodes have one root. */
async function settle(world: World): Promise<void> {
  const { timeline, watch } = world
  watch.note('quiet: no more steps')
  world.calm()
  for (const node of world.nodes.filter(({ id }) => id >= world.size)) world.remove(node)
  for (const node of world.nodes) if (!node.isUp) await node.start()
  const startMs = timeline.nowMs
  while (!isConverged(world)) {
    if (timeline.nowMs - startMs > MAX_QUIET_MS)
      throw new Violation(`no one root after ${MAX_QUIET_MS / MINUTE_MS} minutes of quiet: ${rootsOf(world)}`)
    await timeline.run(timeline.nowMs + LOOK_MS)
  }
  watch.figures.convergedAfterMs = timeline.nowMs - startMs
  watch.figures.virtualMs = timeline.passedMs
}

const homeOf = (node: SimulatedNode) => node.life!.home

const isConverged = ({ honest }: World): boolean =>
  honest.every(node => bytesEqual(homeOf(node).root, homeOf(honest[0]!).root))

function rootsOf({ honest }: World): string {
  return honest
    .map(node => `${node.id}: ${hex(homeOf(node).root).slice(0, 8)} (${homeOf(node).count})`)
    .join(', ')
}

/** Everything that was promised is there, and nothing that nobody signed. */
async function expectOneSet({ honest, verifier, watch }: World): Promise<void> {
  for (const node of honest) {
    const home = homeOf(node)
    const records = home.records()
    if (!bytesEqual(await rootOfRecords(records), home.root))
      throw new Violation(`node ${node.id} has a tree that is not that of its records`)
    for (const { recHash } of records)
      if (!verifier.knows(recHash)) throw new Violation(`node ${node.id} has a record that nobody verified`)
  }
  // Of all sets, which are equal by now, one is enough.
  for (const node of honest)
    for (const record of watch.promisedBy(node).values())
      if (!homeOf(honest[0]!).holds(record))
        throw new Violation(`a record that node ${node.id} had committed is lost: ${nameOf(record)}`)
}

/** By building the tree at once, which is not how it came to be. */
async function rootOfRecords(records: readonly SetRecord[]): Promise<Uint8Array> {
  async function* entries(): AsyncGenerator<Buffer> {
    yield Buffer.concat(records.flatMap(({ trieKey, recHash }) => [trieKey, recHash]))
  }
  return rootOf(await buildTree(entries(), async () => undefined))
}

function expectOneView({ honest, publishers, random }: World): void {
  const views = new Set(
    honest.map(node => viewsOf(homeOf(node).records(), publishers.weights, random.fork(`view ${node.id}`)))
  )
  if (views.size !== 1) throw new Violation('nodes with the same set and policy see different views')
}

/** Once nobody begins anything any more, all ends, and nothing is held. */
async function expectNothingLeft(world: World): Promise<void> {
  const { nodes, honest, network, timeline, watch } = world
  watch.isStill = true
  for (const node of nodes.filter(({ isHonest }) => !isHonest)) world.remove(node)
  await timeline.run(timeline.nowMs + STILL_MS)
  if (network.openStreams > 0) throw new Violation(`${network.openStreams} streams are left`)
  for (const { id, life, disk } of honest)
    if (life!.sessions.open > 0 || disk.openSnapshots > 0 || life!.gossip.waiting > 0)
      throw new Violation(
        `node ${id} has ${life!.sessions.open} sessions and ${disk.openSnapshots} snapshots left`
      )
}
