import { SECOND_MS } from '../../base/index.ts'
import type { ReleaseRecord } from '../../library/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import type { Disk } from './disk.ts'
import { count } from './figures.ts'
import type { SimulatedNode } from './node.ts'
import { readRecord, type SetRecord } from './records.ts'
import { TEAM_WEIGHTS, type TeamStep, TeamSteps } from './team-steps.ts'
import type { World } from './world.ts'

/** What happens in the world, and how often beside the rest. */
const WEIGHTS = {
  publish: 40,
  publishMany: 3,
  revise: 6,
  say: 8,
  attest: 6,
  equivocate: 2,
  rival: 4,
  share: 4,
  remove: 4,
  join: 8,
  crash: 7,
  backUp: 5,
  restore: 3,
  rollBack: 3,
  copy: 1,
  partition: 2,
  heal: 4,
  weather: 4
}
type Step = keyof typeof WEIGHTS | TeamStep

const MAX_AWAY_MS = 60 * SECOND_MS
const MAX_BATCH_RECORDS = 60
/** How long a copy of a home runs beside the original. */
const COPY_MS = 30 * SECOND_MS
/** Of what is published. */
const KNOWN_SHARE = 0.2
/** Of the nodes, that publish what is shared, and of those, that let go of it within some seconds. */
const SHARE = 0.6
const SHARED_MS = 15 * SECOND_MS
/** After so many one node is looked at from top to bottom. */
const STEPS_PER_LOOK = 20
/** Parts of a network that is divided. */
const MAX_PARTS = 3

/** The steps of a simulation, one after the other, as its seed has them. */
export class Steps {
  readonly #world: World
  readonly #weights: Readonly<Record<string, number>>
  readonly #teams: TeamSteps
  #taken = 0
  readonly #backups = new Map<number, Disk>()

  constructor(world: World) {
    this.#world = world
    // Where all join one set there is no other one.
    this.#weights = world.mode === 'join' ? WEIGHTS : { ...WEIGHTS, ...TEAM_WEIGHTS }
    this.#teams = new TeamSteps(world)
  }

  /** Takes the next step and lets some time pass. */
  async next(): Promise<void> {
    const { random, timeline, watch } = this.#world
    const step = random.weighted(this.#weights) as Step
    count(watch.figures.taken, step)
    await this.#take(step)
    await timeline.run(timeline.nowMs + this.#pauseMs())
    watch.expectBounded()
    if (++this.#taken % STEPS_PER_LOOK === 0) this.#look(this.#taken / STEPS_PER_LOOK)
  }

  /** One node after the other: what no batch has touched must be as it was. */
  #look(turn: number): void {
    const { nodes, watch } = this.#world
    const node = nodes[turn % nodes.length]!
    if (node.isUp) watch.copies.look(node)
  }

  /** Mostly steps follow each other closely; now and then there is time for everything to settle. */
  #pauseMs(): number {
    const { random } = this.#world
    const kind = random.weighted({ short: 80, long: 17, rest: 3 })
    return random.below({ short: 200, long: 2000, rest: 20_000 }[kind])
  }

  async #take(step: Step): Promise<void> {
    const { random, watch } = this.#world
    switch (step) {
      case 'join':
        if (!this.#world.isComplete) await this.#world.join()
        return
      case 'partition':
        return this.#partition()
      case 'heal':
        watch.note('the network is whole')
        return this.#world.network.heal()
      case 'weather':
        return this.#changeWeather()
    }
    const up = this.#world.nodes.filter(({ isUp }) => isUp)
    if (up.length === 0) return
    const node = random.pick(up)
    switch (step) {
      case 'crash':
        return this.#crash(node)
      case 'backUp':
        watch.note(`node ${node.id} is backed up`)
        this.#backups.set(node.id, node.disk.copy())
        return
      case 'restore':
        return this.#restore(node, { isNoticed: true })
      case 'rollBack':
        return this.#restore(node, { isNoticed: false })
      case 'copy':
        return await this.#copy(node)
      case 'share':
        return this.#share(node, up)
      case 'remove':
        return this.#remove(node)
      case 'team':
      case 'ask':
      case 'sleep':
        return this.#teams.take(step, node)
      default:
        return this.#publish(node, this.#recordsFor(step, node))
    }
  }

  #publish(node: SimulatedNode, records: SetRecord[]): void {
    const { timeline, verifier } = this.#world
    for (const record of records) verifier.verify(record)
    if (records.length > 0) timeline.spawn(node.publish(records))
  }

