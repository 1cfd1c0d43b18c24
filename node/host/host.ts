import { EventEmitter } from 'node:events'
import { getSystemErrorName } from 'node:util'
import type { Connection, Libp2p, PeerId, PeerInfo } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Multiaddr } from '@multiformats/multiaddr'
import { CatalogError, type Logger, makeFolder } from '../../base/index.ts'
import { isLocalAddress } from '../../discovery/index.ts'
import { connectionRttMs, controlProtocol } from '../../protocols/index.ts'
import { isRelayed, parseAddress, peerIdOf, withPeer } from './addresses.ts'
import { dialPeer } from './dial.ts'
import { seekDirectWays } from './direct-way.ts'
import { Gater } from './gater.ts'
import { Identifier } from './identifier.ts'
import { checkPeers, machineAddresses, watchInterfaces } from './interfaces.ts'
import { forgetOldTags, Keeper } from './keeper.ts'
import { buildLibp2p } from './libp2p.ts'
import { LocalDiscovery } from './local-discovery.ts'
import { MemoryGuard } from './memory-guard.ts'
import { hostMetrics } from './metrics.ts'
import type { HostOptions } from './options.ts'
import { PeerDatastore } from './peer-datastore.ts'
import { parsePeerId } from './peer-id.ts'
import { mapPorts } from './port-mapping.ts'
import { ownAddresses, Reach } from './reach.ts'
import { Relays } from './relays.ts'
import { shutDown } from './shutdown.ts'
import { watchSilence } from './silence.ts'
import { StaleConnections } from './stale-connections.ts'
import type {
  ConnectedPeer,
  Goodbye,
  Host,
  HostEvents,
  HostModules,
  HostServices,
  Reachability
} from './types.ts'
import { WayBack } from './way-back.ts'

interface Parts {
  readonly modules: HostModules
  readonly libp2p: Libp2p<HostServices>
  readonly datastore: PeerDatastore
  readonly gater: Gater
  readonly reach: Reach
  readonly log: Logger
  readonly events: EventEmitter<HostEvents>
}

class Libp2pHost implements Host {
  readonly libp2p: Libp2p<HostServices>
  readonly events: EventEmitter<HostEvents>
  readonly keeper: Keeper
  readonly #wayBack: WayBack
  readonly #parts: Parts
  readonly #identifier: Identifier
  readonly #goodbyes = new Set<Goodbye>()
  readonly #controller = new AbortController()
  #stopping: Promise<void> | undefined

