/**
 * The host: libp2p over QUIC and TCP with the settings of docs/transport.md. It owns the peer store, listens, dials, keeps chosen
 * peers connected, finds out whether others can reach this node and looks for relays when they cannot, decides who may connect, bounds the memory that peers can pin, and says goodbye. It knows no protocol of
 * Catalog: those register their handlers with `host.libp2p`. In: a node key and options; out: a `Host`, its events, metrics.
 */
export { parseAddress } from './addresses.ts'
export { bannedError } from './banned.ts'
export { ExtraConnections } from './extra-connections.ts'
export { createHost } from './host.ts'
export type { HostOptions } from './options.ts'
export { parsePeerId } from './peer-id.ts'
export type { ReachabilityState } from './reachability.ts'
export { reconnect } from './reconnect.ts'
export type {
  ConnectedPeer,
  Direction,
  Goodbye,
  Host,
  HostEvents,
  HostModules,
  HostServices,
  Reachability
} from './types.ts'
