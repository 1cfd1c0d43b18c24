import { HOUR_MS, MINUTE_MS } from '../../../base/index.ts'
import { signSummary } from '../../../mirror/index.ts'
import { count } from '../figures.ts'
import type { Random } from '../random.ts'
import type { MirrorNode } from './node.ts'
import { POLICY } from './policy.ts'
import type { MirrorWorld } from './world.ts'

/** What happens in the world, and how often beside the rest. */
const WEIGHTS = {
  leave: 60,
  join: 4,
  publish: 8,
  flashCrowd: 4,
  lie: 4,
  split: 1,
  fill: 3,
  empty: 3,
  block: 3,
  reclass: 2,
  drain: 2
}
type Step = keyof typeof WEIGHTS
const LEAVE_SHARE = WEIGHTS.leave / Object.values(WEIGHTS).reduce((sum, weight) => sum + weight, 0)
/** Of all nodes, that go in an hour. */
const CHURN = 0.1

/** How nodes go: most to come back soon. */
const ABSENCES = { reboot: 70, hours: 25, good: 5 }
/** A split is healed after so long at most. */
const MAX_SPLIT_MS = 2 * HOUR_MS
const CROWD = 60

/** The steps of a simulation, one after the other, as its seed has them. */
export class MirrorSteps {
  readonly #world: MirrorWorld
  readonly #random: Random
  /** Nodes that there should be. */
  readonly #size: number

  constructor(world: MirrorWorld, size: number) {
    this.#world = world
    this.#size = size
    this.#random = world.random.fork('steps')
  }

  /** Takes a step, then lets so much time pass that a tenth of all nodes goes in an hour. */
  async next(): Promise<void> {
    const step = this.#random.weighted(WEIGHTS)
    count(this.#world.watch.figures.taken, step)
    this.#take(step)
    const meanMs = (HOUR_MS * LEAVE_SHARE) / (CHURN * this.#size)
    await this.#world.run(Math.ceil(2 * meanMs * this.#random.next()))
  }

  #take(step: Step): void {
    const { nodes, honest } = this.#world
    const there = honest.filter(({ isUp, policy }) => isUp && !policy.isDraining)
    if (there.length < 3) return
    const node = this.#random.pick(there)
    if (step === 'leave') this.#leave()
    if (step === 'join' && nodes.filter(({ isGone }) => !isGone).length < this.#size) this.#world.join()
    if (step === 'publish') this.#world.publish()
    if (step === 'flashCrowd') this.#flashCrowd()
    if (step === 'lie') this.#lie()
    if (step === 'split') this.#split()
    if (step === 'fill') this.#fill(node)
    if (step === 'empty') node.setPolicy({ quotaBytes: node.options.policy.quotaBytes })
    if (step === 'block') this.#block(node)
    if (step === 'reclass') node.reclass(2 + this.#random.below(3))
    if (step === 'drain' && there.length > this.#size / 2) this.#drain(node)
  }

  #leave(): void {
    const there = this.#world.nodes.filter(({ isUp, policy }) => isUp && !policy.isDraining)
    const kind = this.#random.weighted(ABSENCES)
    const awayMs =
      kind === 'reboot' ? this.#random.between(1, 10) * MINUTE_MS : this.#random.between(30, 300) * MINUTE_MS
    // Somebody is left who has what only it has: the first nodes stay, as publishers do that care.
    const node = this.#random.pick(there)
    this.#world.stop(node, kind === 'good' && node.id >= 3 ? undefined : awayMs)
  }

  /** Many users, each from a network of its own, within minutes. */
  #flashCrowd(): void {
    const release = this.#random.pick(this.#world.releases)
    this.#world.watch.wanted(release)
    const holders = this.#world.holdersOf(release.key).filter(({ isUp, isHonest }) => isUp && isHonest)
    if (holders.length === 0) return
    for (let user = 0; user < CROWD; user++)
      this.#random.pick(holders).serve(release, `users ${this.#random.below(1e9)}`)
  }

  /** Hostile nodes say everywhere that a few releases are wanted more than anything. */
  #lie(): void {
    const { nodes, releases, timeline } = this.#world
    const lied = this.#random.shuffled(releases).slice(0, 20)
    for (const liar of nodes.filter(({ options, isUp }) => options.mischief === 'promoter' && isUp)) {
      const counts = lied.map(({ candidate }) => ({ content: candidate.content, count: 1e6 }))
      const summary = signSummary(counts, timeline.nowMs, liar.options.key)
      for (const node of nodes) if (node.isUp && node.isHonest) this.#world.hand(liar, summary, node)
    }
  }

  #split(): void {
    if (this.#world.hasCut || this.#world.isSplit) return
    this.#world.split()
    this.#world.timeline.after(this.#random.below(MAX_SPLIT_MS) + MINUTE_MS, () => this.#world.heal())
  }

  /** Half of what it holds is all that it has room for. */
  #fill(node: MirrorNode): void {
    this.#world.watch.note(`the disk of node ${node.id} is full`)
    node.setPolicy({ quotaBytes: Math.max(1, Math.floor(node.usedBytes / 2)) })
  }

  #block(node: MirrorNode): void {
    const release = this.#random.pick(this.#world.releases)
    this.#world.watch.note(`node ${node.id} blocks ${release.candidate.name}`)
    node.blocked.add(release.key)
    node.learn(release)
  }

  #drain(node: MirrorNode): void {
    if (node.id < 3) return
    this.#world.watch.note(`node ${node.id} drains`)
    node.setPolicy({ isDraining: true })
    node.sign({ lifetimeMs: POLICY.graceMs })
  }
}
