import type { CidText } from '../types.ts'
import { MirrorPlanner, type PlannerOptions } from './planner.ts'
import type { Member } from './roster.ts'
import type { Candidate, PeerState, Plan } from './types.ts'

/** What is known of one peer's copy of one content. */
export interface HolderInput {
  readonly content: CidText
  readonly peer: string
  readonly state: PeerState
  /** When it first and last proved it; undefined when it never did. */
  readonly sinceMs?: number
  readonly provenMs?: number
}

export interface PlanInput extends PlannerOptions {
  readonly releases: Iterable<Candidate>
  readonly holders: Iterable<HolderInput>
  /** By pool. */
  readonly members: ReadonlyMap<string, readonly Member[]>
  /** Since when it is known who holds what. */
  readonly knownSinceMs: number
}

/** The plan that follows from data, made from nothing: what a planner that has seen them come one by one would say. */
export function planMirror(input: PlanInput, nowMs: number): Plan {
  const planner = new MirrorPlanner(input)
  for (const [pool, members] of input.members) planner.setMembers(pool, members)
  for (const release of input.releases) {
    planner.setRelease(release, nowMs)
    planner.setKnown(release.content.toString(), input.knownSinceMs)
  }
  for (const { content, peer, state, sinceMs, provenMs } of input.holders) {
    planner.setPeer(peer, state)
    planner.claim(content, peer, nowMs)
    if (sinceMs !== undefined) planner.prove(content, peer, sinceMs)
    if (provenMs !== undefined) planner.prove(content, peer, provenMs)
  }
  return planner.plan(nowMs)
}
