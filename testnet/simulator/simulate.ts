import { MINUTE_MS, SECOND_MS } from '../../base/index.ts'
import { SimulationFailure } from './failure.ts'
import type { Figures } from './figures.ts'
import type { MischiefKind } from './mischief.ts'
import type { Mode } from './node.ts'
import { differenceOf, expectSets, expectViews, isConverged, recordsOf } from './outcome.ts'
import { Steps } from './steps.ts'
import { Violation } from './violation.ts'
import { World } from './world.ts'

export interface SimulationOptions {
  readonly seed: string
  readonly nodes: number
  /** `join` unless given. */
  readonly mode?: Mode
  readonly steps: number
  /** Kinds of hostile nodes; all unless given, none with an empty list. */
  readonly hostile?: readonly MischiefKind[]
  /** Gets a line for everything that happens. */
  readonly print?: (line: string) => void
  /** Called after each step, and each virtual second until everybody has the same. */
  readonly onProgress?: (progress: Progress) => void
}

/** How far a simulation has come. */
export interface Progress {
  readonly step: number
  readonly virtualMs: number
  readonly nodes: number
  /** Different ones that were published. */
  readonly records: number
  /** Of honest nodes, that ended equal. */
  readonly sessions: number
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
  const { seed, nodes, steps, mode = 'join', hostile, print = () => undefined } = options
  const world = new World({ seed, nodes, mode, print, ...(hostile && { hostile }) })
  const { figures } = world.watch
  let step = 0
  const report = (): void =>
    options.onProgress?.({
      step,
      virtualMs: world.timeline.passedMs,
      nodes: world.nodes.length,
      records: world.verifier.size,
      sessions: figures.sessions.equal
    })
  try {
    for (let first = 0; first < Math.min(FIRST_NODES, nodes); first++) await world.join()
    const sequence = new Steps(world)
    while (step < steps) {
      await sequence.next()
      step++
      report()
    }
    await settle(world, report)
    await expectSets(world)
    expectViews(world)
    for (const node of world.nodes) {
      world.watch.copies.look(node)
      world.watch.secrets.expectNoTrace(node)
    }
    await expectNothingLeft(world)
  } catch (cause) {
    throw new SimulationFailure(cause, step, options, world.watch.lines)
  }
  const { length: size } = world.nodes
  return {
    ...figures,
    steps,
    honest: size,
    records: recordsOf(world.nodes[0]!),
    events: world.timeline.events
  }
}

/** Brings everybody back and waits until all honest nodes have one root. */
async function settle(world: World, onLook: () => void): Promise<void> {
  const { timeline, watch } = world
  watch.note('quiet: no more steps')
  world.calm()
  for (const node of world.nodes.filter(({ id }) => id >= world.size)) world.remove(node)
  for (const node of world.nodes) if (!node.isUp) await node.start()
  const startMs = timeline.nowMs
  while (!isConverged(world)) {
    if (timeline.nowMs - startMs > MAX_QUIET_MS)
      throw new Violation(
        `no one root after ${MAX_QUIET_MS / MINUTE_MS} minutes of quiet: ${differenceOf(world)}`
      )
    await timeline.run(timeline.nowMs + LOOK_MS)
    onLook()
  }
  watch.figures.convergedAfterMs = timeline.nowMs - startMs
  watch.figures.virtualMs = timeline.passedMs
}

/** Once nobody begins anything any more, all ends, and nothing is held. */
async function expectNothingLeft(world: World): Promise<void> {
  const { nodes, honest, network, timeline, watch } = world
  watch.isStill = true
  for (const node of nodes.filter(({ isHonest }) => !isHonest)) world.remove(node)
  await timeline.run(timeline.nowMs + STILL_MS)
  if (network.openStreams > 0) throw new Violation(`${network.openStreams} streams are left`)
  for (const { id, life, disk } of honest)
    if (life!.syncer.open > 0 || disk.openSnapshots > 0 || life!.gossip.waiting > 0)
      throw new Violation(
        `node ${id} has ${life!.syncer.open} sessions and ${disk.openSnapshots} snapshots left`
      )
}
