/**
 * HalfSipHash-1-3 (Aumasson and Bernstein, 2012; the 32-bit variant of SipHash, with one round for each word and three at the end, as Linux
 * uses it for hash tables): 64 bits of key and a message of 64 bits become 32 bits. It is chosen for its speed with 32-bit integers, some
 * thirty nanoseconds where SHA-256 takes a thousand. Nothing here is secret: that it mixes well is enough, since who wants a
 * certain rank can try keys until one has it, whatever the hash.
 */

/** The last word of a message: its length in bytes, in the top byte. */
const LAST_WORD = 8 << 24

/** Words are little-endian halves of key and message, as 32-bit integers; the result is an unsigned one. */
export function halfSipHash(key0: number, key1: number, message0: number, message1: number): number {
  let v0 = key0
  let v1 = key1
  let v2 = 0x6c796765 ^ key0
  let v3 = 0x74656462 ^ key1
  for (let round = 0; round < 6; round++) {
    const word = round === 0 ? message0 : round === 1 ? message1 : round === 2 ? LAST_WORD : 0
    if (round === 3) v2 ^= 0xff
    v3 ^= word
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
    v0 ^= word
  }
  return (v1 ^ v3) >>> 0
}
