/** Random values and bytes that a seed says all of: a run is repeated with the seed that it printed. */
import { createCipheriv, createHash, randomInt } from 'node:crypto'

const MAX_SEED = 2 ** 31

/** The seed of this run: CATALOG_SEED, else a new one. */
export function chooseSeed(): string {
  return process.env.CATALOG_SEED ?? String(randomInt(MAX_SEED))
}

/** AES-CTR over zeros. */
export class Random {
  readonly #cipher

  constructor(seed: string) {
    const key = createHash('sha256').update(seed).digest()
    this.#cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16))
  }

  bytes(length: number): Buffer {
    return this.#cipher.update(Buffer.alloc(length))
  }

  /** At least 0, below 1. */
  fraction(): number {
    return this.bytes(4).readUInt32LE() / 2 ** 32
  }

  /** From `least` to `most`, both included. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.fraction() * (most - least + 1))
  }

  /** The same elements in another order. */
  shuffled<T>(values: readonly T[]): T[] {
    const left = [...values]
    const result: T[] = []
    while (left.length > 0) result.push(...left.splice(this.integer(0, left.length - 1), 1))
    return result
  }
}
