import { MINUTE_MS, SECOND_MS } from '../../../base/index.ts'
import type { CidText, Plan } from '../../../mirror/index.ts'
import { type HeldCopy, takeFault } from '../../mirror-invariants.ts'
import { count } from '../figures.ts'
import { Violation } from '../violation.ts'
import type { MirrorFigures } from './figures.ts'
import type { MirrorNode } from './node.ts'
import { POLICY, RATE_BYTES_PER_MS } from './policy.ts'
import { rankedMembers } from './ranking.ts'
import type { SimulatedRelease } from './releases.ts'
import type { MirrorWorld } from './world.ts'

/** The lines that a failure shows. */
const MAX_LINES = 40
/** Until everybody has noticed that one is away. */
const UNNOTICED_MS = 31 * SECOND_MS
/** Noticing, asking, planning, and two attempts at a transfer, beyond grace and transfer themselves. */
const SLACK_MS = 8 * MINUTE_MS
/** A release is placed for the first time in the hour after it is published. */
const FIRST_MS = 60 * MINUTE_MS

/** Sees everything, and throws `Violation` in the moment in which something must not be. */
export class MirrorWatch {
  readonly figures: MirrorFigures
  readonly #world: MirrorWorld
  readonly #print: (line: string) => void
  readonly #lines: string[] = []
  readonly #shortSinceMs = new Map<CidText, number>()
  /** Who could take a release that is short, since when it has been able to, and its last rank meanwhile: members change, and not all know at once. */
  readonly #able = new Map<CidText, Map<number, { sinceMs: number; rank: number }>>()
  /** When a holder last let go of something because it had to. */
  readonly #forcedMs = new Map<CidText, number>()
  /** What many have really asked for. */
  readonly #wanted = new Set<CidText>()

  constructor(figures: MirrorFigures, world: MirrorWorld, print: (line: string) => void) {
    this.figures = figures
    this.#world = world
    this.#print = print
  }

  get lines(): readonly string[] {
    return this.#lines
  }

