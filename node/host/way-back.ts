import type { PeerId } from '@libp2p/interface'
import type { Registry as MetricsRegistry } from 'prom-client'
import {
  type Clock,
  type Logger,
  LruCache,
  type RetryPolicy,
  retry,
  SECOND_MS,
  Semaphore,
  showQueue
} from '../../base/index.ts'

/**
 * A peer that was lost at most so long before or after a change of this machine's addresses was lost by it: an idle time-out
 * (10 s) and the time until the change is seen (3 s), with room for a machine that is without any address for a while.
 */
const BY_CHANGE_MS = 30 * SECOND_MS
/** Peers that are dialled again after one change: as many as a node can be connected to. */
const MAX_LOST = 300
/** Dials of them at once: each is a handshake, and who moved has little bandwidth to spare. */
const MAX_DIALS = 8
/** A new address may take a moment until packets come through to it. In all about a quarter of a minute, then the peer has to come. */
const REDIAL: RetryPolicy = {
  attempts: 6,
  firstDelayMs: SECOND_MS / 2,
  maxDelayMs: 8 * SECOND_MS,
  factor: 2,
  jitter: 0.5
}

export interface WayBackModules {
  readonly clock: Clock
  readonly log: Logger
  /** Uniform in [0, 1). */
  readonly random: () => number
  isConnected(peer: PeerId): boolean
  /** Dials a peer at the addresses known of it. */
  dial(peer: PeerId, signal: AbortSignal): Promise<unknown>
  readonly metrics?: MetricsRegistry | undefined
}

interface Lost {
  readonly peer: PeerId
  readonly atMs: number
}

/**
 * Dials the peers that this node lost because its own addresses changed. They know only the old address, so none of them can come
 * back by itself: who moved has to call. That holds for all of them, not only those the keeper stays connected to: a peer that
 * was fetching from here waits for it.
 */
export class WayBack {
  readonly #modules: WayBackModules
  readonly #lost = new LruCache<string, Lost>({ maxEntries: MAX_LOST })
  /** Peers dialled since the last change, and how to stop that: each once, for one that hangs up again means it. */
  readonly #dialling = new Map<string, AbortController>()
  readonly #places = new Semaphore({ name: 'ways back', maxActive: MAX_DIALS, maxWaiting: 2 * MAX_LOST })
  #changedMs = Number.NEGATIVE_INFINITY
  #isStopped = false

  constructor(modules: WayBackModules) {
    this.#modules = modules
    showQueue(modules.metrics, this.#places)
  }

  /** The last connection to a peer is gone. */
  lost(peer: PeerId): void {
    const atMs = this.#modules.clock.monotonicMs()
    this.#lost.set(peer.toString(), { peer, atMs })
    const isKnown = this.#dialling.has(peer.toString()) || this.#dialling.size >= MAX_LOST
    if (!isKnown && atMs - this.#changedMs <= BY_CHANGE_MS) this.#begin(peer)
  }

  /** The peer is here again. What dials it is let be: it may have brought this connection, which an abort would end. */
  returned(peerId: string): void {
    this.#lost.delete(peerId)
  }

  /** The peer left on purpose, or was asked to. */
  forget(peerId: string): void {
    this.#lost.delete(peerId)
    this.#dialling.get(peerId)?.abort()
  }

  /** The addresses of this machine are others now. */
  changed(): void {
    const nowMs = this.#modules.clock.monotonicMs()
    this.#changedMs = nowMs
    this.#stopDialling()
    for (const { peer, atMs } of [...this.#lost.values()]) if (nowMs - atMs <= BY_CHANGE_MS) this.#begin(peer)
  }

  stop(): void {
    this.#isStopped = true
    this.#stopDialling()
  }

  #stopDialling(): void {
    for (const dialling of this.#dialling.values()) dialling.abort()
    this.#dialling.clear()
  }

  #begin(peer: PeerId): void {
    if (this.#isStopped) return
    const dialling = new AbortController()
    this.#dialling.set(peer.toString(), dialling)
    void this.#dialBack(peer, dialling.signal)
  }

  /** Never rejects. */
  async #dialBack(peer: PeerId, signal: AbortSignal): Promise<void> {
    const { clock, random, log, isConnected, dial } = this.#modules
    const fields = { peer: peer.toString() }
    const attempt = async (): Promise<void> => {
      if (!isConnected(peer)) await this.#places.run(() => dial(peer, signal), signal)
    }
    try {
      await retry(attempt, REDIAL, { clock, random, signal })
      log.info(fields, 'a peer lost by a change of address is connected again')
    } catch (error) {
      if (!signal.aborted)
        log.info({ ...fields, err: error }, 'a peer lost by a change of address stays lost')
    }
  }
}
