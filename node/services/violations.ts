/**
 * What peers do against the protocols, in one place: every part reports here. Each report is counted and logged; a peer with
 * VIOLATIONS of them within WINDOW_MS is disconnected, and neither let in nor dialled until COOL_DOWN_MS have passed. One bad answer may be a damaged disk or an old program; nobody gets the same thing wrong again and again by chance.
 */
import type { PeerId } from '@libp2p/interface'
import type { Registry } from 'prom-client'
import {
  CatalogError,
  type Clock,
  displayDuration,
  type Logger,
  LruCache,
  MINUTE_MS,
  partMetrics
} from '../../base/index.ts'

/** Each of them cost the peer its stream already. */
const VIOLATIONS = 5
const WINDOW_MS = 10 * MINUTE_MS
/** Long enough that a flood is over, short enough that a peer that was repaired is not lost. */
const COOL_DOWN_MS = 10 * MINUTE_MS
/** Peers that are remembered, about 200 bytes each. */
const MAX_PEERS = 2000

export interface ViolationsModules {
  clock: Clock
  log: Logger
  metrics?: Registry
  /** Closes all connections to a peer. */
  disconnect(peerId: PeerId): Promise<void>
}

interface Entry {
  readonly peerId: string
  count: number
  sinceMs: number
  deniedUntilMs: number
}

export class Violations {
  readonly #modules: ViolationsModules
  readonly #peers = new LruCache<string, Entry>({ maxEntries: MAX_PEERS })
  readonly #reported
  readonly #denied

  #listener: ((peerId: string) => void) | undefined

  constructor(modules: ViolationsModules) {
    this.#modules = modules
    const metrics = partMetrics(modules.metrics, 'peers')
    this.#reported = metrics.counter('violations_total')
    this.#denied = metrics.counter('denied_peers_total')
  }

  /** The callback of one part. */
  of(part: string): (peerId: PeerId, error: CatalogError) => void {
    return (peerId, error) => this.#report(part, peerId, error)
  }

  /** Has each violation told, but silence, which is a failure. */
  onReported(listener: (peerId: string) => void): void {
    this.#listener = listener
  }

  /** For how long a peer is not wanted yet; 0 when it may come. */
  deniedForMs(peerId: string): number {
    const { deniedUntilMs = 0 } = this.#peers.get(peerId) ?? {}
    return Math.max(0, deniedUntilMs - this.#modules.clock.monotonicMs())
  }

  /** Why no connection to a peer is wanted; undefined when it may come. */
  refusal(peerId: string): CatalogError | undefined {
    const forMs = Math.ceil(this.deniedForMs(peerId))
    if (forMs === 0) return undefined
    return new CatalogError(
      'CIRCUIT_OPEN',
      `${peerId} broke the protocols again and again; this node has nothing to do with it for ${displayDuration(forMs)}`,
      {
        hint: 'wait, or ask another peer; `catalog log --errors` says what it did',
        details: { peerId, retryAfterMs: forMs }
      }
    )
  }

  /** Peers that are not wanted now. */
  denied(): string[] {
    const nowMs = this.#modules.clock.monotonicMs()
    return [...this.#peers.values()].filter(entry => entry.deniedUntilMs > nowMs).map(({ peerId }) => peerId)
  }

  #report(part: string, peerId: PeerId, { code, message }: CatalogError): void {
    const { clock, log } = this.#modules
    const peer = peerId.toString()
    this.#reported.inc({ part, code })
    log.warn({ part, peer, code, reason: message }, 'a peer broke a protocol')
    // Silence is a failure, and PeerHealth's business.
    if (code === 'TIMEOUT') return
    this.#listener?.(peer)
    const nowMs = clock.monotonicMs()
    const known = this.#peers.get(peer)
    const entry =
      known !== undefined && nowMs - known.sinceMs < WINDOW_MS
        ? known
        : { peerId: peer, count: 0, sinceMs: nowMs, deniedUntilMs: 0 }
    this.#peers.set(peer, entry)
    if (++entry.count < VIOLATIONS || entry.deniedUntilMs > nowMs) return
    entry.deniedUntilMs = nowMs + COOL_DOWN_MS
    this.#denied.inc()
    log.warn({ part, peer, forMs: COOL_DOWN_MS }, 'a peer is denied for a while')
    this.#modules
      .disconnect(peerId)
      .catch(error => log.warn({ err: error, peer }, 'a denied peer could not be disconnected'))
  }
}
