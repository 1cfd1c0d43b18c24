import { SECOND_MS } from '../../../base/index.ts'
import type { Action, CidText, MirrorPlanner } from '../../../mirror/index.ts'
import type { Random } from '../random.ts'
import type { MirrorNode } from './node.ts'
import { RATE_BYTES_PER_MS } from './policy.ts'
import type { SimulatedRelease } from './releases.ts'
import type { Senses } from './senses.ts'
import type { MirrorWorld } from './world.ts'

/** A change is planned for so soon, so that what comes together is planned for together. */
const PLAN_DELAY_MS = SECOND_MS
const ROUND_TRIP_MS = 200
/** A transfer that failed is begun again after so long. */
const RETRY_MS = 30 * SECOND_MS

export interface RunnerModules {
  readonly world: MirrorWorld
  readonly node: MirrorNode
  readonly planner: MirrorPlanner
  readonly senses: Senses
  readonly random: Random
  /** Runs something later, unless the node has stopped by then. */
  readonly after: (delayMs: number, run: () => void) => void
}

/** Has a node's planner plan when there is reason to, and carries out what it says, in one life. */
export class Runner {
  readonly #modules: RunnerModules
  readonly #coming = new Set<CidText>()
  #isPlanning = false
  #wakeMs = Number.POSITIVE_INFINITY

  constructor(modules: RunnerModules) {
    this.#modules = modules
  }

  isComing(content: CidText): boolean {
    return this.#coming.has(content)
  }

  /** Whether it would do anything now. */
  get isIdle(): boolean {
    const { planner, world } = this.#modules
    return this.#coming.size === 0 && planner.plan(world.timeline.nowMs).actions.length === 0
  }

  planSoon(): void {
    if (this.#isPlanning) return
    this.#isPlanning = true
    this.#modules.after(PLAN_DELAY_MS, () => this.#plan())
  }

  #plan(): void {
    this.#isPlanning = false
    const { world, node, planner, senses } = this.#modules
    const unlooked = planner.unlooked(10_000)
    if (unlooked.length > 0) senses.lookUp(unlooked)
    const plan = planner.plan(world.timeline.nowMs)
    world.watch.planned(node, plan)
    for (const action of plan.actions) this.#do(action)
    if (node.policy.isDraining && plan.isSafeToLeave) world.leaveForGood(node)
    if (plan.nextMs !== undefined && plan.nextMs < this.#wakeMs) this.#wakeAt(plan.nextMs)
  }

  #wakeAt(atMs: number): void {
    const { world, after } = this.#modules
    this.#wakeMs = atMs
    after(Math.max(PLAN_DELAY_MS, atMs - world.timeline.nowMs), () => {
      if (this.#wakeMs === atMs) this.#wakeMs = Number.POSITIVE_INFINITY
      this.planSoon()
    })
  }

  #do(action: Action): void {
    const release = this.#modules.world.release(action.content.toString())
    if (!('cause' in action)) this.#ask(action, release)
    else if (action.kind === 'take') this.#take(release, action.cause)
    else this.#drop(release, action.cause)
  }

  #ask(action: Exclude<Action, { cause: unknown }>, release: SimulatedRelease): void {
    const { world, node, senses } = this.#modules
    const peer = action.kind === 'offer' ? action.peers[0] : action.peer
    const other = peer === undefined ? undefined : world.nodeOf(peer)
    if (other === undefined) return
    if (action.kind === 'prove') senses.challengeSoon(other, release.key)
    else if (world.reaches(node, other) && other.isHonest) other.learn(release, { isOffered: true })
  }

  #take(release: SimulatedRelease, cause: string): void {
    const { world, node, after } = this.#modules
    const { timeline, watch } = world
    const source = this.#source(release.key)
    if (source === undefined) {
      this.#wakeAt(timeline.nowMs + RETRY_MS)
      return
    }
    watch.took(node, release, cause)
    this.#coming.add(release.key)
    node.learn(release)
    after(ROUND_TRIP_MS + release.bytes / RATE_BYTES_PER_MS, () => {
      this.#coming.delete(release.key)
      if (world.reaches(node, source) && source.disk.has(release.key)) {
        node.store(release.key, 'mirror')
        watch.copied(release, cause)
        world.tellClaim(node, release.key)
      } else watch.figures.failedTransfers++
      node.learn(release)
    })
  }

  #source(content: CidText): MirrorNode | undefined {
    const { world, node, random } = this.#modules
    const sources = world.holdersOf(content).filter(other => other !== node && world.reaches(node, other))
    return sources.length === 0 ? undefined : random.pick(sources)
  }

  #drop(release: SimulatedRelease, cause: string): void {
    const { world, node } = this.#modules
    world.watch.dropped(node, release, cause)
    node.erase(release.key)
    node.learn(release)
    world.tellClaim(node, release.key)
  }
}
