import type { PeerId } from '@libp2p/interface'
import { LruCache } from '../../../base/index.ts'
import { SourceRate } from './source-rate.ts'

/** Peers whose measurements are remembered from one fetch to the next: about 200 bytes each. */
const MAX_PEERS = 1000

/** What each source was measured to do, so that the next fetch begins with it. */
export class SourceBook {
  readonly #rates = new LruCache<string, SourceRate>({ maxEntries: MAX_PEERS })

  of(peerId: PeerId): SourceRate {
    const key = peerId.toString()
    const known = this.#rates.get(key)
    if (known !== undefined) return known
    const rate = new SourceRate()
    this.#rates.set(key, rate)
    return rate
  }

  /** The fastest first; those that nobody has measured stay in their order, before those that were measured slow. */
  ranked(peers: readonly PeerId[]): PeerId[] {
    const goodputs = peers.map(peerId => this.#rates.get(peerId.toString())?.goodput)
    const known = goodputs.filter(goodput => goodput !== undefined).toSorted((a, b) => a - b)
    const middle = known[known.length >> 1] ?? 0
    return peers
      .map((peerId, index) => ({ peerId, goodput: goodputs[index] ?? middle, index }))
      .sort((a, b) => b.goodput - a.goodput || a.index - b.index)
      .map(({ peerId }) => peerId)
  }
}
