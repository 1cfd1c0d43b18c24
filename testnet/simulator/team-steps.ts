/** What happens around closed libraries: nodes make them, publish in them, let others in and shut them out, and everybody asks for them. */
import { DAY_MS } from '../../base/index.ts'
import { teamIdOf } from './libraries.ts'
import type { SimulatedNode } from './node.ts'
import { hex, type SetRecord } from './records.ts'
import type { World } from './world.ts'

/** How often beside the rest. */
export const TEAM_WEIGHTS = { team: 20, ask: 12, sleep: 3 }
export type TeamStep = keyof typeof TEAM_WEIGHTS

/** Of the neighbours, that a new library is for. */
const MEMBER_SHARE = 0.4
/** Of the changes, that are of a library that there is already: so that some have a history. */
const AGAIN_SHARE = 0.7
/** Of the questions, that are for what does not exist. */
const NOTHING_SHARE = 0.2
/** Longer than an access list holds, now and then. */
const MAX_SLEEP_DAYS = 5

export class TeamSteps {
  readonly #world: World

  constructor(world: World) {
    this.#world = world
  }

  take(step: TeamStep, node: SimulatedNode): void {
    if (step === 'sleep') this.#sleep()
    else if (step === 'ask') this.#ask(node)
    else this.#change(this.#writerOr(node))
  }

  /** Everybody sleeps for days: heads and lists grow old, and some run out. */
  #sleep(): void {
    const { random, timeline, watch } = this.#world
    const days = random.between(1, MAX_SLEEP_DAYS)
    timeline.skip(days * DAY_MS)
    watch.note(`everybody sleeps for ${days} days`)
  }

  /** Somebody asks somebody for a closed library, or for one that does not exist. */
  #ask(node: SimulatedNode): void {
    const { random, timeline, watch } = this.#world
    const holders = node.modules.neighbours().filter(({ isUp }) => isUp)
    const writers = watch.secrets.writers.filter(writer => writer !== node.writer)
    if (holders.length === 0) return
    const isNothing = writers.length === 0 || random.chance(NOTHING_SHARE)
    const writer = isNothing ? random.bytes(32) : Buffer.from(random.pick(writers), 'hex')
    timeline.spawn(node.ask(random.pick(holders), writer))
  }

  /** Some node that has a closed library, or another one. */
  #writerOr(node: SimulatedNode): SimulatedNode {
    const { random, nodes, watch } = this.#world
    const writers = nodes.filter(({ isUp, writer }) => isUp && watch.secrets.writers.includes(writer))
    return writers.length > 0 && random.chance(AGAIN_SHARE) ? random.pick(writers) : node
  }

  #change(node: SimulatedNode): void {
    const { random, timeline } = this.#world
    // A copy of a home leaves the library to the original.
    if (!node.isHonest || node.id >= this.#world.size) return
    const near = node.modules.neighbours().filter(({ isHonest, id }) => isHonest && id < this.#world.size)
    if (near.length === 0) return
    const team = node.life!.home.team()
    if (team === undefined) {
      timeline.spawn(node.makeTeam(near.filter(() => random.chance(MEMBER_SHARE))))
      return
    }
    const kind = random.weighted({ publish: 60, grant: 20, revoke: 20 })
    if (kind === 'publish') this.#publish(node)
    else {
      const members = new Set(team.list.members.map(hex))
      const others = near.filter(({ writer }) => members.has(writer) === (kind === 'revoke'))
      if (others.length > 0) timeline.spawn(node.changeTeam(random.pick(others), kind))
    }
  }

  #publish(node: SimulatedNode): void {
    const { watch, verifier, timeline } = this.#world
    const record = this.#recordFor(node)
    if (record === undefined || node.life!.home.hasKey(record)) return
    verifier.verify(record)
    watch.secrets.publishes(node, record)
    timeline.spawn(node.publishInTeam(record))
  }

  /** Something new, newer words of what others have for everybody, or a word on what is in the library. */
  #recordFor(node: SimulatedNode): SetRecord | undefined {
    const { random, publishers, watch, honest } = this.#world
    const kind = random.weighted({ release: 50, revise: 35, say: 15 })
    if (kind === 'release') return publishers.release(node.now())
    const from =
      kind === 'say'
        ? watch.secrets.recordsOf(node.writer)
        : [...watch.promisedBy(random.pick(honest)).values()]
    const { record } = random.pick([...from, undefined]) ?? {}
    if (record?.kind !== 'release') return undefined
    const made = { revise: 'revision', say: 'status' } as const
    return publishers[made[kind]](record, node.now())
  }
}

/** Whether all that are on the list of a closed library have it as its node has: those that have not, by name. */
export function membersWithout({ honest, size }: World): string[] {
  return honest.flatMap(writer => {
    const team = writer.id < size ? writer.life!.home.team() : undefined
    if (team === undefined) return []
    const members = new Set(team.list.members.map(hex))
    return honest
      .filter(node => members.has(node.writer))
      .filter(node => {
        const root = node.life!.home.copyOf(teamIdOf(writer.options.key.publicKey))?.root
        return root === undefined || hex(root) !== hex(team.root)
      })
      .map(node => `node ${node.id} has not what is in the closed library of ${writer.id}`)
  })
}
