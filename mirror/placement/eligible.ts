import type { Accept, Candidate } from './types.ts'

/** Peers that must have asked for what nobody here follows or pinned: one alone could fill the disks of all. */
export const LEAST_ASKERS = 2

/** Why this node is not to hold a release, or undefined when it may. Blocks come first: they beat everything. */
export function whyNotEligible(candidate: Candidate, accept: Accept): string | undefined {
  if (candidate.isBlocked) return 'it is blocked here'
  if (!candidate.isReader) return 'this node may not read its library'
  if (candidate.isPinned) return undefined
  if (!isAccepted(candidate, accept)) return `mirror.accept is "${accept}"`
  if (candidate.isFollowed || candidate.demand.askers >= LEAST_ASKERS) return undefined
  return 'nobody here follows or pinned it, and fewer than two peers asked for it'
}

function isAccepted({ isFollowed, isListed }: Candidate, accept: Accept): boolean {
  if (accept === 'network') return true
  return accept === 'followed' ? isFollowed : isListed
}
