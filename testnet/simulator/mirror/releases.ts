import type { CID } from 'multiformats/cid'
import type { Candidate, CidText } from '../../../mirror/index.ts'
import { contentOf } from '../publishers.ts'
import type { Random } from '../random.ts'

const MB = 1_000_000
/** Releases of one owner, on average. */
const OF_ONE_OWNER = 8

export interface SimulatedRelease {
  readonly key: CidText
  readonly candidate: Candidate
  readonly bytes: number
  readonly publishedMs: number
}

/** A release that every node may hold, follows, and has not; nobody has asked for it yet. */
export const exampleCandidate = (content: CID, over: Partial<Candidate> = {}): Candidate => ({
  name: 'package',
  version: '1.0.0',
  owner: 'owner',
  content,
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

export function makeRelease(seed: string, number: number, random: Random, nowMs: number): SimulatedRelease {
  const content = contentOf(`${seed} content ${number}`)
  const bytes = random.between(1, 10) * MB
  const candidate = exampleCandidate(content, {
    name: `package-${number}`,
    owner: `owner-${Math.floor(number / OF_ONE_OWNER)}`,
    bytes
  })
  return { key: content.toString(), candidate, bytes, publishedMs: nowMs }
}
