import type { Clock } from '../base/index.ts'
import type { Config } from '../config/index.ts'
import { controlProtocol } from '../protocols/index.ts'
import { ExtraConnections, type Host, type HostOptions } from './host/index.ts'
import { VERSION } from './version.ts'

/** The host's settings from the configuration. */
export function hostOptions({ network, quic, memory, dht, mdns, relay }: Config): HostOptions {
  return {
    networkId: network.id,
    listen: network.listen,
    announce: network.announce,
    privateAddresses: network.privateAddresses,
    bootstrap: network.bootstrap,
    allow: network.allow,
    deny: network.deny,
    peersWanted: network.peersWanted,
    maxConnections: network.maxConnections,
    reservedSlots: network.reservedSlots,
    maxInboundPerAddress: network.maxInboundPerAddress,
    inboundConnectionThreshold: network.inboundConnectionThreshold,
    maxIncomingPending: network.maxIncomingPending,
    addressDialTimeoutMs: network.dialTimeout,
    quic: {
      maxIdleTimeoutMs: quic.maxIdleTimeout,
      keepAliveIntervalMs: quic.keepAliveInterval,
      maxStreams: quic.maxStreams,
      maxStreamDataBytes: quic.maxStreamData,
      maxConnectionDataBytes: quic.maxConnectionData,
      socketBufferBytes: quic.socketBuffer
    },
    networkMemoryBytes: memory.network,
    relay: {
      use: relay.enabled,
      serve: relay.serve
        ? {
            maxReservations: relay.maxPeers,
            dataLimitBytes: relay.dataLimit,
            durationLimitMs: relay.durationLimit
          }
        : undefined
    },
    portMapping: network.portMapping,
    dht: dht.enabled,
    mdns: mdns.enabled,
    userAgent: `catalog/${VERSION}`
  }
}

/** What opens more connections to one source. */
export function extraConnections(
  { host, clock }: { host: Pick<Host, 'libp2p' | 'signal'>; clock: Clock },
  { network, quic, memory, fetch }: Pick<Config, 'network' | 'quic' | 'memory' | 'fetch'>
): ExtraConnections {
  return new ExtraConnections(
    { libp2p: host.libp2p, signal: host.signal, clock },
    {
      maxWays: fetch.maxConnections,
      networkMemoryBytes: memory.network,
      maxConnectionDataBytes: quic.maxConnectionData,
      idleProtocol: controlProtocol(network.id)
    }
  )
}
