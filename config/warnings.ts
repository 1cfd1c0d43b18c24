/** What is allowed and probably not meant, which never stops the daemon, and what contradicts itself, which does. */
import { BlockList, isIP } from 'node:net'
import { displaySize, formatDuration } from '../base/index.ts'
import { CONFIG_KEYS } from './keys.ts'
import type { Config } from './schema/index.ts'

/** Connections beyond which the windows of QUIC pin more memory than a small machine has. */
const MAX_SENSIBLE_CONNECTIONS = 300

type Rule = (config: Config) => string | false

/** One row per rule: the sentence to print, or false. */
const RULES: readonly Rule[] = [
  ({ network }) =>
    isServer(network) &&
    network.privateAddresses !== 'never' &&
    `network.privateAddresses is '${network.privateAddresses}' in the server profile: hosters take dials to private addresses for a network scan`,
  ({ network }) =>
    isServer(network) &&
    network.announce.some(isPrivateAddress) &&
    `network.announce has a private address in the server profile (${network.announce.filter(isPrivateAddress).join(', ')}): nobody outside can dial it`,
  ({ network, mdns }) =>
    isServer(network) &&
    mdns.enabled &&
    'mdns.enabled is true in the server profile: neighbours at the hoster are strangers',
  ({ network, quic }) =>
    network.maxConnections > MAX_SENSIBLE_CONNECTIONS &&
    `network.maxConnections is ${network.maxConnections}, above ${MAX_SENSIBLE_CONNECTIONS}: peers may then pin ${displaySize(network.maxConnections * quic.maxConnectionData)} of stream windows before memory.network closes connections`,
  ({ network }) =>
    network.peersWanted > network.maxConnections &&
    `network.peersWanted (${network.peersWanted}) is above network.maxConnections (${network.maxConnections})`,
  ({ network }) =>
    network.reservedSlots >= network.maxConnections &&
    `network.reservedSlots (${network.reservedSlots}) leaves no connection for other peers`,
  ({ network }) =>
    network.allow.some(peer => network.deny.includes(peer)) &&
    'a peer is in both network.allow and network.deny: it is denied',
  ({ quic }) =>
    2 * quic.keepAliveInterval > quic.maxIdleTimeout &&
    `quic.keepAliveInterval (${formatDuration(quic.keepAliveInterval)}) is above half of quic.maxIdleTimeout (${formatDuration(quic.maxIdleTimeout)}): one lost packet ends an idle connection`,
  ({ quic }) =>
    quic.maxStreamData > quic.maxConnectionData &&
    'quic.maxStreamData is above quic.maxConnectionData, which then holds',
  ({ memory, quic }) =>
    memory.network < quic.maxConnectionData &&
    'memory.network is below quic.maxConnectionData: one slow connection can use it up',
  ({ dht, mdns, network }) =>
    !dht.enabled &&
    !mdns.enabled &&
    network.bootstrap.length === 0 &&
    'dht.enabled and mdns.enabled are false and network.bootstrap is empty: the node finds nobody by itself',
  ({ metrics }) =>
    metrics.listen !== '' &&
    !isLoopback(metrics.listen) &&
    `metrics.listen is ${metrics.listen}: whoever reaches that address may read all metrics`,
  ({ mirroring, mirror, store }) =>
    mirroring.enabled &&
    mirror.quota === 0 &&
    store.quota === 0 &&
    'mirroring.enabled without mirror.quota or store.quota: mirroring may fill the disk',
  ({ store }) =>
    store.lowWater > store.highWater && 'store.lowWater is above store.highWater, which then holds',
  ({ mirror }) =>
    !(mirror.min <= mirror.target && mirror.target <= mirror.max) &&
    `mirror.min (${mirror.min}), mirror.target (${mirror.target}) and mirror.max (${mirror.max}) do not ascend: each counts as the one before it at least`,
  ({ limits }) =>
    limits.up > 0 && limits.perPeerUp > limits.up && 'limits.perPeerUp is above limits.up, which then holds',
  ({ limits }) =>
    limits.down > 0 &&
    limits.perPeerDown > limits.down &&
    'limits.perPeerDown is above limits.down, which then holds',
  ({ store, 'store.s3': s3 }) =>
    store.backend === 's3' &&
    s3.endpoint.startsWith('http:') &&
    !isLocalEndpoint(s3.endpoint) &&
    `store.s3.endpoint (${s3.endpoint}) is not encrypted: who listens sees what is stored`,
  ({ store, 'store.s3': s3 }) =>
    store.backend === 's3' &&
    store.quota > 0 &&
    s3.backlog > store.quota &&
    'store.s3.backlog is above store.quota, which then holds'
]

const isServer = (network: Config['network']): boolean => network.profile === 'server'

/** Warnings about the effective values, then about reserved keys that were set. */
export function configWarnings(config: Config, origins: ReadonlyMap<string, string>): string[] {
  const broken = RULES.map(rule => rule(config)).filter(text => text !== false)
  const reserved = [...CONFIG_KEYS.values()]
    .filter(({ key, schema }) => schema.reservedFor !== undefined && isSet(origins.get(key)))
    .map(
      ({ key, schema }) => `${key} (${origins.get(key)}) is reserved: no effect before ${schema.reservedFor}`
    )
  return [...broken, ...reserved]
}

const isSet = (origin: string | undefined): boolean =>
  origin !== 'default' && origin?.startsWith('profile:') === false

const PRIVATE_ADDRESSES = new BlockList()
for (const [network, prefix] of [
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16]
] as const)
  PRIVATE_ADDRESSES.addSubnet(network, prefix, 'ipv4')
PRIVATE_ADDRESSES.addSubnet('fc00::', 7, 'ipv6')
PRIVATE_ADDRESSES.addSubnet('fe80::', 10, 'ipv6')
PRIVATE_ADDRESSES.addAddress('::1', 'ipv6')

/** Whether a multiaddr begins with an address that only its own network can reach. */
function isPrivateAddress(address: string): boolean {
  const [, family, host = ''] = address.split('/')
  if (family === 'ip4') return PRIVATE_ADDRESSES.check(host, 'ipv4')
  return family === 'ip6' && PRIVATE_ADDRESSES.check(host, 'ipv6')
}

/** Whether an http(s) address is of this machine or its own network. */
function isLocalEndpoint(endpoint: string): boolean {
  const url = URL.parse(endpoint)
  // What is no URL is refused elsewhere (contradictions.ts).
  if (url === null) return true
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (host === 'localhost') return true
  const family = isIP(host)
  return family !== 0 && PRIVATE_ADDRESSES.check(host, family === 4 ? 'ipv4' : 'ipv6')
}

/** Of an address with its port. */
const isLoopback = (listen: string): boolean => /^(127\.|\[::1\]:)/.test(listen)
