import { HOUR_MS } from '../../../base/index.ts'
import type { Candidate, Member, MirrorPolicy } from '../../../mirror/index.ts'
import { POLICY as EXAMPLE_POLICY } from '../../../testnet/simulator/mirror/policy.ts'
import { exampleCandidate } from '../../../testnet/simulator/mirror/releases.ts'
import { contentOf } from '../../../testnet/simulator/publishers.ts'
import { sha256 } from '../../../trust/index.ts'

export { contentOf }

export const NOW_MS = 1_767_225_600_000
export const { graceMs: GRACE_MS } = EXAMPLE_POLICY
export const MB = 1_000_000

export const hashOf = (text: string): Uint8Array => sha256(Buffer.from(text))

export const memberOf = (number: number, over: Partial<Member> = {}): Member => ({
  peer: `m${number}`,
  key: hashOf(`member ${number}`),
  region: `r${number % 3}`,
  capacityClass: 3,
  ...over
})
export const membersOf = (count: number): Member[] =>
  Array.from({ length: count }, (_, number) => memberOf(number))

export const POLICY: MirrorPolicy = { ...EXAMPLE_POLICY, quotaBytes: 0, repairBudgetBytes: 1000 * MB }

export const candidateOf = (text: string, over: Partial<Candidate> = {}): Candidate =>
  exampleCandidate(contentOf(text), { name: text, ...over })

/** Up for long. */
export const PRESENT = { presentSinceMs: NOW_MS - 100 * HOUR_MS }
