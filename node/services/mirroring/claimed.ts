/**
 * What members say that they hold, of what matters here, and when they last proved it. Saying costs nothing, so where there are too many claims
 * one that is not proven makes room, of who has most of those: who claims everything takes nobody's place.
 */

/** Claims that are followed, about 150 bytes each. */
const MAX_CLAIMS = 200_000

interface OfPeer {
  readonly unproven: Set<string>
  /** When each was last proven. */
  readonly provenMs: Map<string, number>
}

export class Claimed {
  readonly #byPeer = new Map<string, OfPeer>()
  readonly #byContent = new Map<string, Set<string>>()
  readonly #maxClaims: number
  #size = 0

  constructor({ maxClaims = MAX_CLAIMS }: { maxClaims?: number } = {}) {
    this.#maxClaims = maxClaims
  }

  /** False where there are too many, and nobody has more than this peer that are not proven. */
  add(peer: string, content: string): boolean {
    if (this.has(peer, content)) return true
    if (this.#size >= this.#maxClaims && !this.#makeRoom(peer)) return false
    const claims = this.#byPeer.get(peer) ?? { unproven: new Set(), provenMs: new Map() }
    claims.unproven.add(content)
    this.#byPeer.set(peer, claims)
    this.#byContent.set(content, (this.#byContent.get(content) ?? new Set()).add(peer))
    this.#size++
    return true
  }

  has(peer: string, content: string): boolean {
    return this.#byContent.get(content)?.has(peer) ?? false
  }

  proven(peer: string, content: string, nowMs: number): void {
    if (!this.add(peer, content)) return
    const { unproven, provenMs } = this.#byPeer.get(peer)!
    unproven.delete(content)
    provenMs.set(content, nowMs)
  }

  /** Undefined for what was never proven. */
  provenMs(peer: string, content: string): number | undefined {
    return this.#byPeer.get(peer)?.provenMs.get(content)
  }

  remove(peer: string, content: string): void {
    if (!this.has(peer, content)) return
    const { unproven, provenMs } = this.#byPeer.get(peer)!
    unproven.delete(content)
    provenMs.delete(content)
    this.#size--
    if (unproven.size + provenMs.size === 0) this.#byPeer.delete(peer)
    const peers = this.#byContent.get(content)!
    peers.delete(peer)
    if (peers.size === 0) this.#byContent.delete(content)
  }

  forgetPeer(peer: string): void {
    for (const content of this.of(peer)) this.remove(peer, content)
  }

  peers(): string[] {
    return [...this.#byPeer.keys()]
  }

  of(peer: string): string[] {
    const claims = this.#byPeer.get(peer)
    return claims === undefined ? [] : [...claims.provenMs.keys(), ...claims.unproven]
  }

  /** Who says that it holds a content. */
  holdersOf(content: string): string[] {
    return [...(this.#byContent.get(content) ?? [])]
  }

  /** Of whom it is proven. */
  provenHoldersOf(content: string): string[] {
    return this.holdersOf(content).filter(peer => this.provenMs(peer, content) !== undefined)
  }

  /** What was last proven before some time, or never. */
  *provenBefore(timeMs: number): Generator<{ peer: string; content: string }> {
    for (const [peer, { unproven, provenMs }] of this.#byPeer) {
      for (const content of unproven) yield { peer, content }
      for (const [content, atMs] of provenMs) if (atMs < timeMs) yield { peer, content }
    }
  }

  /** One goes of whoever has most that are not proven; false where that is `peer` itself, or would be then. */
  #makeRoom(peer: string): boolean {
    let most = { peer, unproven: this.#byPeer.get(peer)?.unproven ?? new Set<string>() }
    const least = most.unproven.size + 1
    for (const [other, { unproven }] of this.#byPeer)
      if (unproven.size > Math.max(least, most.unproven.size)) most = { peer: other, unproven }
    const [content] = most.unproven
    if (most.peer === peer || content === undefined) return false
    this.remove(most.peer, content)
    return true
  }
}