  constructor(parts: Parts) {
    this.#parts = parts
    this.libp2p = parts.libp2p
    this.events = parts.events
    this.#identifier = new Identifier(parts.libp2p, parts.log, peerId => this.#emit('met', peerId))
    new StaleConnections({
      libp2p: parts.libp2p,
      identifier: this.#identifier,
      log: parts.log,
      onReplaced: peerId => this.#emit('replaced', peerId)
    }).watch()
    this.keeper = new Keeper({
      libp2p: parts.libp2p,
      clock: parts.modules.clock,
      log: parts.log,
      random: Math.random,
      dial: (address, signal) => this.#dial(address, signal),
      onUnreachable: (...args) => this.#emit('unreachable', ...args)
    })
    this.#wayBack = new WayBack({
      clock: parts.modules.clock,
      log: parts.log,
      metrics: parts.modules.metrics,
      random: Math.random,
      isConnected: peer => parts.libp2p.getConnections(peer).length > 0,
      dial: (peer, signal) =>
        dialPeer(parts.libp2p, this.#identifier, parseAddress(`/p2p/${peer.toString()}`), signal)
    })
    this.#listen()
  }

  get peerId(): string {
    return this.libp2p.peerId.toString()
  }

  /** Ends when the host stops. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  addresses(): string[] {
    return this.libp2p.getMultiaddrs().map(String)
  }

  reachability(): Reachability {
    return this.#parts.reach.now
  }

  peers(): ConnectedPeer[] {
    const byPeer = Map.groupBy(this.libp2p.getConnections(), ({ remotePeer }) => remotePeer.toString())
    return [...byPeer.values()].map(describePeer)
  }

  async connect(address: string, signal?: AbortSignal): Promise<ConnectedPeer> {
    const target = parseAddress(address)
    if (this.signal.aborted) throw new CatalogError('SHUTTING_DOWN', 'the host is shutting down')
    const peerId = peerIdOf(target)
    const refusal = peerId === undefined ? undefined : this.#parts.modules.refusal?.(peerId)
    if (refusal !== undefined) throw refusal
    const connection = await this.#dial(target, signal)
    const all = this.libp2p.getConnections(connection.remotePeer)
    return describePeer(all.length > 0 ? all : [connection])
  }

  async disconnect(peerId: string): Promise<void> {
    const peer = parsePeerId(peerId)
    if (this.libp2p.getConnections(peer).length === 0)
      throw new CatalogError('NOT_FOUND', `there is no connection to ${peerId}`, {
        hint: '`catalog peers list` shows who is connected'
      })
    this.keeper.unkeepPeer(peer.toString())
    await this.libp2p.hangUp(peer)
    this.#wayBack.forget(peer.toString())
  }

  async left(peer: PeerId): Promise<void> {
    await this.keeper.left(peer)
    await this.libp2p.hangUp(peer)
    this.#wayBack.forget(peer.toString())
  }

  keep(address: string): void {
    this.keeper.keep(parseAddress(address))
  }

  tried(): Promise<void> {
    return this.keeper.tried()
  }

  onGoodbye(goodbye: Goodbye): () => void {
    this.#goodbyes.add(goodbye)
    return () => this.#goodbyes.delete(goodbye)
  }

  leave(): void {
    this.keeper.stop()
    this.#wayBack.stop()
    this.#parts.gater.leave()
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    const { libp2p, datastore, log, modules } = this.#parts
    this.#controller.abort(new CatalogError('SHUTTING_DOWN', 'the host is shutting down'))
    this.keeper.stop()
    this.#wayBack.stop()
    await shutDown({ libp2p, datastore, log, clock: modules.clock, goodbyes: [...this.#goodbyes] })
  }

  /** Everything that goes on by itself while the host runs; nothing of it rejects. */
  runInBackground(guard: MemoryGuard, portMapping: boolean): void {
    const { libp2p, signal } = this
    const { log, reach, modules } = this.#parts
    void guard.run(signal)
    void reach.run(signal)
    const onChange = (change: { gone: string[]; come: string[] }): void => {
      log.info(change, 'the addresses of this machine have changed')
      this.keeper.redialAll()
      this.#wayBack.changed()
      void checkPeers(libp2p, log, signal)
    }
    void watchInterfaces({ clock: modules.clock, list: machineAddresses, onChange }, signal)
    if (portMapping) void mapPorts(libp2p, log, signal)
  }

  /** Tells of an eviction. */
  evicted(peerId: string, pinnedBytes: number): void {
    this.#emit('evicted', peerId, pinnedBytes)
  }

  #dial(address: Multiaddr, signal: AbortSignal | undefined): Promise<Connection> {
    return this.#parts.gater.dialWanted(address, () =>
      dialPeer(this.libp2p, this.#identifier, address, signal)
    )
  }

  #listen(): void {
    this.libp2p.addEventListener('peer:connect', ({ detail }) => {
      this.#wayBack.returned(detail.toString())
      const connections = this.libp2p.getConnections(detail)
      if (connections.length > 0) this.#emit('connected', describePeer(connections))
    })
    this.libp2p.addEventListener('peer:disconnect', ({ detail }) => {
      this.keeper.disconnected(detail)
      this.#wayBack.lost(detail)
      this.#emit('disconnected', detail.toString())
    })
    watchSilence(this.libp2p, peerId => this.#emit('silent', peerId))
    this.libp2p.addEventListener('peer:reconnect-failure', ({ detail }) =>
      this.keeper.reconnectFailed(detail)
    )
  }

  #emit<K extends keyof HostEvents>(event: K, ...args: HostEvents[K]): void {
    try {
      // The map types of EventEmitter do not resolve for a generic event name.
      ;(this.events as EventEmitter).emit(event, ...args)
    } catch (error) {
      this.#parts.log.error({ event, err: error }, 'a listener of the host failed')
    }
  }
}

