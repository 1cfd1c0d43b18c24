import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import type { Candidate, CidText } from '../../../mirror/index.ts'
import { sha256 } from '../../../trust/index.ts'
import type { Random } from '../random.ts'

const MB = 1_000_000
const RAW_CODE = 0x55
const SHA256_CODE = 0x12
/** Releases of one owner, on average. */
const OF_ONE_OWNER = 8

export interface SimulatedRelease {
  readonly key: CidText
  readonly candidate: Candidate
  readonly bytes: number
  readonly publishedMs: number
}

export function makeRelease(seed: string, number: number, random: Random, nowMs: number): SimulatedRelease {
  const digest = createDigest(SHA256_CODE, sha256(Buffer.from(`${seed} content ${number}`)))
  const content = CID.createV1(RAW_CODE, digest)
  const bytes = random.between(1, 10) * MB
  const candidate: Candidate = {
    name: `package-${number}`,
    version: '1.0.0',
    owner: `owner-${Math.floor(number / OF_ONE_OWNER)}`,
    content,
    bytes,
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
    availability: 0.9
  }
  return { key: content.toString(), candidate, bytes, publishedMs: nowMs }
}
