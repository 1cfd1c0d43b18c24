/**
 * Mirror: who should hold copies of what, decided by each node alone from data, so that all nearly agree without asking each other. It counts
 * what is fetched and judges what peers report of that (demand), reads and keeps the records in which nodes volunteer (members), and plans what
 * to take and what to let go of (placement); docs/mirror.md has the rules. Pure: no clock, disk, network or randomness of its own. It does not
 * transfer, pin, serve, prove or send anything: releases, members, claims, proofs and fetches come in as data, and summaries, records and plans go out for
 * others to carry out.
 */
export { DEFAULT_HALF_LIFE_MS, DemandCounter, type Served } from './demand/counter.ts'
export { type Demand, demandFor, mostWanted, summarise } from './demand/demand.ts'
export { originOf } from './demand/origin.ts'
export { DemandReports, type Reporter, type SummaryVerdict } from './demand/reports.ts'
export { decodeCounts, encodeCounts, SALT_BYTES } from './demand/stored.ts'
export { type DemandSummary, decodeSummary, MAX_SUMMARY_BYTES, signSummary } from './demand/summary.ts'
export {
  capacityClassOf,
  decodeMember,
  decodeStoredMember,
  MAX_CAPACITY_CLASS,
  MAX_MEMBER_BYTES,
  type MemberRecord,
  type MemberStatement,
  signMember
} from './members/member.ts'
export {
  MAX_MEMBERS,
  MEMBER_LIFETIME_MS,
  MemberSet,
  type MemberVerdict,
  memberOrder
} from './members/member-set.ts'
export { FRESH_MS, PROOF_LIFETIME_MS } from './placement/claims.ts'
export { LEAST_ASKERS, whyNotEligible } from './placement/eligible.ts'
export { type HolderInput, type PlanInput, planMirror } from './placement/plan.ts'
export { MirrorPlanner, type PlannerOptions } from './placement/planner.ts'
export { rankMembers } from './placement/rank-members.ts'
export type { Member } from './placement/roster.ts'
export { PRIORITIES, type Priority } from './placement/strategies.ts'
export {
  type Action,
  CAUSES,
  type Candidate,
  type Cause,
  type Have,
  type HeldBack,
  type MirrorPolicy,
  type PeerState,
  type Plan,
  type StrategyName
} from './placement/types.ts'
export type { CidText } from './types.ts'