/**
 * Opens the peer store, builds libp2p, listens, and begins to look for peers: bootstrap peers are dialled in the background.
 * LISTEN_FAILED names the address; DISK_IO when the peer store cannot be opened; KEY_INVALID; PEER_ADDRESS_INVALID for a
 * bootstrap address.
 */
export async function createHost(modules: HostModules, options: HostOptions): Promise<Host> {
  const log = modules.log.child({ part: 'host' })
  const bootstrap = options.bootstrap.map(parseAddress)
  const datastore = await openPeerStore(log, modules.peersFolder)
  // Gater, discovery and metrics are asked only once libp2p exists, which needs them to be built.
  let libp2p: Libp2p<HostServices> | undefined
  let host: Libp2pHost | undefined
  const unwanted = (peerId: string): 'banned' | 'misbehaved' | undefined => {
    const refusal = modules.refusal?.(peerId)
    return refusal && (refusal.code === 'PEER_BANNED' ? 'banned' : 'misbehaved')
  }
  const connections = (): Connection[] => libp2p?.getConnections() ?? []
  const usesLocalAddresses = localAddressRule(options, () => libp2p)
  const metrics = hostMetrics(modules.metrics, {
    connections,
    pinnedBytes: () => guard.pinnedBytes(),
    reachability: () => host?.reachability() ?? { state: 'local', relays: [] }
  })
  const gater = new Gater(
    { connections, usesLocalAddresses, unwanted, onRefused: metrics.refused },
    { ...options, bootstrap }
  )
  const guard = new MemoryGuard(
    {
      clock: modules.clock,
      log,
      connections,
      onEvicted: (peerId, bytes) => {
        metrics.evicted()
        host?.evicted(peerId, bytes)
      }
    },
    { ...options.quic, networkMemoryBytes: options.networkMemoryBytes }
  )
  const discovery = new LocalDiscovery({
    clock: modules.clock,
    metrics: modules.metrics,
    log,
    isWanted: peerId =>
      host !== undefined &&
      !host.signal.aborted &&
      connections().length < options.peersWanted &&
      !connections().some(({ remotePeer }) => remotePeer.toString() === peerId),
    // Its addresses here, before those that the peer store may know elsewhere and behind relays.
    dial: async ({ id, multiaddrs }: PeerInfo) =>
      await libp2p?.dial(
        multiaddrs.filter(address => !isRelayed(address)).map(address => withPeer(address, id))
      )
  })
  try {
    libp2p = await buildLibp2p(
      {
        privateKey: modules.privateKey,
        datastore,
        gater,
        metrics: modules.metrics,
        usesLocalAddresses,
        ownAddresses: () => ownAddresses(libp2p),
        discovery: options.mdns ? discovery.service(options.networkId) : undefined
      },
      options
    )
    await forgetOldTags(libp2p)
    const reach = new Reach({
      libp2p,
      clock: modules.clock,
      log,
      dht: options.dht ? libp2p.services.dht : undefined,
      relays: options.relay.use ? new Relays({ libp2p, clock: modules.clock, log }) : undefined
    })
    host = new Libp2pHost({ modules, libp2p, datastore, gater, reach, log, events: new EventEmitter() })
    seekDirectWays({
      libp2p,
      clock: modules.clock,
      log,
      signal: host.signal,
      idleProtocol: controlProtocol(options.networkId)
    })
    await start(libp2p, options.listen)
  } catch (error) {
    await datastore.close()
    throw error
  }
  await introduce(libp2p, bootstrap)
  for (const address of bootstrap) host.keeper.keep(address)
  // Without AutoNAT nobody would find out whether a mapped port works.
  host.runInBackground(guard, options.portMapping && options.privateAddresses !== 'always')
  log.info({ peer: host.peerId, addresses: host.addresses() }, 'the host is on the network')
  return host
}

