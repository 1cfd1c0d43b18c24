import { HOUR_MS } from '../../../base/index.ts'
import {
  type Action,
  type Candidate,
  MirrorPlanner,
  type MirrorPolicy,
  type PeerState
} from '../../../mirror/index.ts'
import { contentWords } from '../../../mirror/placement/cost.ts'
import { Roster } from '../../../mirror/placement/roster.ts'
import { HALVES, spreadOut } from '../../../mirror/placement/spread.ts'
import { candidateOf, contentOf, memberOf, membersOf, NOW_MS, POLICY, PRESENT } from './support.ts'

export const MEMBERS = membersOf(12)
export const roster = new Roster()
for (const member of MEMBERS) roster.set(member)

/** A content for which m0 has some rank, with the members in their order. */
export function contentAt(rank: number): { text: string; order: string[]; costs: string[] } {
  for (let at = 0; ; at++) {
    const words = contentWords(contentOf(`x${at}`))
    const costs = roster.first(words, 12).map(({ peer }) => peer)
    const order = spreadOut(roster.first(words, 12), 6, HALVES).map(({ peer }) => peer)
    // Where both orders are alike there is nothing to mix up.
    if (order[rank] === 'm0' && costs.slice(0, 6).join() === order.join())
      return { text: `x${at}`, order, costs }
  }
}

/** A planner of m0 with one content. */
export class One {
  readonly planner: MirrorPlanner
  readonly order: string[]
  readonly text: string
  #candidate: Candidate
  policy: MirrorPolicy

  constructor(
    rank: number,
    over: Partial<Candidate> = {},
    policy: Partial<MirrorPolicy> = {},
    network?: string
  ) {
    const { text, order } = contentAt(rank)
    this.policy = { ...POLICY, ...policy }
    this.order = order
    this.text = text
    this.#candidate = candidateOf(text, over)
    this.planner = new MirrorPlanner({ self: memberOf(0), network, policy: this.policy })
    this.planner.setMembers('all', MEMBERS)
    this.planner.setRelease(this.#candidate, NOW_MS)
    this.planner.setKnown(this.key, NOW_MS)
  }

  get key(): string {
    return this.#candidate.content.toString()
  }

  set(over: Partial<Candidate>, nowMs = NOW_MS): void {
    this.#candidate = { ...this.#candidate, ...over }
    this.planner.setRelease(this.#candidate, nowMs)
  }

  /** Those that stand at these places hold it, proven so long ago. */
  hold(
    places: number[],
    state: (place: number) => PeerState = () => PRESENT,
    agoMs = 0,
    sinceMs = 50 * HOUR_MS
  ): void {
    for (const place of places) {
      const peer = this.order[place]!
      this.planner.setPeer(peer, state(place))
      this.planner.prove(this.key, peer, NOW_MS - sinceMs)
      this.planner.prove(this.key, peer, NOW_MS - agoMs)
    }
  }

  what(nowMs = NOW_MS): string[] {
    return this.planner.plan(nowMs).actions.map(describeAction)
  }
}
export const describeAction = (action: Action): string =>
  'cause' in action
    ? `${action.kind}: ${action.cause}`
    : `${action.kind} ${action.kind === 'offer' ? action.peers.join(' ') : action.peer}`
