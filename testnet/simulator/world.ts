import { MINUTE_MS } from '../../base/index.ts'
import { Disk } from './disk.ts'
import { newFigures } from './figures.ts'
import { MISCHIEF_KINDS, type MischiefKind, mischiefOf } from './mischief.ts'
import { FAIR, Network } from './network.ts'
import { type Mode, type NodeOptions, SimulatedNode } from './node.ts'
import { keyOf, Publishers } from './publishers.ts'
import { Random } from './random.ts'
import { Verifier } from './records.ts'
import { Timeline } from './timeline.ts'
import { Watch } from './watch.ts'

/** 2026-01-01. */
const START_MS = 1_767_225_600_000
/** Clocks of nodes differ by twice that at most, which is less than the ten minutes that are put up with. */
const MAX_SKEW_MS = 4 * MINUTE_MS
/** Nodes that each node knows at least, where there are so many. */
const DEGREE = 5
/** Of the nodes so many break the rules. */
const HOSTILE_SHARE = 0.25

export interface WorldOptions {
  readonly seed: string
  readonly nodes: number
  readonly mode: Mode
  /** Only these; all kinds otherwise. */
  readonly hostile?: readonly MischiefKind[]
  readonly print: (line: string) => void
}

/** Nodes, what connects them, and who watches them. */
export class World {
  readonly random: Random
  readonly timeline = new Timeline(START_MS)
  readonly network: Network
  readonly verifier = new Verifier()
  readonly publishers: Publishers
  readonly watch: Watch
  /** Those that have joined, clones included. */
  readonly nodes: SimulatedNode[] = []
  /** By id; connections are mutual. */
  readonly #neighbours = new Map<number, readonly SimulatedNode[]>()
  readonly #options: WorldOptions
  #created = 0
  #copies = 0

  constructor(options: WorldOptions) {
    this.#options = options
    this.random = new Random(options.seed)
    this.network = new Network({ timeline: this.timeline, random: this.random.fork('network') })
    this.publishers = new Publishers(this.random.fork('publishers'))
    this.watch = new Watch(newFigures(this.network.counts), {
      passedMs: () => this.timeline.passedMs,
      nodes: () => this.nodes,
      verifier: this.verifier,
      print: options.print
    })
  }

  /** Ids from here on are those of copies. */
  get size(): number {
    return this.#options.nodes
  }

  get mode(): Mode {
    return this.#options.mode
  }

  /** Those that a node knows, copies of homes included. */
  readonly neighboursOf = ({ id }: SimulatedNode): readonly SimulatedNode[] => this.#neighbours.get(id)!

  get honest(): SimulatedNode[] {
    return this.nodes.filter(({ isHonest }) => isHonest)
  }

  /** Whether all nodes that there will be have joined. */
  get isComplete(): boolean {
    return this.#created >= this.#options.nodes
  }

  /** A new node with an empty disk, connected to some of the others. The first two are honest. */
  async join(): Promise<SimulatedNode> {
    const id = this.#created++
    const isHostile = id >= 2 && this.#options.hostile?.length !== 0 && this.random.chance(HOSTILE_SHARE)
    const kind = isHostile ? this.random.pick(this.#options.hostile ?? MISCHIEF_KINDS) : undefined
    const node = this.#create(
      {
        id,
        mode: this.#options.mode,
        key: keyOf(`${this.#options.seed} node ${id}`),
        place: `home ${id}`,
        skewMs: this.random.between(-MAX_SKEW_MS, MAX_SKEW_MS),
        ...(kind && { mischief: mischiefOf(kind) })
      },
      new Disk()
    )
    // An honest one among them, or those behind a hostile one would be cut off for good.
    const near = this.random.shuffled(this.nodes).slice(0, DEGREE)
    const honest = this.honest
    for (const other of near) this.#connect(node, other)
    if (honest.length > 0) this.#connect(node, this.random.pick(honest))
    this.nodes.push(node)
    if (isHostile) this.watch.figures.hostile++
    this.watch.note(`node ${id} joins${kind ? ` as ${kind}` : ''}`)
    await node.start()
    return node
  }

  /** A copy of a home, with the same key, beside the original. */
  async clone(original: SimulatedNode): Promise<SimulatedNode> {
    const id = this.#options.nodes + this.#copies++
    const clone = this.#create({ ...original.options, id, place: `copy ${id}` }, original.disk.copy())
    for (const other of this.#neighbours.get(original.id)!) this.#connect(clone, other)
    this.nodes.push(clone)
    this.watch.note(`node ${original.id} is copied as ${id}`)
    this.watch.cloned()
    await clone.start()
    return clone
  }

  remove(node: SimulatedNode): void {
    node.crash()
    this.nodes.splice(this.nodes.indexOf(node), 1)
    for (const [id, near] of this.#neighbours)
      this.#neighbours.set(
        id,
        near.filter(other => other !== node)
      )
    this.watch.note(`node ${node.id} is no more`)
  }

  calm(): void {
    this.network.heal()
    this.network.weather = FAIR
  }

  #create(options: NodeOptions, disk: Disk): SimulatedNode {
    const { timeline, network, verifier, watch } = this
    this.#neighbours.set(options.id, [])
    const random = this.random.fork(`node ${options.id}`)
    const node = new SimulatedNode(
      { timeline, network, verifier, watch, random, neighbours: () => this.#neighbours.get(options.id)! },
      options,
      disk
    )
    network.add(node)
    return node
  }

  #connect(a: SimulatedNode, b: SimulatedNode): void {
    for (const [{ id }, other] of [
      [a, b],
      [b, a]
    ] as const) {
      const near = this.#neighbours.get(id)!
      if (!near.includes(other)) this.#neighbours.set(id, [...near, other])
    }
  }
}
