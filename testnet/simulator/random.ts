import { sha256 } from '../../trust/index.ts'

/**
 * Numbers that a seed decides: the same seed gives the same ones on every machine. Each part of a simulation draws from a stream of its
 * own (`fork`), so that one part that draws more often does not change what the others draw.
 */
export class Random {
  readonly #seed: string
  /** State of sfc32. */
  readonly #state: Uint32Array

  constructor(seed: string) {
    this.#seed = seed
    const digest = Buffer.from(sha256(Buffer.from(seed)))
    this.#state = Uint32Array.from([0, 4, 8, 12], at => digest.readUInt32BE(at))
  }

  fork(name: string): Random {
    return new Random(`${this.#seed}/${name}`)
  }

  #word(): number {
    const state = this.#state
    const [a, b, c, counter] = [state[0]!, state[1]!, state[2]!, state[3]!]
    const word = (a + b + counter) >>> 0
    state[3] = counter + 1
    state[0] = b ^ (b >>> 9)
    state[1] = c + (c << 3)
    state[2] = ((c << 21) | (c >>> 11)) + word
    return word
  }

  /** In [0, 1). */
  next(): number {
    return this.#word() / 2 ** 32
  }

  /** A whole number in [0, limit). */
  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }

  /** A whole number in [min, max]. */
  between(min: number, max: number): number {
    return min + this.below(max - min + 1)
  }

  chance(share: number): boolean {
    return this.next() < share
  }

  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }

  /** A key, each as often as its weight says. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K {
    const entries = Object.entries<number>(weights)
    let left = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0)
    const found = entries.find(([, weight]) => {
      left -= weight
      return left < 0
    })
    return (found ?? entries.at(-1)!)[0] as K
  }

  shuffled<T>(list: readonly T[]): T[] {
    const shuffled = [...list]
    for (let last = shuffled.length - 1; last > 0; last--) {
      const at = this.below(last + 1)
      const moved = shuffled[last]!
      shuffled[last] = shuffled[at]!
      shuffled[at] = moved
    }
    return shuffled
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256))
  }
}
