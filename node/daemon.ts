/**
 * The composition root: everything a node is made of is built here, in the order in which it stands, and stopped in the
 * reverse order. Nothing below knows what is above it; whoever wants to know what a node consists of reads
 * `createDaemon` from top to bottom.
 */
import { privateKeyFromProtobuf } from '@libp2p/crypto/keys'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { Registry as MetricsRegistry } from 'prom-client'
import { type Clock, SECOND_MS, timeoutSignal } from '../base/index.ts'
import type { LoadedConfig } from '../config/index.ts'
import type { ReleaseRecord } from '../library/index.ts'
import { createControl, GoodbyeReason, serveRecords } from '../protocols/index.ts'
import { conflictRules, LibrarySets } from '../sync/index.ts'
import { loadNodeKey } from '../trust/index.ts'
import { serveAdmin } from './admin/server.ts'
import { Streams } from './admin/streams.ts'
import { alertingOf } from './alerting.ts'
import { announcedBy } from './announced.ts'
import { watchAnomalies } from './anomaly-watching.ts'
import { Background } from './background.ts'
import { buildServices } from './build-services.ts'
import { EventHub } from './events.ts'
import { fairnessOf } from './fairness.ts'
import { removeClaim, writeClaim } from './home/claim.ts'
import { readKnownFormat } from './home/format.ts'
import type { HomeLayout } from './home/layout.ts'
import { openHomeLibrary } from './home-library.ts'
import { createHost } from './host/index.ts'
import { hostOptions } from './host-options.ts'
import { hangUpUnwanted, unwantedPeers, watchGoodbyes } from './leaving.ts'
import { Lifecycle } from './lifecycle.ts'
import type { Logging } from './logging/logging.ts'
import { controlOptions, healthOf, topologyOf } from './measuring.ts'
import { createNodeMetrics } from './metrics.ts'
import { serveMetrics } from './metrics-listener.ts'
import { mirrorExchangeOf } from './mirror-exchange.ts'
import { createMirroring } from './mirroring.ts'
import { createNetwork } from './network.ts'
import { OperationManager } from './operations.ts'
import { PeerLosses } from './partition/losses.ts'
import { answerProbes, watchPartitions } from './partition/parts.ts'
import { servedWhileRunning } from './served-while-running.ts'
import { BlockDropping } from './services/block-dropping.ts'
import { Blocking } from './services/blocking.ts'
import { ClosedSources } from './services/closed-sources.ts'
import { Collecting } from './services/collecting.ts'
import { ConflictPolicies } from './services/conflict-policies.ts'
import { FetchFailures } from './services/fetch-failures.ts'
import { FetchJobs } from './services/fetch-jobs.ts'
import { Fetching } from './services/fetching.ts'
import { HeadRenewal } from './services/head-renewal.ts'
import { LibraryAnnouncing } from './services/library-announcing.ts'
import { Offloading } from './services/offloading.ts'
import { OperationQueue } from './services/operation-queue.ts'
import { PeerBans } from './services/peer-bans.ts'
import { Replaying } from './services/replaying.ts'
import { Scrubbing } from './services/scrubbing.ts'
import { sparePeers } from './services/spare-peers.ts'
import { nodeKeyOf } from './services/writer-key.ts'
import { expectReadable } from './settings-check.ts'
import { Shutdown } from './shutdown.ts'
import { SyncParts } from './sync-parts.ts'
import { startTracing } from './tracing/tracing.ts'
import { createTransfers } from './transfers.ts'
import { Tuning } from './tuning/tuning.ts'
import { VERSION } from './version.ts'
import { watchParts } from './watch.ts'

/** All of a stop: what has not ended by then is cut. */
export const STOP_TIMEOUT_MS = 10 * SECOND_MS
/** Of it, for operations under way to end by themselves; a fetch that does not goes on at the next start. */
const DRAIN_MS = 2 * SECOND_MS

export interface DaemonModules {
  logging: Logging
  clock: Clock
  metrics?: MetricsRegistry
}

