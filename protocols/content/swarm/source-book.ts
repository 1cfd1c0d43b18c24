import { LruCache } from '../../../base/index.ts'
import { SourceRate } from './source-rate.ts'

/** Peers whose measurements are remembered from one fetch to the next: about 200 bytes each. */
const MAX_PEERS = 1000

/** Who is written down by the text of its id: a PeerId. */
export interface Named {
  toString(): string
}

/** What each source was measured to do, so that the next fetch begins with it. */
export class SourceBook {
  readonly #rates = new LruCache<string, SourceRate>({ maxEntries: MAX_PEERS })

  of(peer: Named): SourceRate {
    const key = peer.toString()
    const known = this.#rates.get(key)
    if (known !== undefined) return known
    const rate = new SourceRate()
    this.#rates.set(key, rate)
    return rate
  }

  /** Bytes a second that a peer was measured to send; undefined when it never was. */
  goodputOf(peer: Named): number | undefined {
    return this.#rates.get(peer.toString())?.goodput
  }

  /** The fastest first; those that nobody has measured stay in their order, before those that were measured slow. */
  ranked<P extends Named>(peers: readonly P[]): P[] {
    const goodputs = peers.map(peer => this.goodputOf(peer))
    const known = goodputs.filter(goodput => goodput !== undefined).toSorted((a, b) => a - b)
    const middle = known[known.length >> 1] ?? 0
    return peers
      .map((peer, index) => ({ peer, goodput: goodputs[index] ?? middle, index }))
      .sort((a, b) => b.goodput - a.goodput || a.index - b.index)
      .map(({ peer }) => peer)
  }
}
