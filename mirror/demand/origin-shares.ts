import { sha256 } from '../../trust/index.ts'
import type { CidText } from '../types.ts'

/** Pairs of a content and an origin: 8 MB. */
const MAX_PAIRS = 65_536
/** Of them, so many of one origin: one that asks for everything does not take the place of all others. */
const MAX_PAIRS_OF_ONE = 1024
/** What is left of a share below is forgotten when there are too many. */
const LEAST_SHARE = 1 / 16
/** They are gone through for that when what counts as 1 has grown by so much since: 23 times a half-life, whoever asks for what. */
const FORGET_EVERY = 1.03
/** Of a hash, as a whole number that JavaScript counts exactly. */
const HASH_BYTES = 6

export interface OriginSharesOptions {
  readonly salt: Uint8Array
}

/**
 * How much of each content's count each origin is: never more than 1 (and a sixteenth, where it was forgotten), and that decays as the count does. Where there is no more room to
 * remember, nothing is counted: forgetting would let one origin count again and again.
 */
export class OriginShares {
  readonly #salt: Uint8Array
  readonly #weights = new Map<number, { weight: number; origin: number }>()
  readonly #ofOne = new Map<number, number>()
  #forgotAt = 0

  constructor({ salt }: OriginSharesOptions) {
    this.#salt = salt
  }

  hashOf(...parts: string[]): number {
    const hash = sha256(this.#salt, Buffer.from(parts.join('\0')))
    return Buffer.from(hash.buffer, hash.byteOffset).readUIntBE(0, HASH_BYTES)
  }

  /** What of `share` may still count. `weight`: what 1 weighs now. */
  take(content: CidText, origin: string, share: number, weight: number): { added: number; hash: number } {
    const hash = this.hashOf(origin)
    const pair = this.hashOf(origin, content)
    const known = this.#weights.get(pair)
    if (known === undefined && !this.#hasRoom(hash, weight)) return { added: 0, hash }
    const used = (known?.weight ?? 0) / weight
    const added = Math.max(0, Math.min(share, 1 - used))
    if (added === 0) return { added, hash }
    if (known === undefined) this.#ofOne.set(hash, (this.#ofOne.get(hash) ?? 0) + 1)
    this.#weights.set(pair, { weight: (used + added) * weight, origin: hash })
    return { added, hash }
  }

  scale(factor: number): void {
    for (const pair of this.#weights.values()) pair.weight *= factor
    this.#forgotAt *= factor
  }

  #hasRoom(origin: number, weight: number): boolean {
    const hasRoom = (): boolean =>
      this.#weights.size < MAX_PAIRS && (this.#ofOne.get(origin) ?? 0) < MAX_PAIRS_OF_ONE
    if (hasRoom()) return true
    if (weight < this.#forgotAt * FORGET_EVERY) return false
    this.#forget(weight)
    return hasRoom()
  }

  #forget(weight: number): void {
    this.#forgotAt = weight
    for (const [pair, { weight: kept, origin }] of this.#weights) {
      if (kept >= LEAST_SHARE * weight) continue
      this.#weights.delete(pair)
      const left = this.#ofOne.get(origin)! - 1
      if (left === 0) this.#ofOne.delete(origin)
      else this.#ofOne.set(origin, left)
    }
  }
}
