/**
 * Answers to the groups of a descent, as bytes. An answer has no length of its own: who reads it knows the group.
 *
 *   to a list of n      n bits, rounded up to bytes: the records that are wanted
 *   to 16 subtrees      16 bits: those that differ
 *   to 256 and 4,096    how many differ, as varint; then, of fewer than a sixteenth, the distance of each from the one before (the first
 *                       from -1), less 1, as varints; of more, a bit for each
 *
 * The lowest bit of a byte comes first; bits behind the last one are 0.
 */
import { varint } from 'multiformats'
import { CatalogError } from '../../base/index.ts'
import type { GroupShape } from '../../protocols/index.ts'

const BITS = 8
/** An index in a group has two bytes at most, and so has their number. */
const MAX_VARINT_BYTES = 2
/** Below this share a list of indices is shorter than the bits. */
const SPARSE_BELOW = 1 / 16

/** The bits of `indices`, rising, among `size`. */
export function bitsOf(indices: readonly number[], size: number): Uint8Array {
  const bits = new Uint8Array(Math.ceil(size / BITS))
  for (const index of indices) bits[index >> 3]! |= 1 << (index & 7)
  return bits
}

export const hasBit = (bits: Uint8Array, index: number): boolean =>
  (bits[index >> 3]! & (1 << (index & 7))) !== 0

/** The answer to a group: `indices` rise. */
export function encodeAnswer({ step, size }: GroupShape, indices: readonly number[]): Uint8Array {
  if (step <= 1) return bitsOf(indices, size)
  if (indices.length >= size * SPARSE_BELOW)
    return Buffer.concat([number(indices.length), bitsOf(indices, size)])
  const gaps = indices.map((index, at) => number(index - (indices[at - 1] ?? -1) - 1))
  return Buffer.concat([number(indices.length), ...gaps])
}

function number(value: number): Uint8Array {
  return varint.encodeTo(value, new Uint8Array(varint.encodingLength(value)))
}

/** Reads answers one after the other. Throws PROTOCOL_VIOLATION for what no answer is. */
export class AnswerReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.byteLength
  }

  /** The indices in the answer to a group of this shape, rising. */
  answer({ step, size }: GroupShape): number[] {
    if (step <= 1) return this.#bits(size)
    const count = this.#number()
    if (count > size) throw refused(`${count} of ${size} subtrees`)
    const indices = count >= size * SPARSE_BELOW ? this.#bits(size) : this.#gaps(count, size)
    if (indices.length !== count) throw refused(`${indices.length} subtrees instead of ${count}`)
    return indices
  }

  #bits(size: number): number[] {
    const end = this.#at + Math.ceil(size / BITS)
    if (end > this.#bytes.byteLength) throw refused('an answer that is cut off')
    const bits = this.#bytes.subarray(this.#at, end)
    this.#at = end
    const indices: number[] = []
    for (let index = 0; index < bits.byteLength * BITS; index++) if (hasBit(bits, index)) indices.push(index)
    if ((indices.at(-1) ?? 0) >= Math.max(size, 1)) throw refused('bits behind the last one')
    return indices
  }

  #gaps(count: number, size: number): number[] {
    const indices: number[] = []
    let last = -1
    for (let at = 0; at < count; at++) {
      last += this.#number() + 1
      if (last >= size) throw refused(`subtree ${last} of ${size}`)
      indices.push(last)
    }
    return indices
  }

  #number(): number {
    try {
      const [value, length] = varint.decode(this.#bytes.subarray(0, this.#at + MAX_VARINT_BYTES), this.#at)
      this.#at += length
      return value
    } catch (cause) {
      throw new CatalogError('PROTOCOL_VIOLATION', 'sync descend: an answer that is no varint', { cause })
    }
  }
}

function refused(what: string): CatalogError {
  return new CatalogError('PROTOCOL_VIOLATION', `sync descend: ${what}`)
}
