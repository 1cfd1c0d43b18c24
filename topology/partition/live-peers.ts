import { LruCache } from '../../base/index.ts'
import { LARGE_SHARE, LIVE_AFTER_MS, MAX_PEERS, MIN_LIVE, MIN_LOST } from './limits.ts'

export interface LostPeer {
  readonly peerId: string
  readonly network: string
}

interface Here {
  /** What its public network is called; its own id where it has none. */
  readonly network: string
  readonly sinceMs: number
}

interface Gone extends Here {
  readonly atMs: number
}

interface Lost extends Gone {
  /** When it was heard last. */
  readonly heardMs: number
}

/**
 * Peers that are here, and those that were until they fell silent. They are counted by networks: what becomes of a crowd in one public
 * network (a site, or somebody who runs hundreds of nodes there) counts once, and a network of which somebody is still here is not lost.
 */
export class LivePeers {
  readonly #here = new Map<string, Here>()
  /** Not connected any more, and nobody has said yet why. */
  readonly #gone = new LruCache<string, Gone>({ maxEntries: MAX_PEERS })
  /** MAX_PEERS at most, those that were lost last. */
  readonly #lost = new Map<string, Lost>()

  /** Nobody is connected. */
  get isAlone(): boolean {
    return this.#here.size === 0
  }

  get lost(): readonly LostPeer[] {
    return [...this.#lost].map(([peerId, { network }]) => ({ peerId, network }))
  }

  isLost(peerId: string): boolean {
    return this.#lost.has(peerId)
  }

  /** When one of the lost was heard last: what cut them off came after it. */
  get lastHeardMs(): number {
    return Math.max(...[...this.#lost.values()].map(({ heardMs }) => heardMs))
  }

  /** When the first and the last were lost. */
  get lostBetweenMs(): readonly [first: number, last: number] {
    const times = [...this.#lost.values()].map(({ atMs }) => atMs)
    return [Math.min(...times), Math.max(...times)]
  }

  /** Whether it had been lost: then it counts as live at once, as it did before. */
  came(peerId: string, network: string | undefined, nowMs: number): boolean {
    const before = this.#lost.get(peerId)
    const known = this.#here.get(peerId)
    this.#lost.delete(peerId)
    this.#gone.delete(peerId)
    const sinceMs = before?.sinceMs ?? known?.sinceMs ?? nowMs
    this.#here.set(peerId, { network: network || peerId, sinceMs })
    return before !== undefined
  }

  went(peerId: string, nowMs: number): void {
    const here = this.#here.get(peerId)
    if (here === undefined) return
    this.#here.delete(peerId)
    this.#gone.set(peerId, { ...here, atMs: nowMs })
  }

  /** It went because nothing came from it any more. Whether that counts: it does for who was here for a while. */
  silent(peerId: string, nowMs: number, heardMs: number): boolean {
    this.went(peerId, nowMs)
    const gone = this.#gone.get(peerId)
    this.#gone.delete(peerId)
    if (gone === undefined || gone.atMs - gone.sinceMs < LIVE_AFTER_MS) return false
    const [oldest] = this.#lost.keys()
    if (oldest !== undefined && this.#lost.size >= MAX_PEERS) this.#lost.delete(oldest)
    this.#lost.set(peerId, { ...gone, heardMs })
    return true
  }

  /** It goes, or went, on purpose. */
  left(peerId: string): void {
    this.#here.delete(peerId)
    this.#gone.delete(peerId)
    this.#lost.delete(peerId)
  }

  /** They are gone for another reason than the others. */
  excuse(peerIds: Iterable<string>): void {
    for (const peerId of peerIds) this.#lost.delete(peerId)
  }

  excuseAll(): void {
    this.#lost.clear()
  }

  /** Who was lost before that time has been lost for itself. */
  excuseBefore(atMs: number): void {
    this.excuse([...this.#lost].flatMap(([peerId, lost]) => (lost.atMs < atMs ? peerId : [])))
  }

  /** Peers, as people count them. */
  counts(nowMs: number): { lost: number; of: number } {
    const lost = this.#lost.size
    return { lost, of: lost + this.#liveAt(nowMs).length }
  }

  /** Of all networks that are or were here, the share that is lost; 0 where they are too few to tell. */
  lostShare(nowMs: number): number {
    const here = new Set([...this.#here.values()].map(({ network }) => network))
    const live = new Set(this.#liveAt(nowMs).map(({ network }) => network))
    const lost = new Set(
      [...this.#lost.values()].map(({ network }) => network).filter(network => !here.has(network))
    )
    const all = lost.size + live.size
    return lost.size < MIN_LOST || all < MIN_LIVE ? 0 : lost.size / all
  }

  /** Whether so much is lost that it is no chance. */
  isMuchLost(nowMs: number): boolean {
    return this.lostShare(nowMs) >= LARGE_SHARE
  }

  #liveAt(nowMs: number): Here[] {
    return [...this.#here.values()].filter(({ sinceMs }) => nowMs - sinceMs >= LIVE_AFTER_MS)
  }
}
