import { placementFault } from '../../mirror-invariants.ts'
import { Violation } from '../violation.ts'
import type { MirrorNode } from './node.ts'
import { POLICY } from './policy.ts'
import { rankedMembers } from './ranking.ts'
import { sites } from './watch.ts'
import type { MirrorWorld } from './world.ts'

/** Beyond what its part allows: so many standard deviations of what chance scatters. */
const SCATTER = 5
const MOST_LOAD = 2

/** Once it is quiet every release is where it should be, and nowhere for nothing. */
export function expectPlaced(world: MirrorWorld): void {
  for (const release of world.releases) {
    const holders = world.holdersOf(release.key)
    if (holders.length === 0) continue
    const ranked = rankedMembers(world, release, POLICY)
    const should = ranked.slice(0, POLICY.target).filter(node => isWilling(node, release.key))
    for (const node of should)
      if (!node.disk.has(release.key))
        throw new Violation(`node ${node.id} has not ${release.candidate.name}, which it should hold`)
    const copies = holders.filter(({ isUp }) => isUp)
    const fault = placementFault(
      {
        name: release.candidate.name,
        sites: sites(copies),
        mirrors: copies.filter(({ disk }) => disk.get(release.key) === 'mirror').length,
        able: sites(ranked.filter(node => isWilling(node, release.key)))
      },
      POLICY
    )
    if (fault !== undefined) throw new Violation(fault)
  }
}

const isWilling = ({ isHonest, isUp, blocked, policy }: MirrorNode, content: string): boolean =>
  isHonest && isUp && !blocked.has(content) && !policy.isDraining

/** The largest load of an honest node as a multiple of what its class is of all classes; throws for one that is more than twice that. */
export function loadOf(world: MirrorWorld): number {
  const members = world.nodes.filter(({ isUp }) => isUp)
  const weightOf = ({ capacityClass }: MirrorNode): number => 2 ** capacityClass
  const weight = members.reduce((sum, node) => sum + weightOf(node), 0)
  const copies = POLICY.target * world.releases.length
  let most = 0
  for (const node of members.filter(({ isHonest }) => isHonest)) {
    const held = [...node.disk.values()].filter(how => how === 'mirror').length
    const even = (copies * weightOf(node)) / weight
    most = Math.max(most, held / even)
    if (held > MOST_LOAD * even + SCATTER * Math.sqrt(MOST_LOAD * even))
      throw new Violation(`node ${node.id} holds ${held} copies, where its part is ${even.toFixed(1)}`)
  }
  return most
}
