import type { Registry as MetricsRegistry } from 'prom-client'
import { type Clock, LruCache, partMetrics, SECOND_MS } from '../base/index.ts'
import type { RoutingStrategy } from '../config/index.ts'
import type { SourceMeasured, SourceMemory, SourceRecall } from '../protocols/index.ts'
import { healthOf } from './health.ts'
import { Peer, type PeerView, type Way } from './peer.ts'
import { labelOf } from './region.ts'
import { inOrder, type Scored } from './strategies.ts'

/** Peers that are remembered, 1.5 KB each at most; those that were heard of least lately go first. */
const MAX_PEERS = 1000
/** An answer of a peer whose round trip nobody has measured is late after this: about a dial, and a round trip around the world. */
const UNKNOWN_LATE_MS = SECOND_MS
/** Below this a peer counts as unwell in the metrics. */
const UNWELL_BELOW = 0.5

export interface TopologyModules {
  readonly clock: Clock
  /** Peers that are connected now, and how. */
  readonly ways: () => ReadonlyMap<string, Way>
  readonly metrics?: MetricsRegistry
}

export interface TopologyOptions {
  readonly strategy: RoutingStrategy
  /** Label of this node's region; empty for none. */
  readonly region: string
}

/** What was measured of peers, kept while the node runs, and the order of peers that follows from it. Peers go by their ids. */
export class Topology implements SourceMemory {
  readonly strategy: RoutingStrategy
  /** Label of this node's region; undefined when it has none. */
  readonly ownRegion: string | undefined
  readonly #modules: TopologyModules
  readonly #peers = new LruCache<string, Peer>({ maxEntries: MAX_PEERS })
  readonly #roundTrips

  constructor(modules: TopologyModules, options: TopologyOptions) {
    this.#modules = modules
    this.strategy = options.strategy
    this.ownRegion = labelOf(options.region)
    const metrics = partMetrics(modules.metrics, 'topology')
    metrics.gauge('known_peers', () => this.#peers.size)
    metrics.gauge(
      'unwell_peers',
      () => this.views(modules.ways().keys()).filter(view => healthOf(view).health < UNWELL_BELOW).length
    )
    this.#roundTrips = metrics.histogram('round_trip_seconds')
  }

  /** The first connection to a peer is open, or the last one is gone. */
  present(peerId: string, isPresent: boolean): void {
    const peer = this.#peer(peerId)
    peer.presence.set(isPresent, this.#nowMs)
    if (isPresent) peer.isReachedByOthers = false
  }

  /** Others reach a peer that was lost here, as they say when they are asked in a suspicion of a partition. */
  reachedByOthers(peerId: string): void {
    this.#peer(peerId).isReachedByOthers = true
  }

  /** A peer says in which region it is; what is no label counts as none. */
  told(peerId: string, region: string): void {
    this.#peer(peerId).label = labelOf(region)
  }

  /** A heartbeat was answered. */
  roundTrip(peerId: string, tookMs: number): void {
    this.#peer(peerId).roundTrip.add(tookMs)
    this.#roundTrips.observe(tookMs / SECOND_MS)
  }

  /** A request was answered well, or failed in a way that says something about the peer. */
  asked(peerId: string, isFailure: boolean): void {
    this.#peer(peerId).failures.add(isFailure, this.#nowMs)
  }

  /** Where a fetch begins with a source. */
  recall(peerId: string): SourceRecall {
    const peer = this.#peers.get(peerId)
    return { goodput: peer?.down.bytesPerSecond, roundTripMs: peer?.roundTrip.figures?.smoothedMs }
  }

  /** Something is being fetched from a peer; `ended` follows. */
  began(peerId: string): void {
    this.#peer(peerId).load.begin()
  }

  ended(peerId: string, { bytes, tookMs, atMost }: SourceMeasured): void {
    const { load, down, roundTrip } = this.#peer(peerId)
    load.end(bytes, this.#nowMs)
    // The first answer takes a round trip however fast the peer sends, and in a small transfer that is most of the time.
    down.add(bytes, tookMs - (roundTrip.figures?.smoothedMs ?? 0))
    if (atMost !== undefined) down.isAtMost(atMost)
  }

  /** So many bytes were sent to a peer in the time that it took to take them. */
  given(peerId: string, bytes: number, tookMs: number): void {
    this.#peer(peerId).up.add(bytes, tookMs)
  }

  /** What is known of these peers, in their order. */
  views(peerIds: Iterable<string>): PeerView[] {
    const ways = this.#modules.ways()
    return [...peerIds].map(peerId => this.#view(peerId, ways))
  }

  /** Who to ask first, by the strategy of this node. Whoever was never met counts as one of whom nothing is known. */
  order(peerIds: readonly string[]): string[] {
    if (peerIds.length < 2) return [...peerIds]
    return inOrder(this.views(peerIds), this.strategy, this.ownRegion).map(({ view }) => view.peerId)
  }

  /** After how many milliseconds an answer of a peer to a small question is late, so that another one is asked as well. */
  lateMs(peerId: string): number {
    return this.#peers.get(peerId)?.roundTrip.figures?.lateMs ?? UNKNOWN_LATE_MS
  }

  /** All peers that are remembered, in the order of a strategy. */
  all(strategy: RoutingStrategy): Scored[] {
    const ways = this.#modules.ways()
    const views = [...this.#peers.values()].map(peer =>
      peer.viewAt(this.#nowMs, ways.get(peer.peerId) ?? 'away')
    )
    return inOrder(views, strategy, this.ownRegion)
  }

  #view(peerId: string, ways: ReadonlyMap<string, Way>): PeerView {
    const peer = this.#peers.get(peerId) ?? new Peer(peerId, this.#nowMs)
    return peer.viewAt(this.#nowMs, ways.get(peerId) ?? 'away')
  }

  #peer(peerId: string): Peer {
    const known = this.#peers.get(peerId)
    if (known !== undefined) return known
    const peer = new Peer(peerId, this.#nowMs)
    // One that is connected may have been forgotten meanwhile, for many that came.
    if (this.#modules.ways().has(peerId)) peer.presence.set(true, this.#nowMs)
    this.#peers.set(peerId, peer)
    return peer
  }

  get #nowMs(): number {
    return this.#modules.clock.monotonicMs()
  }
}