  /** Only where each library is its writer's: in one that all join a record never goes. */
  #remove(node: SimulatedNode): void {
    const { watch, random, timeline } = this.#world
    if (node.options.mode === 'join') return
    const releases = [...watch.promisedBy(node).values()].filter(({ record }) => record.kind === 'release')
    if (releases.length > 0) timeline.spawn(node.remove(random.pick(releases)))
  }

  /** Several publish what one of them has. Later it goes from some libraries, one after the other, and stays in those of the rest. */
  #share(node: SimulatedNode, up: readonly SimulatedNode[]): void {
    const { random, timeline, mode } = this.#world
    const release = this.#someRelease(node)
    if (release === undefined || mode === 'join') return
    for (const sharer of up.filter(() => random.chance(SHARE))) {
      this.#publish(sharer, [readRecord(release.bytes)])
      if (random.chance(SHARE)) timeline.after(random.below(SHARED_MS), () => this.#letGo(sharer, release))
    }
  }

  /** Takes a release out of a library, or something newer into its place. */
  #letGo(node: SimulatedNode, release: ReleaseRecord): void {
    const { random, timeline, publishers, watch } = this.#world
    const shared = readRecord(release.bytes)
    const stands = watch.promisedBy(node).get(shared.key)
    if (!node.isUp || watch.isStill || stands === undefined || !bytesEqual(stands.recHash, shared.recHash))
      return
    const revision = random.chance(0.5) ? publishers.revision(release, node.now()) : undefined
    if (revision === undefined) timeline.spawn(node.remove(shared))
    else this.#publish(node, [revision])
  }

  #recordsFor(step: Step, node: SimulatedNode): SetRecord[] {
    const { random, publishers } = this.#world
    const nowMs = node.now()
    if (step === 'publish') {
      // One that another library has too: what goes from one of them must stay in the other.
      const known = random.chance(KNOWN_SHARE)
        ? this.#someRelease(random.pick(this.#world.honest))
        : undefined
      return [known === undefined ? publishers.release(nowMs) : readRecord(known.bytes)]
    }
    if (step === 'publishMany')
      return Array.from({ length: random.between(2, MAX_BATCH_RECORDS) }, () => publishers.release(nowMs))
    const release = this.#someRelease(node)
    if (release === undefined) return []
    const made = {
      revise: () => publishers.revision(release, nowMs),
      say: () => publishers.status(release, nowMs),
      attest: () => publishers.attestation(release, nowMs),
      equivocate: () => publishers.equivocation(release, nowMs),
      rival: () => publishers.rival(release)
    }[step as 'revise' | 'say' | 'attest' | 'equivocate' | 'rival']()
    return made === undefined ? [] : [made]
  }

  #someRelease(node: SimulatedNode): ReleaseRecord | undefined {
    const records = this.#world.watch.promisedBy(node)
    const { record } = this.#world.random.pick([...records.values(), undefined]) ?? {}
    return record?.kind === 'release' ? record : undefined
  }

  #crash(node: SimulatedNode): void {
    const { random } = this.#world
    this.#world.watch.note(`node ${node.id} crashes`)
    node.crash()
    this.#startLater(node, random.below(MAX_AWAY_MS))
  }

  #startLater(node: SimulatedNode, delayMs: number): void {
    const { timeline, nodes } = this.#world
    timeline.after(delayMs, () => {
      if (!node.isUp && nodes.includes(node)) timeline.spawn(node.start())
    })
  }

  /** A node gets the disk that it once had: in another place as a rule, or where it was, as a virtual machine does. */
  #restore(node: SimulatedNode, { isNoticed }: { isNoticed: boolean }): void {
    const { random, watch } = this.#world
    const backup = this.#backups.get(node.id)
    if (backup === undefined || !node.isHonest) return
    watch.note(`node ${node.id} is ${isNoticed ? 'restored from a backup' : 'rolled back'}`)
    node.crash()
    node.disk = backup.copy()
    if (isNoticed) node.place = `${node.place}'`
    watch.restored(node, { isNoticed })
    this.#startLater(node, random.below(MAX_AWAY_MS))
  }

  async #copy(node: SimulatedNode): Promise<void> {
    if (!node.isHonest) return
    const clone = await this.#world.clone(node)
    this.#world.timeline.after(COPY_MS, () => {
      if (this.#world.nodes.includes(clone)) this.#world.remove(clone)
    })
  }

  #partition(): void {
    const { random, network, nodes, watch } = this.#world
    const parts = random.between(2, MAX_PARTS)
    network.partition(new Map(nodes.map(({ id }) => [id, random.below(parts)])))
    watch.note(`the network falls into ${parts} parts`)
  }

  #changeWeather(): void {
    const { random, network, watch } = this.#world
    const isBad = random.chance(0.5)
    network.weather = {
      delayMs: random.between(1, 300),
      jitterMs: random.between(0, 1000),
      lossShare: isBad ? random.next() * 0.5 : 0,
      duplicateShare: isBad ? random.next() * 0.3 : 0,
      cutShare: isBad ? random.next() * 0.1 : 0
    }
    watch.note(`weather: ${JSON.stringify(network.weather)}`)
  }
}
