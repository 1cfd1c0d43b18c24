import { Object as ObjectOf } from 'typebox'
import { choice, duration, flag, integer, list, PROFILES, size, text } from './builders.ts'

const LISTEN = {
  pattern: '^/(ip4|ip6)/[0-9a-fA-F.:]+/(udp/[0-9]{1,5}/quic-v1|tcp/[0-9]{1,5})$',
  rule: 'addresses such as /ip4/0.0.0.0/udp/4747/quic-v1 or /ip4/0.0.0.0/tcp/4747'
}
const ANNOUNCED = {
  pattern: '^/(ip4|ip6|dns|dns4|dns6)/[^/]+/(udp/[0-9]{1,5}/quic-v1|tcp/[0-9]{1,5})$',
  rule: 'addresses such as /dns4/catalog.example.org/udp/4747/quic-v1 or /dns4/catalog.example.org/tcp/4747'
}
const BOOTSTRAP = {
  pattern: '^/(ip4|ip6|dns|dns4|dns6|dnsaddr)/[^/]+(/.+)?$',
  rule: 'multiaddrs such as /ip4/192.0.2.7/udp/4747/quic-v1/p2p/12D3Koo… or /dnsaddr/example.org'
}
const PEER_IDS = {
  pattern: '^(12D3KooW|Qm|16Uiu2)[1-9A-HJ-NP-Za-km-z]+$',
  rule: 'peer ids such as 12D3KooW…'
}

/** Who we are on the network and whom we talk to. */
export const network = ObjectOf(
  {
    id: text({
      default: 'main',
      pattern: '^[a-z0-9][a-z0-9-]{0,31}$',
      rule: '1 to 32 of a-z, 0-9 and -, not starting with -',
      description:
        'Name of the network; part of every protocol name, so that nodes of different networks never mix.'
    }),
    profile: choice(PROFILES, {
      default: 'standard',
      description:
        'Set of overrides: `standard` none, `local` for a private network or test net, `server` for a rented machine on the Internet (dials and announces no private address, no mDNS).'
    }),
    listen: list({
      default: [
        '/ip4/0.0.0.0/udp/4747/quic-v1',
        '/ip6/::/udp/4747/quic-v1',
        '/ip4/0.0.0.0/tcp/4747',
        '/ip6/::/tcp/4747'
      ],
      ...LISTEN,
      description:
        'Addresses to listen on, QUIC and, for peers whose network lets no UDP through, TCP; port 0 takes a free one.'
    }),
    announce: list({
      default: [],
      ...ANNOUNCED,
      description:
        'Addresses told to others beside those found by the node itself, as behind a forwarded port.'
    }),
    privateAddresses: choice(['auto', 'always', 'never'], {
      default: 'auto',
      profiles: { local: 'always', server: 'never' },
      description:
        'Whether private and loopback addresses are dialled and announced: `auto` while all own addresses are private.'
    }),
    portMapping: flag({
      default: true,
      profiles: { local: false, server: false },
      description:
        'Ask the router over UPnP to forward the ports; the address outside is announced once peers have found that it works.'
    }),
    bootstrap: list({
      default: [],
      ...BOOTSTRAP,
      description: 'Peers to join through; `catalog init --join INVITE` writes them.'
    }),
    allow: list({
      default: [],
      ...PEER_IDS,
      description:
        'When not empty, only these peers may connect: a private network. They also have reserved slots.'
    }),
    deny: list({ default: [], ...PEER_IDS, description: 'Peers that are never dialled and never let in.' }),
    peersWanted: integer({
      default: 100,
      max: 10_000,
      description: 'Connections the node seeks by itself; 0 seeks none.'
    }),
    maxConnections: integer({
      default: 300,
      min: 1,
      max: 10_000,
      description: 'Connections at most. Each may pin the windows under `quic` in memory.'
    }),
    reservedSlots: integer({
      default: 50,
      max: 10_000,
      description: 'Of these, kept for bootstrap and allow-listed peers.'
    }),
    maxInboundPerAddress: integer({
      default: 8,
      min: 1,
      max: 10_000,
      description: 'Inbound connections at most from one public IPv4 address or IPv6 /64.'
    }),
    // libp2p's default of 5 a second for each host silently starves a test net on one machine.
    inboundConnectionThreshold: integer({
      default: 100,
      min: 1,
      max: 10_000,
      description: 'New inbound connections a second that one host may open.'
    }),
    maxIncomingPending: integer({
      default: 100,
      min: 1,
      max: 10_000,
      description: 'Inbound connections that may be in their handshake at once.'
    }),
    dialTimeout: duration({
      default: '2s',
      min: '100ms',
      max: '5m',
      description: 'How long one address is tried.'
    }),
    batchSize: integer({
      default: 100,
      min: 1,
      max: 10_000,
      reservedFor: 'federated search',
      description: 'Records in one batch over the network.'
    })
  },
  { description: 'Who this node is on the network and whom it talks to.' }
)

