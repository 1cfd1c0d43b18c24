import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import { HOUR_MS, MINUTE_MS } from '../../../base/index.ts'
import type { Candidate, Member, MirrorPolicy } from '../../../mirror/index.ts'
import { sha256 } from '../../../trust/index.ts'

export const NOW_MS = 1_767_225_600_000
export const GRACE_MS = 15 * MINUTE_MS
export const MB = 1_000_000

export const hashOf = (text: string): Uint8Array => sha256(Buffer.from(text))
export const contentOf = (text: string): CID => CID.createV1(0x55, createDigest(0x12, hashOf(text)))

export const memberOf = (number: number, over: Partial<Member> = {}): Member => ({
  peer: `m${number}`,
  key: hashOf(`member ${number}`),
  region: `r${number % 3}`,
  capacityClass: 3,
  ...over
})
export const membersOf = (count: number): Member[] =>
  Array.from({ length: count }, (_, number) => memberOf(number))

export const POLICY: MirrorPolicy = {
  min: 2,
  target: 3,
  max: 6,
  graceMs: GRACE_MS,
  quotaBytes: 0,
  repairBudgetBytes: 1000 * MB,
  accept: 'network',
  strategy: 'popularity',
  isFrozen: false,
  isDraining: false
}

export const candidateOf = (text: string, over: Partial<Candidate> = {}): Candidate => ({
  name: text,
  version: '1.0.0',
  owner: 'owner',
  content: contentOf(text),
  bytes: MB,
  pool: 'all',
  have: 'nothing',
  isReader: true,
  isBlocked: false,
  isFollowed: true,
  isListed: false,
  isPinned: false,
  isOffered: false,
  demand: { count: 0, askers: 0 },
  priority: 'normal',
  availability: 0.95,
  ...over
})

/** Up for long. */
export const PRESENT = { presentSinceMs: NOW_MS - 100 * HOUR_MS }
