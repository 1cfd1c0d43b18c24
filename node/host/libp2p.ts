import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { identify, identifyPush } from '@libp2p/identify'
import type {
  ConnectionGater,
  Libp2p,
  PeerDiscovery,
  PeerId,
  PrivateKey,
  TopologyFilter
} from '@libp2p/interface'
import { type KadDHT, kadDHT, passthroughMapper, removePrivateAddressesMapper } from '@libp2p/kad-dht'
import type { MulticastDNSComponents } from '@libp2p/mdns'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { ping } from '@libp2p/ping'
import { type TCPOptions, tcp } from '@libp2p/tcp'
import { type YamuxMuxerInit, yamux } from '@libp2p/yamux'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { LevelDatastore } from 'datastore-level'
import { createLibp2p } from 'libp2p'
import type { Registry } from 'prom-client'
import { CatalogError } from '../../base/index.ts'
import { isLocalAddress } from '../../discovery/index.ts'
import {
  contentProtocol,
  controlProtocol,
  DEFAULT_QUIC_STREAM_OPTIONS,
  quicTransport
} from '../../protocols/index.ts'
import { inDialOrder, withPeer } from './addresses.ts'
import { libp2pMetrics } from './libp2p-metrics.ts'
import { lazyNoise } from './noise.ts'
import {
  DIAL_TIMEOUT_MS,
  type HostOptions,
  INBOUND_NEGOTIATION_MS,
  INBOUND_UPGRADE_MS,
  MAX_PARALLEL_DIALS,
  OUTBOUND_NEGOTIATION_MS,
  TCP_IDLE_MS,
  YAMUX_KEEP_ALIVE_MS,
  YAMUX_WINDOW_BYTES
} from './options.ts'
import { raceTransport } from './race-transport.ts'
import { isUntried, type OwnAddress } from './reachability.ts'
import type { HostServices } from './types.ts'

/** Requests of kad-dht that write to our disk. Announcements have a protocol of their own; these would be a gift to strangers. */
const REFUSED_DHT_REQUESTS = ['PUT_VALUE', 'ADD_PROVIDER']

export interface Libp2pModules {
  readonly privateKey: PrivateKey | Uint8Array
  readonly datastore: LevelDatastore
  readonly gater: ConnectionGater
  readonly metrics: Registry | undefined
  readonly discovery: ((components: MulticastDNSComponents) => PeerDiscovery) | undefined
  usesLocalAddresses(): boolean
  /** Own addresses with what is known of them. */
  ownAddresses(): readonly OwnAddress[]
}

/** libp2p with our transport and settings, not started. */
export async function buildLibp2p(
  modules: Libp2pModules,
  options: HostOptions
): Promise<Libp2p<HostServices>> {
  const privateKey = await nodeKey(modules.privateKey)
  const self = peerIdFromPrivateKey(privateKey)
  const libp2p = (await createLibp2p({
    start: false,
    privateKey,
    nodeInfo: { userAgent: options.userAgent },
    datastore: modules.datastore,
    ...(modules.metrics === undefined ? {} : { metrics: libp2pMetrics(modules.metrics) }),
    connectionGater: modules.gater,
    addresses: {
      listen: [...options.listen],
      appendAnnounce: [...options.announce],
      announceFilter: addresses =>
        announced([...addresses, ...untried(modules, self)], modules.usesLocalAddresses())
    },
    transports: [raceTransport(quic(options)), tcp(tcpOptions(options)), ...(await relayTransports(options))],
    // Of TCP and of relayed connections; QUIC brings its own of both.
    connectionEncrypters: [lazyNoise()],
    streamMuxers: [yamux(yamuxOptions(options))],
    // QUIC's keep-alive does the same for less: 1.3 % of a core at 200 connections.
    connectionMonitor: { enabled: false },
    connectionManager: connectionManager(options),
    peerDiscovery: modules.discovery === undefined ? [] : [modules.discovery],
    services: await services(modules, options)
  })) as unknown as Libp2p<HostServices>
  if (options.dht) refuseWrites(libp2p.services.dht)
  return libp2p
}

async function nodeKey(key: PrivateKey | Uint8Array): Promise<PrivateKey> {
  const privateKey = key instanceof Uint8Array ? await generateKeyPairFromSeed('Ed25519', key) : key
  if (privateKey.type !== 'Ed25519')
    throw new CatalogError('KEY_INVALID', `the node key is of type ${privateKey.type}, not Ed25519`)
  return privateKey
}

/** Addresses that AutoNAT has not judged: told all the same, as those of a network's first node must be. */
const untried = ({ ownAddresses }: Libp2pModules, self: PeerId): Multiaddr[] =>
  ownAddresses()
    .filter(isUntried)
    .map(({ multiaddr }) => withPeer(multiaddr, self))

/**
 * The transport's own search for relays takes no part: a request of ours that meets one of its waits for ever when it clears its queue
 * (src/transport/reservation-store.ts of 4.2.13, `addRelay` and `#checkReservationCount`).
 */
const NO_DISCOVERY: TopologyFilter = { has: () => true, add: () => {}, remove: () => {} }

