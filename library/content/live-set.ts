/**
 * A set of block ids that never forgets one, in bounded memory: Bloom filters, each with twice the room of the one
 * before. It may say that it has an id it was never given, in about one of a thousand cases. For garbage collection that is
 * the right kind of mistake: what is needed is always found, and a little of what is not stays until the next
 * collection, whose filters are salted differently. Sixteen million blocks (1 TB) take 32 MiB; a map of their ids would
 * take ten times that. Beyond its limit it only grows less exact.
 *
 * Ids are hashes, so their own bits, mixed with a secret salt, are as good as any hash of them; without the salt a publisher
 * could choose bytes whose ids lie where those of others do.
 */
import { randomBytes } from 'node:crypto'
import { MIB } from '../../base/index.ts'
import type { BlockId } from './types.ts'

/** Bits per id and positions looked at: one wrong answer in about 1,500. */
const BITS_PER_ID = 16
const POSITIONS = 8
/** Of the first filter, unless more ids are expected. */
const FIRST_IDS = 4096
/** Of all filters: exact enough for 64 million blocks, 4 TB. */
const MAX_BYTES = 128 * MIB

interface Filter {
  bits: Uint32Array
  /** Number of bits less one; the number is a power of two. */
  mask: number
  /** Ids it may still take before the next one begins. */
  room: number
}

export class LiveSet {
  readonly #salt = randomBytes(16)
  readonly #filters: Filter[] = []
  #bytes = 0

  /** `expected`: ids that will probably be given. */
  constructor(expected = 0) {
    this.#grow(Math.max(FIRST_IDS, expected))
  }

  add(id: BlockId): void {
    if (this.has(id)) return
    let filter = this.#filters.at(-1)!
    if (filter.room <= 0) filter = this.#grow((2 * (filter.mask + 1)) / BITS_PER_ID)
    filter.room--
    let { at, step } = this.#hash(id)
    for (let i = 0; i < POSITIONS; i++) {
      const bit = at & filter.mask
      filter.bits[bit >>> 5]! |= 1 << (bit & 31)
      at = (at + step) >>> 0
      step = (step + i) >>> 0
    }
  }

  /** False only for an id that was never added. */
  has(id: BlockId): boolean {
    const { at, step } = this.#hash(id)
    return this.#filters.some(filter => isIn(filter, at, step))
  }

  #grow(ids: number): Filter {
    const bits = 2 ** Math.ceil(Math.log2(ids * BITS_PER_ID))
    const last = this.#filters.at(-1)
    // At the limit the last one is filled further.
    if (last !== undefined && this.#bytes + bits / 8 > MAX_BYTES) return last
    const bounded = Math.min(bits, MAX_BYTES * 8)
    this.#bytes += bounded / 8
    const filter = { bits: new Uint32Array(bounded / 32), mask: bounded - 1, room: bounded / BITS_PER_ID }
    this.#filters.push(filter)
    return filter
  }

  #hash(id: BlockId): { at: number; step: number } {
    const salt = this.#salt
    const word = (from: number): number =>
      (id[from]! | (id[from + 1]! << 8) | (id[from + 2]! << 16) | (id[from + 3]! << 24)) >>> 0
    const secret = (from: number): number => salt.readUInt32LE(from)
    const at = mix(mix(word(0) ^ secret(0)) ^ word(4) ^ secret(4))
    const step = mix(mix(word(8) ^ secret(8)) ^ word(12) ^ secret(12)) | 1
    return { at, step }
  }
}

function isIn(filter: Filter, start: number, firstStep: number): boolean {
  let at = start
  let step = firstStep
  for (let i = 0; i < POSITIONS; i++) {
    const bit = at & filter.mask
    if ((filter.bits[bit >>> 5]! & (1 << (bit & 31))) === 0) return false
    at = (at + step) >>> 0
    step = (step + i) >>> 0
  }
  return true
}

/** Spreads every bit of a word over all others (the finaliser of MurmurHash3). */
function mix(word: number): number {
  let h = word
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
