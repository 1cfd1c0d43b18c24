/**
 * Which bytes of a content are looked at, and what a holder answers of them.
 *
 * Who challenges draws a nonce. From it follow 16 numbers below the size of the content, each as likely as any other, and each is a byte:
 * it stands for the chunk that it is in, so a chunk is met as often as it is large. The holder cannot know them before it has the
 * nonce, and cannot choose: one that has a share p of the bytes has all 16 with a probability of p^16.
 *
 * What it answers of a chunk is a hash over the nonce, who asks, who answers, and the chunk. So an answer fits no other challenge and no
 * other pair of nodes: who passes a challenge on to a node that has the bytes gets digests that are of no use to it, and must fetch
 * the chunks themselves. That it does not do that, nothing can show.
 *
 * Of a content whose files have no bytes (none, links, folders) the bytes are those of the pages of its manifest.
 */
import { domainPrefix, sha256 } from '../../trust/index.ts'
import { SAMPLES } from './limits.ts'

const OFFSET_PREFIX = domainPrefix('possession-offset')
const DIGEST_PREFIX = domainPrefix('possession')

/** The samples of a nonce in a content of so many bytes, at least 1. */
export function sampleOffsets(nonce: Uint8Array, sizeBytes: number): number[] {
  return Array.from({ length: SAMPLES }, (_, index) => {
    const drawn = Buffer.from(sha256(OFFSET_PREFIX, nonce, Uint8Array.of(index))).readBigUInt64BE()
    // Of 2^64 numbers for at most 2^53 bytes: none is likelier than another by more than 1 in 2,048.
    return Number(drawn % BigInt(sizeBytes))
  })
}

/** One challenge: two nodes, by the multihashes of their peer ids, and the nonce of the first. */
export interface Challenge {
  readonly nonce: Uint8Array
  readonly challenger: Uint8Array
  readonly holder: Uint8Array
}

/** What the holder answers of one block. */
export function possessionDigest({ nonce, challenger, holder }: Challenge, block: Uint8Array): Uint8Array {
  return sha256(DIGEST_PREFIX, nonce, sha256(challenger), sha256(holder), block)
}
