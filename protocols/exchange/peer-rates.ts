import { CatalogError, type Clock, LruCache, SECOND_MS } from '../../base/index.ts'

/** How much one peer may ask for: a bucket of `burst` units that fills at `perSecond`. */
export interface PeerRate {
  readonly perSecond: number
  readonly burst: number
}

/** Peers whose buckets are remembered; a forgotten peer begins with a full one. */
const MAX_PEERS = 4096

/** Token buckets, one for each peer: what a peer asks for costs units, and it gets BUSY when it has none left. */
export class PeerRates {
  readonly #buckets = new LruCache<string, { units: number; atMs: number }>({ maxEntries: MAX_PEERS })
  readonly #rate: PeerRate
  readonly #clock: Clock

  constructor(rate: PeerRate, clock: Clock) {
    this.#rate = rate
    this.#clock = clock
  }

  /** Takes `units` from the peer's bucket, or throws BUSY with `retryAfterMs` in its details and takes nothing. */
  take(peer: string, units: number): void {
    const { perSecond } = this.#rate
    const filled = this.left(peer)
    if (filled < units) {
      const retryAfterMs = Math.ceil(((units - filled) / perSecond) * SECOND_MS)
      throw new CatalogError('BUSY', `${peer} asks for more than ${perSecond} a second`, {
        details: { retryAfterMs }
      })
    }
    this.#buckets.set(peer, { units: filled - units, atMs: this.#clock.monotonicMs() })
  }

  /** Units that the peer could take now. */
  left(peer: string): number {
    const { perSecond, burst } = this.#rate
    const bucket = this.#buckets.get(peer)
    if (bucket === undefined) return burst
    const passedMs = this.#clock.monotonicMs() - bucket.atMs
    return Math.min(burst, bucket.units + (passedMs / SECOND_MS) * perSecond)
  }
}
