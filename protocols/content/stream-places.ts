/** A stream that can lose its place to a peer that has fewer. */
export interface PlacedStream {
  /** Waits for its peer to ask. */
  readonly isIdle: boolean
  cut(error: unknown): void
}

/** How many streams may have a place, of all peers and of one. */
export interface StreamLimits {
  readonly total: number
  readonly ofPeer: number
}

/**
 * The places of streams. When all are taken, a few peers that have many of them, and may do little with them, would keep out
 * everybody else for as long as they like; so a peer gets a place of the peer that has most, if that one still has no
 * fewer than the newcomer then. A peer that has one place never loses it.
 */
export class StreamPlaces {
  readonly #ofPeer = new Map<string, Set<PlacedStream>>()
  #used = 0

  get used(): number {
    return this.#used
  }

  usedBy(peer: string): number {
    return this.#ofPeer.get(peer)?.size ?? 0
  }

  /** Gives a place; undefined when there is none. What is returned gives it back. `why` is what a stream is cut with. */
  take(peer: string, stream: PlacedStream, limits: StreamLimits, why: () => Error): (() => void) | undefined {
    if (this.usedBy(peer) >= limits.ofPeer) return undefined
    if (this.#used >= limits.total && !this.#free(peer, why)) return undefined
    const own = this.#ofPeer.get(peer) ?? new Set()
    this.#ofPeer.set(peer, own.add(stream))
    this.#used++
    return () => this.#give(peer, stream)
  }

  /** Takes one place from the peer that has most: an idle stream's, or that of the one that has had it least long. */
  #free(newcomer: string, why: () => Error): boolean {
    const [most] = [...this.#ofPeer].toSorted(([, a], [, b]) => b.size - a.size)
    if (most === undefined || most[1].size < this.usedBy(newcomer) + 2) return false
    const [peer, streams] = most
    const latestFirst = [...streams].reverse()
    const stream = latestFirst.find(({ isIdle }) => isIdle) ?? latestFirst[0]!
    this.#give(peer, stream)
    stream.cut(why())
    return true
  }

  #give(peer: string, stream: PlacedStream): void {
    const own = this.#ofPeer.get(peer)
    if (own?.delete(stream) !== true) return
    this.#used--
    if (own.size === 0) this.#ofPeer.delete(peer)
  }
}
