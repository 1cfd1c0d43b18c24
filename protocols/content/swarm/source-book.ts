import type { SourceMemory } from '../source-memory.ts'
import { SourceRate } from './source-rate.ts'

/** Who is written down by the text of its id: a PeerId. */
export interface Named {
  toString(): string
}

/** What each source of one fetch was measured to do: begins with what is remembered of it, and is remembered at the end. */
export class SourceBook {
  /** As many as the fetch draws from, ever. */
  readonly #rates = new Map<string, SourceRate>()
  readonly #memory: SourceMemory | undefined

  constructor(memory?: SourceMemory) {
    this.#memory = memory
  }

  /** The rate of a source that is drawn from. */
  of(peer: Named): SourceRate {
    const key = peer.toString()
    const known = this.#rates.get(key)
    if (known !== undefined) return known
    const rate = new SourceRate(this.#memory?.recall(key))
    this.#memory?.began(key)
    this.#rates.set(key, rate)
    return rate
  }

  /** Bytes a second that a peer was measured to send; undefined when it never was. */
  goodputOf(peer: Named): number | undefined {
    const key = peer.toString()
    const rate = this.#rates.get(key)
    return rate === undefined ? this.#memory?.recall(key).goodput : rate.goodput
  }

  /** The fastest of those who were measured to send so much at least. */
  fastest<P extends Named>(peers: readonly P[], leastGoodput: number): P | undefined {
    return peers
      .map(peer => ({ peer, goodput: this.goodputOf(peer) ?? 0 }))
      .filter(({ goodput }) => goodput >= leastGoodput)
      .sort((a, b) => b.goodput - a.goodput)[0]?.peer
  }

  /** The fetch has ended. */
  close(): void {
    for (const [key, rate] of this.#rates) this.#memory?.ended(key, rate.measured)
  }
}
