import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import type { Clock, Logger } from '../base/index.ts'
import { CatalogError, recently, SECOND_MS, toCatalogError } from '../base/index.ts'
import type { LoadedConfig } from '../config/index.ts'
import { type Discovery, encodeInvite } from '../discovery/index.ts'
import {
  type BlockId,
  type ContentStore,
  HOME_LIBRARY,
  type Library,
  type Registry
} from '../library/index.ts'
import type { Control, Throttle } from '../protocols/index.ts'
import type { LibrarySets } from '../sync/index.ts'
import type { Topology } from '../topology/index.ts'
import type { NodeKey } from '../trust/index.ts'
import type { Anomalies } from './anomalies/anomalies.ts'
import { BackingUp } from './backup/backing-up.ts'
import type { EventHub } from './events.ts'
import type { HomeLayout } from './home/layout.ts'
import { openOtherLibrary } from './home-library.ts'
import type { Host } from './host/index.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Logging } from './logging/logging.ts'
import type { NodeMetrics } from './metrics.ts'
import type { OperationManager } from './operations.ts'
import { explained } from './partition/explaining.ts'
import type { PartitionWatcher } from './partition/watcher.ts'
import type { PartitionShape } from './partition-schemas.ts'
import { registerReadings } from './readings.ts'
import type { AnnouncementSchedule } from './schedule.ts'
import type { Alerting } from './services/alerts/alerting.ts'
import type { BlockDropping } from './services/block-dropping.ts'
import type { Blocking } from './services/blocking.ts'
import { createBlocks } from './services/blocks.ts'
import { Bundling } from './services/bundling.ts'
import { createChanges } from './services/changes.ts'
import type { Collecting } from './services/collecting.ts'
import { createConfigService } from './services/config.ts'
import type { ConflictPolicies } from './services/conflict-policies.ts'
import { createConflicts } from './services/conflicts.ts'
import { createContents } from './services/contents.ts'
import { Copying } from './services/copying.ts'
import { createDoctor } from './services/doctor.ts'
import { createErrors } from './services/errors.ts'
import type { FetchFailures } from './services/fetch-failures.ts'
import type { FetchJobs } from './services/fetch-jobs.ts'
import type { Fetching } from './services/fetching.ts'
import { createFreeBytes } from './services/free-bytes.ts'
import { Libraries } from './services/libraries.ts'
import type { LibraryAnnouncing } from './services/library-announcing.ts'
import type { Copies } from './services/mirroring/copies.ts'
import type { Network } from './services/network.ts'
import type { Offloading } from './services/offloading.ts'
import type { OperationQueue } from './services/operation-queue.ts'
import { createPause, type Pausable } from './services/pause.ts'
import type { PeerBans } from './services/peer-bans.ts'
import type { PeerHealth } from './services/peer-health.ts'
import type { PeerLedger } from './services/peer-ledger.ts'
import type { PeerLimits } from './services/peer-limits.ts'
import { createPeers } from './services/peers.ts'
import { createPublishing } from './services/publishing.ts'
import { createQueueing } from './services/queueing.ts'
import { createRates } from './services/rates.ts'
import { ReleaseAccess } from './services/release-access.ts'
import { createReleases } from './services/releases.ts'
import { createRetention } from './services/retention.ts'
import type { Scrubbing } from './services/scrubbing.ts'
import { createStatus } from './services/status.ts'
import { Subscribing } from './services/subscribing.ts'
import type { Syncing } from './services/syncing.ts'
import { createTopologyService } from './services/topology.ts'
import type { MirrorService, NodeServices } from './services/types.ts'
import { createVerification } from './services/verification.ts'
import type { Violations } from './services/violations.ts'
import { createWhy } from './services/why.ts'
import type { SyncParts } from './sync-parts.ts'
import type { Tuning } from './tuning/tuning.ts'
import { VERSION } from './version.ts'

