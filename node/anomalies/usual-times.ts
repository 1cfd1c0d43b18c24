import { LruCache } from '../../base/index.ts'

/** As many as the topology knows. */
const MAX_PEERS = 1000
/** Before it is known what is usual with a peer. */
const LEARN = 8
/** Of the newest time; at one each 15 s what is usual changes within half an hour. */
const WEIGHT = 1 / 128

/**
 * How long something takes with each peer, usually: its times divided by that are the same for near and far ones, so that peers that come
 * and go change nothing in a series of all of them.
 */
export class UsualTimes {
  readonly #peers = new LruCache<string, { times: number; logMs: number }>({ maxEntries: MAX_PEERS })

  /** How many times as long as usual it took; undefined while that is not known. */
  ratio(peer: string, tookMs: number): number | undefined {
    const { times, logMs } = this.#peers.get(peer) ?? { times: 0, logMs: 0 }
    const log = Math.log(Math.max(0.01, tookMs))
    const weight = Math.max(WEIGHT, 1 / (times + 1))
    this.#peers.set(peer, { times: times + 1, logMs: logMs + weight * (log - logMs) })
    return times < LEARN ? undefined : Math.exp(log - logMs)
  }
}
