import { MIB, SECOND_MS } from '../../base/index.ts'
import type { RelayServerOptions } from './relay-server.ts'

/** Settings of the host; the composition root derives them from the configuration (docs/transport.md has the reasons). */
export interface HostOptions {
  /** Name of the network; part of every protocol name. */
  readonly networkId: string
  /** Multiaddrs to listen on; empty = dial only. */
  readonly listen: readonly string[]
  /** Multiaddrs told to others beside those found. */
  readonly announce: readonly string[]
  /** Whether private and loopback addresses are dialled and announced; `auto` while all own addresses are private. */
  readonly privateAddresses: 'auto' | 'always' | 'never'
  /** Multiaddrs of peers to stay connected to; `/dnsaddr/…` is resolved. */
  readonly bootstrap: readonly string[]
  /** When not empty, only these peer ids may connect or be dialled. */
  readonly allow: readonly string[]
  /** Peer ids that are never let in nor dialled. */
  readonly deny: readonly string[]
  /** Above this many connections the host seeks no more by itself. */
  readonly peersWanted: number
  readonly maxConnections: number
  /** Of these, kept for bootstrap and allow-listed peers. */
  readonly reservedSlots: number
  /** Inbound connections at most from one public IPv4 address or IPv6 /64. */
  readonly maxInboundPerAddress: number
  /** New inbound connections a second that one host may open. */
  readonly inboundConnectionThreshold: number
  /** Inbound connections that may be in their handshake at once. */
  readonly maxIncomingPending: number
  /** How long one address is tried. */
  readonly addressDialTimeoutMs: number
  readonly quic: {
    readonly maxIdleTimeoutMs: number
    readonly keepAliveIntervalMs: number
    /** Streams a peer may have open at once, each way. */
    readonly maxStreams: number
    readonly maxStreamDataBytes: number
    readonly maxConnectionDataBytes: number
    readonly socketBufferBytes: number
  }
  /** Native memory that unread streams may pin; beyond it the worst connection is closed. */
  readonly networkMemoryBytes: number
  readonly relay: {
    /** Whether this node may be reached, and reach others, through relays. */
    readonly use: boolean
    /** Set on a node that relays for others. */
    readonly serve: RelayServerOptions | undefined
  }
  /** Whether the router is asked to forward the ports. */
  readonly portMapping: boolean
  readonly dht: boolean
  readonly mdns: boolean
  /** What identify tells others, for example `catalog/0.1.0`. */
  readonly userAgent: string
}

/** A dial as a whole, with DNS and all addresses of the peer. */
export const DIAL_TIMEOUT_MS = 10 * SECOND_MS
/** Time for a new peer to show that it keeps the connection and belongs to this network. */
export const CONFIRM_TIMEOUT_MS = 5 * SECOND_MS
/** Negotiation of an inbound stream: part of the time a stream has to show a valid request. */
export const INBOUND_NEGOTIATION_MS = 2 * SECOND_MS
export const OUTBOUND_NEGOTIATION_MS = 5 * SECOND_MS
/** Upgrade of an inbound connection after its TLS handshake: local work only. */
export const INBOUND_UPGRADE_MS = 5 * SECOND_MS
/** Dials at once: each holds a socket's attention and a handshake's CPU. */
export const MAX_PARALLEL_DIALS = 32
/** Goodbyes at shutdown, all together. */
export const GOODBYE_MS = SECOND_MS / 2
/** libp2p's own shutdown; after it the daemon goes on without. */
export const STOP_MS = 3 * SECOND_MS
/** Peers to stay connected to: as many as a list in the configuration holds. */
export const MAX_KEPT_PEERS = 256
/** A TCP connection without a packet for this long is lost; yamux pings well within it. */
export const TCP_IDLE_MS = 30 * SECOND_MS
export const YAMUX_KEEP_ALIVE_MS = 10 * SECOND_MS
/**
 * Bytes in flight on a stream over TCP, at most. yamux 8.0.3 grows its window to 16 MiB and @libp2p/utils aborts a stream with more
 * than 4 MiB unread: with both as they are, a paused stream is cut off by a fast sender. So the window is the smaller of the two.
 */
export const YAMUX_WINDOW_BYTES = 4 * MIB
