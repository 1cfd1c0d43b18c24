import { HOUR_MS, MIB, MINUTE_MS, SECOND_MS } from '../../../base/index.ts'
import type { CidText, DemandSummary, Member, MemberRecord } from '../../../mirror/index.ts'
import { keyOf } from '../publishers.ts'
import { Random } from '../random.ts'
import { Timeline } from '../timeline.ts'
import { newMirrorFigures } from './figures.ts'
import { Holdings } from './holdings.ts'
import { MIRROR_MISCHIEF, MirrorNode } from './node.ts'
import { POLICY } from './policy.ts'
import { makeRelease, type SimulatedRelease } from './releases.ts'
import { MirrorWatch } from './watch.ts'

/** 2026-01-01. */
const START_MS = 1_767_225_600_000
/** What happens is noticed by a part of all others at each of these times. */
const NOTICED_MS: readonly number[] = [5, 12, 20, 30].map(seconds => seconds * SECOND_MS)
const CLAIM_HEARD_MS: readonly number[] = [2, 5, 10, 20].map(seconds => seconds * SECOND_MS)
const RECORD_HEARD_MS: readonly number[] = [10, 30, 60, 120].map(seconds => seconds * SECOND_MS)
/** A split is known everywhere after so long, and that it is over. */
const SPLIT_KNOWN_MS = 15 * SECOND_MS
const HEAL_KNOWN_MS = 40 * SECOND_MS
/** Nodes that hear what another one serves. */
const NEIGHBOURS = 8
const HOSTILE_SHARE = 0.1
/** Of the nodes so many share a public network with others; the hostile ones have one between them. */
const CROWDED_SHARE = 0.1
const REGIONS: readonly string[] = ['eu/fra', 'eu/fra', 'eu/ams', 'us/east', 'us/east', 'asia/sin']

const LEAST_CLASS = 2
const LEAST_QUOTA_BYTES = 400 * MIB

export interface MirrorWorldOptions {
  readonly seed: string
  /** Whether some break the rules. */
  readonly isHostile: boolean
  readonly print: (line: string) => void
}

/** Nodes that mirror, and what connects them. */
export class MirrorWorld {
  readonly random: Random
  readonly timeline = new Timeline(START_MS)
  readonly watch: MirrorWatch
  readonly nodes: MirrorNode[] = []
  readonly holdings = new Holdings()
  readonly releases: SimulatedRelease[] = []
  readonly #byPeer = new Map<string, MirrorNode>()
  readonly #byKey = new Map<string, MirrorNode>()
  readonly #byContent = new Map<CidText, SimulatedRelease>()
  readonly #options: MirrorWorldOptions
  readonly #boasters: MirrorNode[] = []
  /** Ids of nodes on the one side of a split. */
  #side: ReadonlySet<number> | undefined
  /** Whether nodes know of a split. */
  isSplit = false
  wholeSinceMs = START_MS

  constructor(options: MirrorWorldOptions) {
    this.#options = options
    this.random = new Random(`mirror ${options.seed}`)
    this.watch = new MirrorWatch(newMirrorFigures(), this, options.print)
  }

  get honest(): MirrorNode[] {
    return this.nodes.filter(({ isHonest }) => isHonest)
  }

  get hasCut(): boolean {
    return this.#side !== undefined
  }

  release(content: CidText): SimulatedRelease {
    return this.#byContent.get(content)!
  }

  nodeOf(peer: string): MirrorNode | undefined {
    return this.#byPeer.get(peer)
  }

  memberOf({ node, region, capacityClass }: MemberRecord): Member {
    const { peer } = this.#byKey.get(Buffer.from(node).toString('hex'))!
    return { peer, key: node, region, capacityClass }
  }

  /** The newest of each node, of those that are gone too. */
  records(): MemberRecord[] {
    return this.nodes.flatMap(({ record }) => (record === undefined ? [] : [record]))
  }

  /** Those that have it on their disks, up or not. */
  holdersOf(content: CidText): MirrorNode[] {
    return [...this.holdings.of(content)]
  }