  note(line: string): void {
    const text = `${(this.#world.timeline.passedMs / MINUTE_MS).toFixed(1)} min: ${line}`
    this.#print(text)
    this.#lines.push(text)
    if (this.#lines.length > MAX_LINES) this.#lines.shift()
  }

  planned(node: MirrorNode, { usedBytes }: Plan): void {
    this.figures.plans++
    if (usedBytes > Math.max(node.policy.quotaBytes, node.usedBytes))
      throw new Violation(`node ${node.id} is to hold ${usedBytes} bytes, more than its quota`)
    for (const content of node.blocked) if (node.disk.has(content)) this.#expectDropping(node, content)
  }

  challenged(isPassed: boolean): void {
    this.figures.proofs[isPassed ? 'passed' : 'failed']++
  }

  took(node: MirrorNode, release: SimulatedRelease, cause: string): void {
    this.note(`node ${node.id} takes ${release.candidate.name} (${cause})`)
    if (cause === 'demand' && !this.#wanted.has(release.key))
      throw new Violation(`node ${node.id} takes ${release.candidate.name} because of what liars say`)
    if (this.#world.isSplit) throw new Violation(`node ${node.id} takes something in a network that is split`)
    const fault = takeFault(
      {
        name: `node ${node.id}`,
        quotaBytes: node.policy.quotaBytes,
        copies: this.#mirroredAt(node).map(copyOf),
        blocked: node.blocked
      },
      copyOf(release)
    )
    if (fault !== undefined) throw new Violation(fault)
  }

  #mirroredAt({ disk }: MirrorNode): SimulatedRelease[] {
    return [...disk].filter(([, how]) => how === 'mirror').map(([content]) => this.#world.release(content))
  }

  wanted(release: SimulatedRelease): void {
    this.note(`everybody wants ${release.candidate.name}`)
    this.#wanted.add(release.key)
  }

  copied(release: SimulatedRelease, cause: string): void {
    const kind = cause === 'rank' ? this.#kindOf(release) : cause
    const sum = this.figures.copies[kind] ?? { count: 0, bytes: 0 }
    this.figures.copies[kind] = { count: sum.count + 1, bytes: sum.bytes + release.bytes }
  }

  dropped(node: MirrorNode, release: SimulatedRelease, cause: string): void {
    const { nowMs } = this.#world.timeline
    this.note(`node ${node.id} drops ${release.candidate.name} (${cause})`)
    count(this.figures.dropped, cause)
    if (cause === 'blocked') {
      this.#forcedMs.set(release.key, nowMs)
      return
    }
    const least = cause === 'evicted' ? node.policy.min : node.policy.target
    const left = this.#copies(release.key, other => this.#isNoticedAsUp(other)).filter(
      other => other !== node
    )
    const isForced = nowMs - (this.#forcedMs.get(release.key) ?? 0) < UNNOTICED_MS
    if (sites(left) < least - (isForced ? 1 : 0))
      throw new Violation(
        `node ${node.id} drops ${release.candidate.name} (${cause}) of which ${left.length} copies are left: ${left.map(({ id }) => id).join(', ')}`
      )
  }

  /** A node goes: what it has counts as lost when it is away for longer than the grace. */
  left(node: MirrorNode, awayMs: number | undefined): void {
    if (awayMs !== undefined && awayMs <= node.policy.graceMs) return
    for (const content of node.disk.keys()) {
      this.figures.lost.copies++
      this.figures.lost.bytes += this.#world.release(content).bytes
    }
  }

  drained(node: MirrorNode): void {
    this.note(`node ${node.id} has handed over and leaves`)
    for (const content of node.disk.keys()) {
      const left = this.#copies(content, other => this.#isNoticedAsUp(other)).filter(other => other !== node)
      if (sites(left) < node.policy.min)
        throw new Violation(
          `node ${node.id} leaves with ${this.#world.release(content).candidate.name}, of which copies are at ${left.map(({ id }) => id).join(', ')}`
        )
    }
  }

  /** Looks at every release: whether there are too few copies, and for how long there may be. */
  sweep(): void {
    for (const release of this.#world.releases) this.#sweepOne(release)
  }

  #sweepOne(release: SimulatedRelease): void {
    const { timeline, wholeSinceMs, hasCut, isSplit } = this.#world
    const { nowMs } = timeline
    const { min } = POLICY
    const there = this.#copies(release.key, other => other.isUp)
    const isPlaced = nowMs - release.publishedMs > FIRST_MS
    if (sites(there) >= min || !isPlaced || hasCut || isSplit || nowMs < wholeSinceMs + 2 * MINUTE_MS) {
      this.#enough(release.key)
      return
    }
    const sinceMs = this.#shortSinceMs.get(release.key) ?? nowMs
    if (sinceMs === nowMs) {
      this.#shortSinceMs.set(release.key, nowMs)
      this.#able.set(release.key, new Map())
      this.figures.short.times++
    }
    this.figures.short.longestMs = Math.max(this.figures.short.longestMs, nowMs - sinceMs)
    this.#expectRepair(release, there)
  }

  #enough(content: CidText): void {
    this.#shortSinceMs.delete(content)
    this.#able.delete(content)
  }

  /** Whoever could have taken it all the time since it is short, has begun to by the time that its rank gives it. */
  #expectRepair(release: SimulatedRelease, there: readonly MirrorNode[]): void {
    const { nowMs } = this.#world.timeline
    const able = this.#able.get(release.key)!
    const hasSource = this.#world.holdersOf(release.key).some(({ isUp }) => isUp)
    for (const [rankNow, node] of rankedMembers(this.#world, release, POLICY).entries()) {
      if (!hasSource || !this.#isAble(node, release, there)) able.delete(node.id)
      else {
        const known = able.get(node.id) ?? { sinceMs: nowMs, rank: rankNow }
        able.set(node.id, { sinceMs: known.sinceMs, rank: Math.max(known.rank, rankNow) })
      }
      const since = able.get(node.id)
      if (since === undefined) continue
      const { sinceMs, rank } = since
      const { graceMs, target } = node.policy
      const transferMs = release.bytes / RATE_BYTES_PER_MS
      const allowedMs = graceMs * Math.max(1, rank - target + 1) + transferMs + SLACK_MS
      if (nowMs - sinceMs > allowedMs)
        throw new Violation(
          `${release.candidate.name} has ${there.length} copies for ${Math.round((nowMs - sinceMs) / MINUTE_MS)} minutes, and node ${node.id} at rank ${rank} has not taken it`
        )
    }
  }

  #isAble(node: MirrorNode, release: SimulatedRelease, there: readonly MirrorNode[]): boolean {
    const { quotaBytes, isDraining } = node.policy
    const isNew = this.#world.timeline.nowMs - node.upSinceMs < SLACK_MS
    const isTwin = there.some(other => other.options.network === node.options.network)
    // With room for several beside it: owners' shares and what is on its way are not looked at.
    const hasRoom = node.usedBytes + 5 * release.bytes < quotaBytes / 2
    return (
      node.isHonest &&
      node.isUp &&
      !isNew &&
      !isDraining &&
      !isTwin &&
      hasRoom &&
      !node.blocked.has(release.key) &&
      !node.disk.has(release.key)
    )
  }

  #expectDropping(node: MirrorNode, content: CidText): void {
    const { actions } = node.planner!.plan(this.#world.timeline.nowMs)
    if (!actions.some(action => action.kind === 'drop' && action.content.toString() === content))
      throw new Violation(`node ${node.id} keeps what it blocks`)
  }

  /** Whole copies at members, whoever they are: what a liar really has counts too. */
  #copies(content: CidText, isThere: (node: MirrorNode) => boolean): MirrorNode[] {
    const { timeline } = this.#world
    return this.#world
      .holdersOf(content)
      .filter(node => isThere(node) && node.record !== undefined && node.record.expires > timeline.nowMs)
  }

  #isNoticedAsUp({ isUp, downSinceMs }: MirrorNode): boolean {
    return isUp || this.#world.timeline.nowMs - downSinceMs < UNNOTICED_MS
  }

  /** What a copy by rank is for: the first ones, those in place of others, or those of members that came. */
  #kindOf(release: SimulatedRelease): string {
    const { nowMs } = this.#world.timeline
    if (nowMs - release.publishedMs < FIRST_MS) return 'first'
    const { graceMs, target } = POLICY
    const left = this.#copies(
      release.key,
      ({ isUp, isGone, downSinceMs }) => !isGone && (isUp || nowMs - downSinceMs < graceMs)
    )
    return left.length <= target ? 'replaced' : 'moved'
  }

  /** Releases that nobody has any more. */
  countExtinct(): void {
    this.figures.extinct = this.#world.releases.filter(
      ({ key }) => this.#world.holdersOf(key).length === 0
    ).length
  }
}

const copyOf = ({ key, bytes, candidate }: SimulatedRelease): HeldCopy => ({
  content: key,
  owner: candidate.owner,
  bytes
})

/** How many networks copies are in. */
export const sites = (nodes: readonly MirrorNode[]): number =>
  new Set(nodes.map(({ peer, options }) => options.network ?? peer)).size