export interface BuildModules {
  library: Pick<Library, 'holdState' | 'database' | 'remembered'>
  content: ContentStore
  registry: Registry
  network: Network
  topology: Topology
  schedule: AnnouncementSchedule
  clock: Clock
  logger: Logger
  events: EventHub
  operations: OperationManager
  lifecycle: Lifecycle
  metrics: NodeMetrics
  logging: Logging
  fetching: Fetching
  syncing: Syncing
  collecting: Collecting
  blocking: Blocking
  dropping: BlockDropping
  scrubbing: Scrubbing
  /** Only with a bucket. */
  offloading: Offloading | undefined
  policies: ConflictPolicies
  jobs: FetchJobs
  queue: OperationQueue
  failures: FetchFailures
  health: PeerHealth
  host: Host
  control: Control
  throttle: Throttle
  peerLimits: PeerLimits
  bans: PeerBans
  ledger: PeerLedger
  violations: Violations
  alerting: Alerting
  anomalies: Anomalies
  tuning: Tuning
  discovery: Discovery
  nodeKey: NodeKey
  /** Stopped by a pause in this order, and gone on with in reverse. */
  pausable: readonly Pausable[]
  sets: LibrarySets
  libraryAnnouncing: LibraryAnnouncing
  /** Told when somebody may have left the audience of a library. */
  onAudienceChanged(): Promise<void>
  /** Told when something else is blocked than before. */
  onBlocksChanged(): void
  mirroring: MirrorService
  /** What is held for others. */
  copies: Pick<Copies, 'of' | 'letGo'>
  following: Pick<SyncParts, 'follow' | 'follows' | 'imported'>
  partition: Pick<PartitionWatcher, 'shape'>
}

export interface BuildOptions {
  home: HomeLayout
  config: LoadedConfig
  reloadConfig(text?: string): LoadedConfig
  /** Monotonic time at which the daemon began. */
  startedMs: number
}

/** Everything that the admin API asks for, made from the parts of a node. */
export function buildServices(modules: BuildModules, options: BuildOptions): NodeServices {
  const { content, registry, host, control, throttle, clock, fetching, lifecycle, logging, logger } = modules
  const { following } = modules
  const partition = (): PartitionShape => modules.partition.shape()
  const whileParted = <Args extends unknown[], Result>(work: (...args: Args) => Promise<Result>) =>
    explained(work, partition, () => clock.now())
  const { home, config, reloadConfig, startedMs } = options
  const withAccess = { ...modules, access: new ReleaseAccess(modules) }
  const { values } = config
  const configuration = createConfigService(
    {
      ...{ loaded: config, reload: reloadConfig, logging, throttle },
      follow: lines => following.follow(lines),
      tune: isOn => modules.tuning.switch(isOn)
    },
    { file: home.config }
  )
  const status = createStatus(
    {
      lifecycle,
      operations: modules.operations,
      peerId: () => host.peerId,
      publicKey: modules.nodeKey.key.publicKey,
      addresses: () => host.addresses(),
      peers: () => host.peers().length,
      partition,
      reachability: () => host.reachability(),
      library: () => ({ revision: registry.revision(), releases: registry.count() }),
      root: () => rootOf(modules),
      store: () => content.stats(),
      holdings: () => content.holdings(),
      scrub: () => modules.scrubbing.lastPass,
      rssBytes: recently(clock, SECOND_MS, () => process.memoryUsage.rss()),
      freeBytes: createFreeBytes({ clock }, { folder: home.segments }),
      alerts: () => modules.alerting.active(),
      anomalies: () => modules.anomalies.active(),
      tuned: () => modules.tuning.tuned(),
      uptimeMs: () => clock.monotonicMs() - startedMs,
      queues: () => ({ fetches: fetching.active, announcements: modules.discovery.stats().pendingKeys }),
      skipped: () => modules.health.skipped(),
      limits: () => throttle.ofAll(),
      rates: createRates({ registry: modules.metrics.registry, clock })
    },
    { version: VERSION, quotaBytes: values.store.quota, peersWanted: values.network.peersWanted }
  )
  registerReadings(modules.metrics.registry, {
    status,
    alerting: modules.alerting,
    follows: () => following.follows()
  })
  return {
    version: VERSION,
    lifecycle,
    logging,
    errors: createErrors({ errors: logging.errors, clock }, { logs: home.logs }),
    logger,
    content,
    fetching: { fetch: whileParted((request, context) => fetching.fetch(request, context)) },
    syncing: {
      sync: whileParted((request, context) => modules.syncing.sync(request, context)),
      status: signal => modules.syncing.status(signal),
      forget: (library, signal) => modules.syncing.forget(library, signal)
    },
    subscribing: new Subscribing(
      { ...modules, config: configuration, follows: () => following.follows() },
      { self: host.peerId }
    ),
    libraries: new Libraries(
      { ...modules, announcing: modules.libraryAnnouncing },
      { writer: modules.nodeKey.key.publicKey }
    ),
    operations: modules.operations,
    events: modules.events,
    alerting: modules.alerting,
    anomalies: modules.anomalies,
    metrics: modules.metrics,
    publishing: createPublishing(withAccess, { defaultWait: values.announce.wait }),
    changes: createChanges(withAccess),
    releases: createReleases({ ...withAccess, remembered: modules.library.remembered }),
    conflicts: createConflicts(modules),
    verification: createVerification(modules),
    collecting: modules.collecting,
    retention: createRetention(withAccess),
    mirroring: modules.mirroring,
    contents: createContents(modules),
    copying: new Copying({
      ...modules,
      openOther: root => openOtherLibrary({ clock, log: logger.child({ part: 'other library' }) }, root, home)
    }),
    bundling: new Bundling(
      { ...modules, onCopied: (library, copy) => following.imported(library, copy) },
      {
        own: modules.nodeKey.key.publicKey,
        maxRecords: values.sync.maxRecords,
        maxBytes: values.sync.maxBytes
      }
    ),
    backingUp: new BackingUp({ ...modules, home }),
    queueing: createQueueing(modules),
    blocks: createBlocks(modules),
    why: createWhy(withAccess),
    peers: createPeers({
      ...modules,
      limits: modules.peerLimits,
      topology: modules.topology,
      agent: peerId => control.hello(peerIdFromString(peerId))?.agent
    }),
    topology: createTopologyService({ topology: modules.topology, partition }, { peerId: host.peerId }),
    pause: createPause({ lifecycle, parts: modules.pausable }),
    config: configuration,
    doctor: createDoctor({
      home,
      clock,
      addresses: () => host.addresses(),
      peers: () => host.peers().length,
      partition,
      reachability: () => host.reachability(),
      bootstraps: values.network.bootstrap,
      connected: () => host.peers().map(({ peerId }) => peerId),
      database: modules.library.database,
      isGood: id => isGood(content, id),
      alerts: () => modules.alerting.active(),
      store: () => content.stats(),
      holdings: () => content.holdings(),
      scrub: () => modules.scrubbing.lastPass,
      sets: modules.sets,
      probeStore: signal => readOneBack(modules, signal),
      bucket: content.bucket,
      offload: () => modules.offloading?.state
    }),
    status,
    invite: () => inviteOf(host, values.network.id)
  }
}

