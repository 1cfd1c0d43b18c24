import type { CID } from 'multiformats/cid'
import { contentWords } from './cost.ts'
import { CANDIDATES } from './own-rank.ts'
import { type Member, Roster } from './roster.ts'
import { SPREAD_WINDOW, spreadOut } from './spread.ts'
import { spreadFor } from './strategies.ts'
import type { MirrorPolicy } from './types.ts'

/** The candidates of a content in the order of their ranks, as a node sees it that knows these members: for a person who asks why. */
export function rankMembers(members: Iterable<Member>, content: CID, policy: MirrorPolicy): string[] {
  const roster = new Roster()
  for (const member of members) roster.set(member)
  const inOrder = roster.first(contentWords(content), CANDIDATES)
  const spread = spreadOut(inOrder.slice(0, SPREAD_WINDOW * policy.max), policy.max, spreadFor(policy))
  return [...spread, ...inOrder.filter(member => !spread.includes(member))].map(({ peer }) => peer)
}
