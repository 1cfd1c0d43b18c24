import type { EventEmitter } from 'node:events'
import type { Identify } from '@libp2p/identify'
import type { Libp2p, PeerId, PrivateKey, ServiceMap } from '@libp2p/interface'
import type { KadDHT } from '@libp2p/kad-dht'
import type { Ping } from '@libp2p/ping'
import type { Registry } from 'prom-client'
import type { CatalogError, Clock, Logger } from '../../base/index.ts'
import type { ReachabilityState } from './reachability.ts'

export interface HostModules {
  /** The node key: libp2p's Ed25519 key, or its 32-byte seed. */
  readonly privateKey: PrivateKey | Uint8Array
  /** Folder of libp2p's own LevelDB (`peers/` in a home); created when missing. */
  readonly peersFolder: string
  readonly log: Logger
  readonly clock: Clock
  readonly metrics?: Registry | undefined
  /** Why no connection to a peer is wanted now; of nobody unless given. */
  readonly refusal?: (peerId: string) => CatalogError | undefined
}

export interface HostServices extends ServiceMap {
  identify: Identify
  ping: Ping
  /** There only with `options.dht`. */
  dht: KadDHT
}

export type Direction = 'inbound' | 'outbound'

/** A peer with at least one open connection. */
export interface ConnectedPeer {
  readonly peerId: string
  /** Remote multiaddrs of its connections, each with /p2p/. */
  readonly addresses: readonly string[]
  /** Whether all of its connections are through a relay. */
  readonly isRelayed: boolean
  /** Of its oldest connection. */
  readonly direction: Direction
  /** Wall time at which the oldest connection opened. */
  readonly connectedAtMs: number
  /** Smoothed round-trip time as QUIC measures it; undefined over another transport. */
  readonly rttMs: number | undefined
  readonly streams: number
}

/** Whether others can dial this node, and through which relays (peer ids) they can reach it otherwise. */
export interface Reachability {
  readonly state: ReachabilityState
  readonly relays: readonly string[]
}

/** What `host.events` tells; a listener that throws is logged and does no harm. */
export interface HostEvents {
  /** The first connection to a peer is open. */
  connected: [peer: ConnectedPeer]
  /** A peer is there: it has called, or has taken a call and identified itself. Told for each connection. */
  met: [peerId: string]
  /** A connection to a peer was dead, as after a crash of the peer, and a newer one took its place: it may know of nothing said before. */
  replaced: [peerId: string]
  /** The last connection to a peer is gone. */
  disconnected: [peerId: string]
  /** The last connection to a peer is gone, and no side has closed it: nothing came any more. Follows on `disconnected`. */
  silent: [peerId: string]
  /** A peer to stay connected to could not be reached; the next attempt comes after `waitMs`. */
  unreachable: [address: string, failures: number, waitMs: number]
  /** A connection was closed because its unread streams pinned too much memory. */
  evicted: [peerId: string, pinnedBytes: number]
}

/** Called at shutdown while connections are still open, within GOODBYE_MS. */
export type Goodbye = (signal: AbortSignal) => Promise<void>

/** The node on the network. */
export interface Host {
  readonly peerId: string
  readonly libp2p: Libp2p<HostServices>
  readonly events: EventEmitter<HostEvents>
  /** Aborted when the host stops. */
  readonly signal: AbortSignal
  /** Own multiaddrs, each with /p2p/. */
  addresses(): string[]
  reachability(): Reachability
  peers(): ConnectedPeer[]
  /**
   * Connects to a multiaddr and waits until the peer has shown that it keeps the connection. PEER_ADDRESS_INVALID, PEER_BANNED,
   * DIAL_FAILED (details: `tried` addresses, `reasons`), PEER_REFUSED, ABORTED, TIMEOUT.
   */
  connect(address: string, signal?: AbortSignal): Promise<ConnectedPeer>
  /** Closes all connections to a peer and stops keeping it. NOT_FOUND when there is none. */
  disconnect(peerId: string): Promise<void>
  /** A peer said goodbye: closes what is open to it; when it is kept it is dialled again, but not soon. */
  left(peer: PeerId): Promise<void>
  /** Stays connected to the peer at this multiaddr until `disconnect`: redials with back-off and jitter. */
  keep(address: string): void
  /** Resolves once one of the peers to stay connected to has been reached, or each has been tried: after the start, or at once. */
  tried(): Promise<void>
  /** Registers what to do before connections close; returns its removal. */
  onGoodbye(goodbye: Goodbye): () => void
  /** Makes and takes no connection any more; those that are open stay. Before the peers are told goodbye. */
  leave(): void
  /** Says goodbye, closes everything and ends all timers; takes at most GOODBYE_MS + STOP_MS. Later calls wait for the first. */
  stop(): Promise<void>
}