/** What `catalog verify --all` says of a tree that is damaged, the status does not. */
async function rootOf({ library, sets }: BuildModules): Promise<string | null> {
  const read = async () => Buffer.from((await sets.state(HOME_LIBRARY)).root).toString('hex')
  try {
    // That it could not be read is not remembered: the disk may do better the next time.
    return await library.remembered.of('home root', read)
  } catch {
    return null
  }
}

/** Reads the beginning of one content back, verified: enough to see a disk that is gone or damaged. */
async function readOneBack({ registry, content }: BuildModules, signal: AbortSignal): Promise<void> {
  const { releases } = await registry.list({ limit: 1, signal })
  const held = releases.find(({ release }) => content.localState(release.content) === 'complete')
  if (held === undefined) return
  const manifest = await content.openManifest(held.release.content, signal)
  await manifest.page(0, signal)
}

async function isGood(content: ContentStore, id: BlockId): Promise<boolean> {
  try {
    await content.readBlock(id)
    return true
  } catch (thrown) {
    const { code } = toCatalogError(thrown)
    if (code !== 'CONTENT_CORRUPT' && code !== 'CONTENT_MISSING') throw thrown
    return false
  }
}

/** An invite carries this many addresses at most. */
const MAX_INVITE_ADDRESSES = 16

function inviteOf(host: Host, networkId: string): string {
  const addresses = host.addresses().slice(0, MAX_INVITE_ADDRESSES)
  if (addresses.length === 0)
    throw new CatalogError('NO_PEERS', 'this node listens nowhere, so nobody can join through it', {
      hint: 'set network.listen'
    })
  return encodeInvite({ networkId, addresses: addresses.map(address => multiaddr(address)) })
}