/** Settings of QUIC; docs/transport.md says how they were measured. */
export const quic = ObjectOf(
  {
    maxIdleTimeout: duration({
      default: '10s',
      min: '1s',
      max: '10m',
      description: 'A connection without a packet for this long is lost.'
    }),
    keepAliveInterval: duration({
      default: '3s',
      min: '100ms',
      max: '5m',
      description: 'How often an idle connection shows that it lives; well below the idle time-out.'
    }),
    maxStreams: integer({
      default: 256,
      min: 16,
      max: 65_536,
      description: 'Streams a peer may have open at once, each way.'
    }),
    maxStreamData: size({
      default: '10MB',
      min: '64KiB',
      max: '1GiB',
      description: 'Bytes a peer may have in flight on one stream.'
    }),
    maxConnectionData: size({
      default: '15MB',
      min: '64KiB',
      max: '4GiB',
      description: 'Bytes a peer may have in flight on one connection.'
    }),
    socketBuffer: size({
      default: '4MB',
      min: '64KiB',
      max: '1GiB',
      description: "Send and receive buffer of the UDP socket; the system's limit may be lower."
    })
  },
  { description: 'The QUIC transport. The defaults are measured; change them only with a measurement.' }
)

export const dht = ObjectOf(
  {
    enabled: flag({
      default: true,
      description:
        'Take part in the distributed hash table that finds names; without it only connected peers are asked.'
    })
  },
  { description: 'The distributed hash table.' }
)

export const mdns = ObjectOf(
  {
    enabled: flag({
      default: true,
      profiles: { server: false },
      description: 'Find peers of the same network on the local network segment.'
    })
  },
  { description: 'Discovery on the local network.' }
)

export const relay = ObjectOf(
  {
    enabled: flag({
      default: true,
      profiles: { local: false },
      description:
        'Use relays: be reached through one when nobody can dial this node, and reach others that way. A direct connection replaces a relayed one where there can be one.'
    }),
    serve: flag({
      default: false,
      profiles: { server: true },
      description: 'Relay for others. Of use on a node that can be dialled from everywhere.'
    }),
    maxPeers: integer({
      default: 64,
      min: 1,
      max: 10_000,
      description: 'Peers that are reached through this node at once, when it relays.'
    }),
    dataLimit: size({
      default: '1GiB',
      min: '64KiB',
      description:
        'Bytes carried for one relayed connection, both ways together; then it is cut, and the peers go on with another.'
    }),
    durationLimit: duration({
      default: '1h',
      min: '10s',
      max: '24h',
      description: 'How long one relayed connection is carried.'
    })
  },
  { description: 'Relays, for peers that cannot be dialled.' }
)

export const announce = ObjectOf(
  {
    wait: integer({
      default: 0,
      max: 20,
      description:
        'Peers that must hold the announcement before `catalog publish` returns, unless --wait says otherwise.'
    }),
    interval: duration({
      default: '22h',
      min: '1h',
      max: '24h',
      description:
        'Every announced key is announced again within this time, spread evenly over it; others forget it after 25 hours.'
    })
  },
  { description: 'Telling others what this node serves.' }
)
