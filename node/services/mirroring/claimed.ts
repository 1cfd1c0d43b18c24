/** What members say that they hold, of what matters here, and when they last proved it. */

/** Claims that are followed, about 150 bytes each. */
const MAX_CLAIMS = 200_000

export class Claimed {
  readonly #byPeer = new Map<string, Map<string, number | undefined>>()
  readonly #byContent = new Map<string, Set<string>>()
  #size = 0

  /** False where there are too many. */
  add(peer: string, content: string): boolean {
    if (this.has(peer, content)) return true
    if (this.#size >= MAX_CLAIMS) return false
    const contents = this.#byPeer.get(peer) ?? new Map()
    this.#byPeer.set(peer, contents.set(content, undefined))
    this.#byContent.set(content, (this.#byContent.get(content) ?? new Set()).add(peer))
    this.#size++
    return true
  }

  has(peer: string, content: string): boolean {
    return this.#byPeer.get(peer)?.has(content) ?? false
  }

  proven(peer: string, content: string, nowMs: number): void {
    if (this.add(peer, content)) this.#byPeer.get(peer)!.set(content, nowMs)
  }

  /** Undefined for what was never proven. */
  provenMs(peer: string, content: string): number | undefined {
    return this.#byPeer.get(peer)?.get(content)
  }

  remove(peer: string, content: string): void {
    const contents = this.#byPeer.get(peer)
    if (contents?.delete(content) !== true) return
    this.#size--
    if (contents.size === 0) this.#byPeer.delete(peer)
    const peers = this.#byContent.get(content)
    peers?.delete(peer)
    if (peers?.size === 0) this.#byContent.delete(content)
  }

  forgetPeer(peer: string): void {
    for (const content of this.of(peer)) this.remove(peer, content)
  }

  peers(): string[] {
    return [...this.#byPeer.keys()]
  }

  of(peer: string): string[] {
    return [...(this.#byPeer.get(peer)?.keys() ?? [])]
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
    for (const [peer, contents] of this.#byPeer)
      for (const [content, provenMs] of contents)
        if (provenMs === undefined || provenMs < timeMs) yield { peer, content }
  }
}
