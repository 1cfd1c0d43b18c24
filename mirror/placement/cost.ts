/**
 * Weighted rendezvous hashing (Thaler and Ravishankar 1998; weights after Schindelhauer and Schomaker 2005), in integers.
 *
 * For each content every member draws a number by hashing itself with the content, and the members in the order of their numbers are
 * the ones that should hold it. Whoever knows the same members gets the same order without asking anybody, and when one
 * member comes or goes, only the contents that it stood first for move.
 *
 * Members differ in what they can hold. Read the hash h of 32 bits as u = (h + 1) / 2^32 in (0, 1]. Then -log2(u) is exponentially
 * distributed, and of several such numbers, each divided by a weight, the smallest one belongs to a member exactly as often as its weight is a
 * part of all weights. So the *cost* of a member for a content is -log2(u) / weight, and the lowest cost stands first. The weight is 2^class.
 *
 * All nodes must come to the same order, and the last bits of a floating point logarithm differ between machines. So everything is whole
 * numbers: -log2(u) has 32 binary places and is read from a table of 1,025 logarithms, with a straight line between two of them; the
 * table is made by squaring, digit by digit. Dividing by 2^class is multiplying by 2^(15 - class). All of it stays below 2^53, where a
 * number of JavaScript is an exact integer. The line is off by less than 2^-20, and never changes which of two hashes has the lower cost.
 * Equal costs are ordered by the bytes of the key.
 */
import type { CID } from 'multiformats/cid'
import { domainPrefix, sha256 } from '../../trust/index.ts'
import { MAX_CAPACITY_CLASS } from '../members/member.ts'
import { halfSipHash } from './half-sip-hash.ts'

const CONTENT_PREFIX = domainPrefix('placement-content')
const MEMBER_PREFIX = domainPrefix('placement-member')

/** 64 bits that stand for a content or a member, as two 32-bit words. */
export interface Words {
  readonly low: number
  readonly high: number
}

/** A step of the table is 2^-10 of a mantissa. */
const STEP_BITS = 10
const STEPS = 2 ** STEP_BITS
/** Bits of a mantissa below a step, without its leading one. */
const REST_BITS = 31 - STEP_BITS
const ONE = 2 ** 32

/** floor(log2(1 + step / 1024) * 2^32): squaring doubles a logarithm, and a square of 2 or more is its next binary digit. */
function logarithm(step: number): number {
  const places = 60n
  let rest = (BigInt(STEPS + step) << places) / BigInt(STEPS)
  let digits = 0
  for (let place = 0; place < 32; place++) {
    rest = (rest * rest) >> places
    const digit = rest >> (places + 1n) > 0n ? 1 : 0
    if (digit === 1) rest >>= 1n
    digits = digits * 2 + digit
  }
  return digits
}

/** Made when it is first needed, in some milliseconds: a node that does not mirror never needs it. */
let table: Float64Array | undefined
const logarithms = (): Float64Array => {
  table ??= Float64Array.from({ length: STEPS + 1 }, (_, step) => (step === STEPS ? ONE : logarithm(step)))
  return table
}

/** -log2((hash + 1) / 2^32) * 2^32, for a hash of 32 bits. */
export function exponential(hash: number): number {
  if (hash === ONE - 1) return 0
  const value = hash + 1
  const exponent = 31 - Math.clz32(value)
  const mantissa = (value << (31 - exponent)) >>> 0
  const step = (mantissa >>> REST_BITS) & (STEPS - 1)
  const rest = mantissa & (2 ** REST_BITS - 1)
  const table = logarithms()
  const low = table[step]!
  const fraction = low + Math.floor(((table[step + 1]! - low) * rest) / 2 ** REST_BITS)
  return (32 - exponent) * ONE - fraction
}

/** What a cost is multiplied by, instead of being divided by the weight. */
export const scaleOf = (capacityClass: number): number => 2 ** (MAX_CAPACITY_CLASS - capacityClass)

/** `scale`: of the member's class. */
export const costOf = (member: Words, scale: number, content: Words): number =>
  exponential(halfSipHash(member.low, member.high, content.low, content.high)) * scale

export const contentWords = (content: CID): Words => wordsOf(sha256(CONTENT_PREFIX, content.bytes))
/** `key`: the node's public key, which its peer id is made of. */
export const memberWords = (key: Uint8Array): Words => wordsOf(sha256(MEMBER_PREFIX, key))

function wordsOf(hash: Uint8Array): Words {
  const view = new DataView(hash.buffer, hash.byteOffset)
  return { low: view.getInt32(0, true), high: view.getInt32(4, true) }
}