export interface DaemonOptions {
  /** Opened and migrated. */
  home: HomeLayout
  config: LoadedConfig
  /** Reads the configuration anew after a change of its file, or as it would be with another text in that. */
  reloadConfig(text?: string): LoadedConfig
}

/** A node that runs. */
export interface Daemon {
  readonly peerId: string
  readonly addresses: string[]
  readonly socketPath: string
  readonly lifecycle: Lifecycle
  /** Stops everything within 10 s; returns the names of parts that did not stop in good order. Later calls wait for the first. */
  stop(reason: string): Promise<string[]>
}

/**
 * Builds a node and starts it; when this resolves it serves its socket and the network, and begins to work in the background. HOME_LOCKED,
 * SOCKET_IN_USE, LISTEN_FAILED, CONFIG_BAD_VALUE and the errors of the home; what was built before the failure is stopped again.
 */
export async function createDaemon(modules: DaemonModules, options: DaemonOptions): Promise<Daemon> {
  const { clock } = modules
  const shutdown = new Shutdown({ clock })
  try {
    return await build(modules, options, shutdown)
  } catch (error) {
    await shutdown.run(modules.logging.logger, timeoutSignal(STOP_TIMEOUT_MS))
    throw error
  }
}

async function build(modules: DaemonModules, options: DaemonOptions, shutdown: Shutdown): Promise<Daemon> {
  const { logging, clock, metrics: registry = new MetricsRegistry() } = modules
  const { home, config } = options
  const { values } = config
  expectReadable(config)
  const log = logging.logger
  const socketPath = values.admin.socket || home.socket

  // What the node holds. Opening it takes the lock on the home; from here on the home is ours.
  const library = await openHomeLibrary(
    { log: log.child({ part: 'library' }), clock, metrics: registry },
    home,
    values
  )
  shutdown.leave('library', () => library.close())
  // A newer Catalog may have migrated it before the lock was ours.
  await readKnownFormat(home)
  const startedAt = new Date(clock.now()).toISOString()
  await writeClaim(home, { pid: process.pid, startedAt, socket: socketPath, version: VERSION })
  shutdown.leave('claim', () => removeClaim(home))

  // The node's own state: nothing of it touches disk or network.
  const lifecycle = new Lifecycle()
  const events = new EventHub({ clock })
  const operations = new OperationManager(
    { clock },
    { maxRunning: values.operations.max, timeoutMs: values.operations.timeout }
  )
  const metrics = createNodeMetrics({ lifecycle, operations, errors: logging.errors, registry })
  shutdown.leave('metrics', () => metrics.close())
  const anomalies = watchAnomalies({ operations, metrics, events, clock, logger: log })

  // The network: connections, then small messages over them, then what is answered and asked with those.
  const nodeKey = await loadNodeKey(home.nodeKey)
  const privateKey = privateKeyFromProtobuf(nodeKey.protobuf)
  const peerId = peerIdFromPrivateKey(privateKey).toString()
  await startTracing({ clock, logger: log, metrics: registry, shutdown }, { peerId, config: values })
  const sets = new LibrarySets(
    { library, clock, log: log.child({ part: 'libraries' }) },
    { writer: nodeKey.key.publicKey }
  )
  const bans = await PeerBans.open({ database: library.database, clock, logger: log })
  const isBanned = (peerId: string): boolean => bans.isBanned(peerId)
  const { violations, refusal } = unwantedPeers({ host: () => host, isBanned, clock, log, metrics: registry })
  const host = await createHost(
    { privateKey, peersFolder: home.peers, log, clock, metrics: registry, refusal },
    hostOptions(values)
  )
  shutdown.leave('host', () => host.stop())
  hangUpUnwanted(host, refusal, log)
  const topology = topologyOf({ host, clock, metrics: registry }, values.topology)
  const losses = new PeerLosses({ host, clock })
  const control = createControl(
    { libp2p: host.libp2p, log: log.child({ part: 'control' }), clock, metrics: registry },
    {
      networkId: values.network.id,
      agent: `catalog/${VERSION}`,
      ...controlOptions(topology, losses, anomalies),
      onViolation: violations.of('control')
    }
  )
  const blocking = await Blocking.open({ database: library.database, clock, logger: log })
  serveRecords({
    control,
    registry: servedWhileRunning(library.registry, { lifecycle, blocking }),
    clock,
    metrics: registry
  })
  answerProbes({ control, clock, losses, topology, lifecycle })
  await control.start()
  shutdown.leave('control', () => control.stop())
  const ledger = await fairnessOf(
    { host, control, nodeKey, library, sets, violations, clock, logger: log, metrics: registry },
    values.incentives,
    shutdown
  )
  const mayRead = (peerId: PeerId, record: ReleaseRecord): boolean | Promise<boolean> =>
    !blocking.isBlocked(record) && sets.access.admitsTo(record, nodeKeyOf(peerId))
  const peerParts = { host, control, library, ledger, violations, topology, mayRead }
  const transferring = { ...peerParts, clock, log, metrics: registry }
  const exchange = await mirrorExchangeOf({ ...transferring, home, nodeKey, lifecycle, blocking }, values)
  const { pace, throttle, peerLimits, contentServer, serving, proofs, records, fetcher } =
    await createTransfers({ ...transferring, ...exchange }, values)
  await serving.start()
  shutdown.leave('content server', () => serving.stop())

  // Who holds what: telling others, and asking them.
  const { libraryKeys, schedule, discovery } = await announcedBy(
    { ...transferring, privateKey, nodeKey, sets, copies: exchange.copies },
    values
  )
  await discovery.start()
  shutdown.leave('discovery', () => discovery.stop())
  const direct = createNetwork({ host, discovery, records, fetcher, onOutcome: ledger.fetched })
  const health = healthOf({ clock, isBanned, losses, topology, anomalies })
  watchGoodbyes({ control, health, discovery, host, log })
  const network = sparePeers(direct, health)

  // What the node does for its clients, and by itself.
  const jobs = new FetchJobs({ database: library.database })
  const policies = new ConflictPolicies(
    { database: library.database },
    { rules: conflictRules(values.conflicts) }
  )
  const shared = {
    host,
    control,
    database: library.database,
    registry: library.registry,
    content: library.content,
    blocking,
    sets,
    policies,
    network,
    topology,
    schedule,
    clock,
    logger: log,
    events,
    operations,
    metrics: registry
  }
  const failures = new FetchFailures({ clock })
  const { quota: quotaBytes, highWater, lowWater } = values.store
  const collecting = new Collecting({ ...shared, jobs }, { quotaBytes, highWater, lowWater })
  library.content.onGrown(collecting.grown)
  const dropping = new BlockDropping({ ...shared, collecting })
  const closedSources = new ClosedSources({ ...shared, access: sets.access }, { self: host.peerId })
  const sources = { direct, closedSources }
  const fetching = new Fetching({ ...shared, ...sources, failures, jobs, collecting, dropping }, values.fetch)
  const tuning = new Tuning({ turns: fetching.turns, pace, ...shared }, values)
  const background = new Background({ ...shared, jobs, fetching })
  const scrubbing = new Scrubbing(
    { ...shared, fetching },
    { intervalMs: values.store.scrubInterval, rate: values.store.scrubRate }
  )
  const { bucket } = library.content
  const libraryAnnouncing = new LibraryAnnouncing({ ...shared, keys: libraryKeys })
  const syncParts = await SyncParts.create(
    {
      ...shared,
      libraryAnnouncing,
      libraryKeys,
      libp2p: host.libp2p,
      peerId: host.peerId,
      network: direct,
      contentServer,
      fetching,
      violations
    },
    values
  )
  shutdown.leave('sync server', () => syncParts.close())
  const queue = new OperationQueue({ database: library.database, clock })
  const replaying = new Replaying({
    ...shared,
    queue,
    handlers: {
      fetch: (request, context) => fetching.fetch(request, context),
      sync: (request, context) => syncParts.syncing.sync(request, context)
    }
  })
  const partsToHeal = { following: syncParts, replaying }
  const partition = watchPartitions({ ...shared, ...partsToHeal, losses })
  const mirroring = await createMirroring(
    { ...shared, ...exchange, proofs, violations, mayRead, fetching, partition },
    values
  )
  const renewal = new HeadRenewal({ sets, clock, logger: log })
  const offloading =
    bucket === undefined ? undefined : new Offloading({ bucket, clock, logger: log, metrics: registry })
  const alerting = alertingOf(
    { ...modules, ...shared, home, host, partition, discovery, syncParts, violations, offloading },
    values
  )
  const services = buildServices(
    {
      ...shared,
      library,
      alerting,
      anomalies,
      tuning,
      lifecycle,
      metrics,
      logging,
      fetching,
      syncing: syncParts.syncing,
      collecting,
      dropping,
      jobs,
      queue,
      failures,
      health,
      throttle,
      peerLimits,
      bans,
      ledger,
      violations,
      discovery,
      nodeKey,
      scrubbing,
      offloading,
      libraryAnnouncing,
      onAudienceChanged: () => syncParts.audiencesChanged(),
      onBlocksChanged: () => mirroring.releasesChanged(),
      following: syncParts,
      partition,
      mirroring: mirroring.service,
      copies: exchange.copies,
      pausable: [
        partition,
        ...(mirroring.ongoing === undefined ? [] : [mirroring.ongoing]),
        background,
        replaying,
        scrubbing,
        renewal,
        libraryAnnouncing,
        ...syncParts.pausable,
        ...(offloading === undefined ? [] : [offloading]),
        { pause: () => serving.stop(), resume: () => serving.start() },
        ...exchange.pausable,
        ledger
      ]
    },
    { ...options, startedMs: clock.monotonicMs() }
  )

  // The socket, last: whoever reaches it finds everything behind it. On the way down it stays until the operations have
  // ended, so that those who wait for one get its result.
  const streams = new Streams({ clock })
  const routes = async () => (await import('./admin/routes/index.ts')).adminRoutes(services, streams)
  const admin = await serveAdmin(
    { routes, metrics, streams, logger: log.child({ part: 'admin' }) },
    { socketPath }
  )
  shutdown.leave('metrics over TCP', await serveMetrics({ registry, clock, logger: log }, values.metrics))
  shutdown.leave('admin', deadline => admin.close(deadline))
  shutdown.leave('operations', deadline =>
    operations.close(AbortSignal.any([deadline, timeoutSignal(DRAIN_MS)]))
  )

  // Ready. The way down begins with what is written here: no new work, and a goodbye while connections are open.
  watchParts({ lifecycle, operations, host, events, logger: log })
  lifecycle.transition('running', 'started')
  const ongoing = {
    background,
    partition,
    queue: replaying,
    ...(offloading === undefined ? {} : { bucket: offloading }),
    scrub: scrubbing,
    heads: renewal,
    'library keys': libraryAnnouncing,
    members: exchange.members,
    demand: exchange.demand,
    following: syncParts,
    ...(mirroring.ongoing === undefined ? {} : { mirroring: mirroring.ongoing }),
    alerts: alerting,
    tuning
  }
  for (const part of Object.values(ongoing)) part.start()
  shutdown.leave('goodbye', deadline => {
    host.leave()
    return control.goodbyeAll(GoodbyeReason.Shutdown, deadline)
  })
  for (const [name, part] of Object.entries(ongoing)) shutdown.leave(name, () => part.stop())
  shutdown.leave('fetching', () => fetching.stop())

  let stopping: Promise<string[]> | undefined
  return {
    peerId: host.peerId,
    addresses: host.addresses(),
    socketPath,
    lifecycle,
    stop(reason) {
      stopping ??= stopAll(reason)
      return stopping
    }
  }

  async function stopAll(reason: string): Promise<string[]> {
    if (lifecycle.state !== 'shutting-down') lifecycle.transition('shutting-down', reason)
    const failed = await shutdown.run(log, timeoutSignal(STOP_TIMEOUT_MS))
    lifecycle.transition('stopped', reason)
    return failed
  }
}