/** Loaded only when it is used. */
async function relayTransports({ relay }: HostOptions) {
  if (!relay.use) return []
  const { circuitRelayTransport } = await import('@libp2p/circuit-relay-v2')
  return [circuitRelayTransport({ discoveryFilter: NO_DISCOVERY })]
}

const announced = (addresses: Multiaddr[], withLocal: boolean): Multiaddr[] =>
  withLocal ? addresses : addresses.filter(address => !isLocalAddress(address))

function quic({ quic, networkId }: HostOptions): ReturnType<typeof quicTransport> {
  // What a fetch opens streams for. Whoever has identified itself as of this network speaks both.
  const spokenByAll = new Set([controlProtocol(networkId), contentProtocol(networkId)])
  return quicTransport(
    {
      maxIdleTimeout: quic.maxIdleTimeoutMs,
      keepAliveInterval: quic.keepAliveIntervalMs,
      maxConcurrentStreamLimit: quic.maxStreams,
      maxStreamData: quic.maxStreamDataBytes,
      maxConnectionData: quic.maxConnectionDataBytes,
      receiveBufferSize: quic.socketBufferBytes,
      sendBufferSize: quic.socketBufferBytes
    },
    { optimisticSelect: protocol => spokenByAll.has(protocol) }
  )
}

function tcpOptions({ maxConnections }: HostOptions): TCPOptions {
  return {
    maxConnections,
    inboundSocketInactivityTimeout: TCP_IDLE_MS,
    outboundSocketInactivityTimeout: TCP_IDLE_MS
  }
}

function yamuxOptions({ quic }: HostOptions): YamuxMuxerInit {
  return {
    maxInboundStreams: quic.maxStreams,
    maxOutboundStreams: quic.maxStreams,
    maxEarlyStreams: quic.maxStreams,
    keepAliveInterval: YAMUX_KEEP_ALIVE_MS,
    streamOptions: {
      maxStreamWindowSize: YAMUX_WINDOW_BYTES,
      maxReadBufferLength: 2 * YAMUX_WINDOW_BYTES,
      maxWriteBufferLength: DEFAULT_QUIC_STREAM_OPTIONS.maxWriteBufferBytes
    }
  }
}

function connectionManager(options: HostOptions) {
  return {
    maxConnections: options.maxConnections,
    inboundConnectionThreshold: options.inboundConnectionThreshold,
    maxIncomingPendingConnections: options.maxIncomingPending,
    addressDialTimeout: options.addressDialTimeoutMs,
    addressSorter: inDialOrder,
    dialTimeout: DIAL_TIMEOUT_MS,
    maxParallelDials: MAX_PARALLEL_DIALS,
    inboundUpgradeTimeout: INBOUND_UPGRADE_MS,
    inboundStreamProtocolNegotiationTimeout: INBOUND_NEGOTIATION_MS,
    outboundStreamProtocolNegotiationTimeout: OUTBOUND_NEGOTIATION_MS,
    // The keeper redials with its own back-off; libp2p tries once and then drops the tag.
    reconnectRetries: 0
  }
}

async function services(modules: Libp2pModules, options: HostOptions) {
  const protocolPrefix = `catalog/${options.networkId}`
  const base = {
    // The Identifier asks, to learn what comes of it.
    identify: identify({ protocolPrefix, runOnConnectionOpen: false }),
    identifyPush: identifyPush({ protocolPrefix }),
    ping: ping({ protocolPrefix }),
    ...(await reachServices(protocolPrefix, options))
  }
  if (!options.dht) return base
  const dht = kadDHT({
    protocol: `/${protocolPrefix}/kad/1.0.0`,
    clientMode: false,
    peerInfoMapper: peer =>
      (modules.usesLocalAddresses() ? passthroughMapper : removePrivateAddressesMapper)(peer),
    maxInboundStreams: options.quic.maxStreams,
    maxOutboundStreams: options.quic.maxStreams
  })
  return { ...base, dht }
}

/** Loaded only when they are used. */
async function reachServices(protocolPrefix: string, options: HostOptions) {
  const { relay, privateAddresses } = options
  const found: Record<string, (components: never) => unknown> = {}
  // Where private addresses are used in any case, nobody asks for verdicts on public ones.
  if (privateAddresses !== 'always')
    found.autonat = (await import('./autonat.ts')).autonatService(protocolPrefix)
  if (relay.serve !== undefined) found.relay = (await import('./relay-server.ts')).relayServer(relay.serve)
  return found
}

/** kad-dht 16.4.5 keeps its handlers by the name of the request (src/rpc/index.ts); one without a handler is reset. */
function refuseWrites(dht: KadDHT): void {
  const { rpc } = dht as unknown as { rpc?: { handlers?: Record<string, unknown> } }
  for (const request of REFUSED_DHT_REQUESTS) {
    if (rpc?.handlers?.[request] === undefined)
      throw new CatalogError('INTERNAL', `@libp2p/kad-dht has changed: no handler of ${request} to take away`)
    delete rpc.handlers[request]
  }
}
