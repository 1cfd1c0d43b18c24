import { type MirrorPolicy, rankMembers } from '../../../mirror/index.ts'
import type { MirrorNode } from './node.ts'
import type { SimulatedRelease } from './releases.ts'
import type { MirrorWorld } from './world.ts'

/** Nodes in the order of their ranks for a release, as somebody would see it who knew all member records at once. */
export function rankedMembers(
  world: MirrorWorld,
  { candidate }: SimulatedRelease,
  policy: MirrorPolicy
): MirrorNode[] {
  const { nowMs } = world.timeline
  const members = world
    .records()
    .filter(({ expires }) => expires > nowMs)
    .map(record => world.memberOf(record))
  return rankMembers(members, candidate.content, policy).map(peer => world.nodeOf(peer)!)
}
