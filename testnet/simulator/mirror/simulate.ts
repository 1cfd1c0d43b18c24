import { HOUR_MS, MINUTE_MS } from '../../../base/index.ts'
import { SimulationFailure } from '../failure.ts'
import { Violation } from '../violation.ts'
import { type MirrorFigures, repairBytes } from './figures.ts'
import { expectPlaced, loadOf } from './outcome.ts'
import { MirrorSteps } from './steps.ts'
import { MirrorWorld } from './world.ts'

export interface MirrorSimulationOptions {
  readonly seed: string
  readonly nodes: number
  readonly steps: number
  /** Releases from the start; twice as many as nodes, and a thousand at most, unless given. */
  readonly releases?: number
  /** Whether some nodes break the rules; they do unless told otherwise. */
  readonly isHostile?: boolean
  /** Gets a line for everything that happens. */
  readonly print?: (line: string) => void
  /** Called after each step. */
  readonly onProgress?: (progress: MirrorProgress) => void
}

/** How far a simulation has come. */
export interface MirrorProgress {
  readonly step: number
  readonly virtualMs: number
  readonly plans: number
}

/** Until every release of the start has its copies. */
const WARM_UP_MS = 2 * HOUR_MS
const MOST_RELEASES = 1000
/** How long it may take, once nothing happens any more, until nobody has anything to do: demand of the last crowd decays for days. */
const MAX_QUIET_MS = 10 * 24 * HOUR_MS
/** So long nothing may have happened. */
const STILL_MS = 6 * HOUR_MS
/** Beyond what was lost: traffic of repair for bytes lost, and for so few that a ratio says nothing. */
const MOST_REPAIR = 1.3
const SMALL_BYTES = 60_000_000

/** Runs a simulation of mirroring to its end. Throws SimulationFailure. */
export async function simulateMirror(options: MirrorSimulationOptions): Promise<MirrorFigures> {
  const {
    seed,
    nodes,
    steps,
    releases = Math.min(2 * nodes, MOST_RELEASES),
    isHostile = true,
    print = () => undefined
  } = options
  const world = new MirrorWorld({ seed, isHostile, print })
  const { watch, timeline } = world
  let step = 0
  try {
    for (let at = 0; at < nodes; at++) world.join()
    await world.run(5 * MINUTE_MS)
    for (let at = 0; at < releases; at++) world.publish()
    await world.run(WARM_UP_MS)
    const sweep = (): void => {
      watch.sweep()
      timeline.after(MINUTE_MS, sweep)
    }
    sweep()
    const sequence = new MirrorSteps(world, nodes)
    for (; step < steps; step++) {
      await sequence.next()
      options.onProgress?.({ step, virtualMs: timeline.passedMs, plans: watch.figures.plans })
    }
    await settle(world)
    expectLittleTraffic(watch.figures)
    expectPlaced(world)
  } catch (cause) {
    throw new SimulationFailure(cause, step, options, watch.lines)
  }
  watch.countExtinct()
  return {
    ...watch.figures,
    steps,
    nodes: world.nodes.length,
    hostile: world.nodes.filter(node => !node.isHonest).length,
    releases: world.releases.length,
    events: timeline.events,
    virtualMs: timeline.passedMs,
    mostLoad: loadOf(world)
  }
}

/** Brings back who comes back, and waits until nobody has anything to do, for hours. */
async function settle(world: MirrorWorld): Promise<void> {
  const { timeline, watch } = world
  watch.note('quiet: no more steps')
  world.heal()
  for (const node of world.honest) {
    if (!node.isUp && !node.isGone) world.start(node)
    node.setPolicy({ quotaBytes: node.options.policy.quotaBytes })
  }
  const startMs = timeline.nowMs
  let idleSinceMs = startMs
  while (timeline.nowMs - idleSinceMs < STILL_MS) {
    if (timeline.nowMs - startMs > MAX_QUIET_MS)
      throw new Violation(`somebody has still something to do after ${MAX_QUIET_MS / HOUR_MS} hours of quiet`)
    await timeline.run(timeline.nowMs + 10 * MINUTE_MS)
    if (world.nodes.some(({ isIdle }) => !isIdle)) idleSinceMs = timeline.nowMs
  }
  watch.figures.quietAfterMs = idleSinceMs - startMs
}

function expectLittleTraffic(figures: MirrorFigures): void {
  const { lost } = figures
  const bytes = repairBytes(figures)
  if (bytes > MOST_REPAIR * lost.bytes + SMALL_BYTES)
    throw new Violation(`${bytes} bytes were copied for ${lost.bytes} that were lost`)
}
