/**
 * What of a record stands in a sketch: 96 bits, the first 64 of its trieKey and the first 32 of its recHash. The former finds the
 * record again, the latter tells a newer record of the same key from the one before it.
 *
 * From them come, by mixing, 64 bits that choose its cells and 32 bits that check a cell. Both hashes are SHA-256, so the
 * bits of honest records are as good as random and mixing only has to keep them so. The choice takes the recHash in as well,
 * because two versions of one record would else share all their cells, one coming and one going, and could never be told
 * apart. It takes 64 bits, because two items with one choice never can: with 32 bits that happens to somebody at 10^5 records and
 * whoever wants it finds such a pair in a second; with 64 bits it does not happen, and looking for a pair takes 2^32 signed
 * records. That holds only if no half of the choice can be met on its own, so each half depends on all three words. Who
 * pays for such a pair has slowed a comparison down, not misled it: a sketch is a hint, and the root decides.
 */
import { WANT_KEY_BYTES } from '../../protocols/index.ts'

/** One record in a sketch; three words of 32 bits, as signed numbers. */
export interface SketchItem {
  /** Bytes 0 to 3 of the trieKey. */
  readonly keyHigh: number
  /** Bytes 4 to 7 of the trieKey. */
  readonly keyLow: number
  /** Bytes 0 to 3 of the recHash. */
  readonly hash: number
}

/** First words of pi's fraction: three starting points that nobody chose. */
const START = [0x243f6a88, 0x85a308d3, 0x13198a2e] as const

/** The item of a record with this trieKey and recHash. */
export const itemOf = (trieKey: Uint8Array, recHash: Uint8Array): SketchItem => ({
  keyHigh: wordAt(trieKey, 0),
  keyLow: wordAt(trieKey, 4),
  hash: wordAt(recHash, 0)
})

/** The 8 bytes of the trieKey that an item has. */
export function keyBytesOf({ keyHigh, keyLow }: SketchItem): Uint8Array {
  const bytes = Buffer.alloc(WANT_KEY_BYTES)
  bytes.writeInt32BE(keyHigh, 0)
  bytes.writeInt32BE(keyLow, 4)
  return bytes
}

/** The 32 bits that stand beside the sum of items in a cell: those of a sum of several are not the sum of theirs. */
export const checkOf = ({ keyHigh, keyLow, hash }: SketchItem): number =>
  mix(mix(mix(START[0] ^ keyLow) ^ hash) ^ keyHigh)

/** The two halves of what chooses an item's cells. */
export const choiceOf = ({ keyHigh, keyLow, hash }: SketchItem): [number, number] => [
  mix(mix(mix(START[1] ^ keyHigh) ^ keyLow) ^ hash),
  mix(mix(mix(START[2] ^ hash) ^ keyHigh) ^ keyLow)
]

/** Four bytes, the first one highest, as a signed number. */
const wordAt = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!

/** The finaliser of MurmurHash3: each bit of the result hangs on all bits of the word, and no two words have one result. */
function mix(word: number): number {
  let bits = word
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return bits ^ (bits >>> 16)
}