  /** Those that say that they have it. */
  claimantsOf(content: CidText): MirrorNode[] {
    return [...new Set([...this.holdings.of(content), ...this.#boasters])]
  }

  reaches(a: MirrorNode, b: MirrorNode): boolean {
    return a.isUp && b.isUp && (this.#side === undefined || this.#side.has(a.id) === this.#side.has(b.id))
  }

  /** A new node. The first three are honest. */
  join(): MirrorNode {
    const id = this.nodes.length
    const random = this.random.fork(`node ${id}`)
    const isHostile = this.#options.isHostile && id >= 3 && random.chance(HOSTILE_SHARE)
    const capacityClass = LEAST_CLASS + random.below(3)
    const network = isHostile
      ? 'evil'
      : random.chance(CROWDED_SHARE)
        ? `crowd ${random.below(5)}`
        : `network ${id}`
    const node = new MirrorNode(
      this,
      {
        id,
        key: keyOf(`${this.#options.seed} mirror ${id}`),
        network,
        region: random.pick(REGIONS),
        capacityClass,
        policy: { ...POLICY, quotaBytes: LEAST_QUOTA_BYTES * 2 ** (capacityClass - LEAST_CLASS) },
        ...(isHostile && { mischief: random.pick(MIRROR_MISCHIEF) })
      },
      random
    )
    this.nodes.push(node)
    if (node.isBoaster) this.#boasters.push(node)
    this.#byPeer.set(node.peer, node)
    this.#byKey.set(Buffer.from(node.options.key.publicKey).toString('hex'), node)
    this.watch.note(`node ${id} joins${node.isHonest ? '' : ` as ${node.options.mischief}`}`)
    this.start(node)
    return node
  }

  start(node: MirrorNode): void {
    node.start()
    this.#afterwards(NOTICED_MS, other => other.notice(node))
  }

  /** It is away, and comes back after a while; without one it is gone with its disk. */
  stop(node: MirrorNode, awayMs: number | undefined): void {
    this.watch.note(
      `node ${node.id} is ${awayMs === undefined ? 'gone for good' : `away for ${Math.round(awayMs / MINUTE_MS)} minutes`}`
    )
    this.watch.left(node, awayMs)
    node.stop()
    this.#afterwards(NOTICED_MS, other => other.notice(node))
    if (awayMs === undefined) {
      node.isGone = true
      for (const content of [...node.disk.keys()]) node.erase(content)
    } else
      this.timeline.after(awayMs, () => {
        if (!node.isUp && !node.isGone) this.start(node)
      })
  }

  /** A node that has handed over what only it had. */
  leaveForGood(node: MirrorNode): void {
    if (node.isGone) return
    node.sign({ lifetimeMs: 1 })
    this.watch.drained(node)
    this.stop(node, undefined)
  }

  publish(): SimulatedRelease {
    const number = this.releases.length
    const release = makeRelease(this.#options.seed, number, this.random, this.timeline.nowMs)
    this.releases.push(release)
    this.#byContent.set(release.key, release)
    const publisher = this.random.pick(this.honest.filter(({ isUp }) => isUp))
    publisher.store(release.key, 'own')
    for (const node of this.nodes)
      if (node.options.mischief === 'half-boaster' && this.random.chance(0.5)) node.store(release.key, 'own')
    publisher.learn(release)
    this.#afterwards(RECORD_HEARD_MS, other => other.learn(release))
    this.watch.note(`node ${publisher.id} publishes ${release.candidate.name}`)
    return release
  }

  /** Two sides that do not reach each other. */
  split(): void {
    this.#side = new Set(this.nodes.filter(() => this.random.chance(0.4)).map(({ id }) => id))
    this.watch.note('the network falls apart')
    this.#all(NOTICED_MS)
    this.timeline.after(SPLIT_KNOWN_MS, () => this.#know(true))
  }

  heal(): void {
    if (this.#side === undefined) return
    this.#side = undefined
    this.watch.note('the network is whole')
    this.#all(NOTICED_MS)
    this.timeline.after(HEAL_KNOWN_MS, () => this.#know(false))
  }

  tellRecord(node: MirrorNode, record: MemberRecord): void {
    node.hearRecord(record)
    this.#afterwards(RECORD_HEARD_MS, other => other.hearRecord(record))
  }

  tellClaim(node: MirrorNode, content: CidText): void {
    this.#afterwards(CLAIM_HEARD_MS, other => other.hear(node, content))
  }

  /** To its neighbours; whoever asks for a proof gets it with that. */
  tellSummary(node: MirrorNode, summary: DemandSummary): void {
    const count = Math.min(NEIGHBOURS, this.nodes.length)
    for (let at = 1; at <= count; at++) {
      const other = this.nodes[(node.id + at * at) % this.nodes.length]!
      if (other !== node && this.reaches(node, other)) this.hand(node, summary, other)
    }
  }

  hand(node: MirrorNode, summary: DemandSummary, to: MirrorNode): void {
    const { key, network } = node.options
    to.reports.take(summary, { node: key.publicKey, network, standing: 1 }, this.timeline.nowMs)
  }

  /** Lets time pass, an hour at most at once. */
  async run(ms: number): Promise<void> {
    for (let leftMs = ms; leftMs > 0; leftMs -= HOUR_MS)
      await this.timeline.run(this.timeline.nowMs + Math.min(leftMs, HOUR_MS))
  }

  #know(isSplit: boolean): void {
    if (isSplit !== this.hasCut) return
    this.isSplit = isSplit
    if (!isSplit) this.wholeSinceMs = this.timeline.nowMs
    for (const node of this.nodes) node.setPolicy({})
  }

  #all(delaysMs: readonly number[]): void {
    this.#afterwards(delaysMs, node => {
      for (const other of this.nodes) node.notice(other)
    })
  }

  /** A part of all honest nodes at each of some times. */
  #afterwards(delaysMs: readonly number[], run: (node: MirrorNode) => void): void {
    for (const [part, delayMs] of delaysMs.entries())
      this.timeline.after(delayMs, () => {
        for (const node of this.nodes)
          if (node.id % delaysMs.length === part && node.isUp && node.isHonest) run(node)
      })
  }
}