/** Has all addresses of a bootstrap peer known before the first is dialled, so that TCP can stand in for QUIC. */
async function introduce(libp2p: Libp2p, bootstrap: readonly Multiaddr[]): Promise<void> {
  for (const [id, multiaddrs] of Map.groupBy(bootstrap, peerIdOf))
    if (id !== undefined) await libp2p.peerStore.merge(peerIdFromString(id), { multiaddrs })
}

async function openPeerStore(log: Logger, folder: string): Promise<PeerDatastore> {
  const datastore = new PeerDatastore({ log }, folder)
  try {
    makeFolder(folder, 0o700)
    await datastore.open()
    return datastore
  } catch (error) {
    throw new CatalogError('DISK_IO', `the peer store in ${folder} cannot be opened`, { cause: error })
  }
}

/** libp2p tells why only in a text of many lines, with stacks: `/ip4/…: Error: Address already in use (os error 98)`. */
const LISTEN_REASON = /^\s*\/\S+: (?:\w*Error: )?(.+)$/m
const OS_ERROR = /\(os error (\d+)\)/
/** As Node says it, of TCP. */
const NODE_ERROR = /\b(EADDRINUSE|EADDRNOTAVAIL|EACCES)\b/
const LISTEN_HINTS: Record<string, string> = {
  EADDRINUSE: 'something else listens there: free the port or give another with --listen',
  EADDRNOTAVAIL: 'that is no address of this machine: give one that is, or 0.0.0.0, with --listen',
  EACCES: 'this user may not listen there: give a port of 1024 or above with --listen'
}

async function start(libp2p: Libp2p, listen: readonly string[]): Promise<void> {
  try {
    await libp2p.start()
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const failed = listen.filter(address => message.includes(address))
    if (failed.length === 0) throw error
    const reason = LISTEN_REASON.exec(message)?.[1] ?? 'libp2p does not say why'
    const number = Number(OS_ERROR.exec(reason)?.[1] ?? 0)
    const name = number > 0 ? getSystemErrorName(-number) : NODE_ERROR.exec(reason)?.[1]
    const hint = name === undefined ? undefined : LISTEN_HINTS[name]
    throw new CatalogError('LISTEN_FAILED', `could not listen on ${failed.join(', ')}: ${reason}`, {
      details: { addresses: failed },
      ...(hint === undefined ? {} : { hint }),
      cause: error
    })
  }
}

/** `auto`: local addresses are used while the node has no other. */
function localAddressRule(
  { privateAddresses }: HostOptions,
  libp2p: () => Libp2p | undefined
): () => boolean {
  if (privateAddresses !== 'auto') return () => privateAddresses === 'always'
  return () =>
    (
      libp2p() as { components?: { transportManager: { getAddrs(): Multiaddr[] } } } | undefined
    )?.components?.transportManager
      .getAddrs()
      .filter(address => !isRelayed(address))
      .every(isLocalAddress) ?? true
}

/** All connections of one peer as one entry. */
function describePeer(connections: readonly Connection[]): ConnectedPeer {
  const oldest = connections.reduce((a, b) => (b.timeline.open < a.timeline.open ? b : a))
  return {
    peerId: oldest.remotePeer.toString(),
    addresses: connections.map(({ remoteAddr }) => remoteAddr.toString()),
    isRelayed: connections.every(({ remoteAddr }) => isRelayed(remoteAddr)),
    direction: oldest.direction,
    connectedAtMs: oldest.timeline.open,
    rttMs: connectionRttMs(oldest),
    streams: connections.reduce((sum, { streams }) => sum + streams.length, 0)
  }
}
