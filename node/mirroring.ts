/** What holds copies for others, put together: claims and proofs of other nodes, the planner, and the work that follows from its plans. */
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import type { Registry as MetricsRegistry } from 'prom-client'
import { type Clock, type Logger, MINUTE_MS, partMetrics, SECOND_MS } from '../base/index.ts'
import type { Config } from '../config/index.ts'
import { networkOf } from '../discovery/index.ts'
import { type ContentStore, type Database, type Registry, usableBytes } from '../library/index.ts'
import { decodeMember, MirrorPlanner, type MirrorPolicy } from '../mirror/index.ts'
import { type Control, HoldingsExchange, type MayRead, type ProofClient } from '../protocols/index.ts'
import type { Topology } from '../topology/index.ts'
import { bytesEqual } from '../trust/index.ts'
import type { EventHub } from './events.ts'
import type { Host } from './host/index.ts'
import type { Blocking } from './services/blocking.ts'
import type { ConflictPolicies } from './services/conflict-policies.ts'
import type { Fetching } from './services/fetching.ts'
import { Claimed } from './services/mirroring/claimed.ts'
import type { Copies } from './services/mirroring/copies.ts'
import { Draining } from './services/mirroring/draining.ts'
import { Holders } from './services/mirroring/holders.ts'
import { Mirroring } from './services/mirroring/mirroring.ts'
import { takeOffers } from './services/mirroring/offered.ts'
import { PeerPossession } from './services/mirroring/possession.ts'
import { MAX_RELEASES, MirrorReleases } from './services/mirroring/releases.ts'
import { createMirrorService } from './services/mirroring/service.ts'
import { createNoMirrorService } from './services/mirroring/service-off.ts'
import { steadyClock } from './services/mirroring/steady-clock.ts'
import type { DemandBook, MemberDirectory, Offers, WantedReleases } from './services/mirroring/types.ts'
import { WantedContents } from './services/mirroring/wanted.ts'
import { MirrorWork } from './services/mirroring/work.ts'
import type { Network } from './services/network.ts'
import type { Ongoing } from './services/ongoing.ts'
import type { PartitionWatch } from './services/partition-types.ts'
import { classesOf } from './services/release-filter.ts'
import type { MirrorService } from './services/types.ts'
import type { Violations } from './services/violations.ts'
import { nodeKeyOf } from './services/writer-key.ts'

/** Of writing the announcement of a copy down; it goes on in discovery. */
const ANNOUNCE_MS = MINUTE_MS

export interface MirroringPartsModules {
  host: Pick<Host, 'peerId' | 'peers' | 'events' | 'addresses'>
  control: Control
  database: Database
  registry: Registry
  content: ContentStore
  blocking: Blocking
  policies: ConflictPolicies
  network: Network
  topology: Topology
  fetching: Fetching
  copies: Copies
  members: MemberDirectory
  demand: DemandBook
  offers: Offers
  wanted: WantedReleases
  /** Has peers prove what they hold. */
  proofs: Pick<ProofClient, 'challenge'>
  violations: Pick<Violations, 'of'>
  mayRead: MayRead
  /** Whether the network is split. */
  partition: Pick<PartitionWatch, 'isFrozen' | 'onChange'>
  events: EventHub
  clock: Clock
  logger: Logger
  metrics: MetricsRegistry
  /** Uniform in [0, 1). */
  random?: () => number
}

export interface MirroringParts {
  readonly service: MirrorService
  /** Undefined on a node that mirrors nothing. */
  readonly ongoing: Ongoing | undefined
  /** To be told when other releases have come to be known here. */
  releasesChanged(): void
}

export async function createMirroring(
  parts: MirroringPartsModules,
  { mirroring: { enabled }, mirror, store, sync }: Config
): Promise<MirroringParts> {
  const clock = steadyClock(parts.clock)
  const modules = { ...parts, clock }
  const { host, control, members, copies } = modules
  const policy = policyOf(mirror, store)
  if (!enabled) {
    const count = await modules.copies.letGoOfAll()
    if (count > 0) modules.logger.info({ count }, 'mirroring is off: copies are kept no more')
    // Who is switched on again volunteers, whatever was before.
    await Draining.open(parts).forget()
    return {
      service: createNoMirrorService(modules, policy),
      ongoing: undefined,
      releasesChanged: () => undefined
    }
  }
  const { random = Math.random } = modules
  const claimed = new Claimed()
  // Since when is kept beyond the process, so by the machine's clock.
  const draining = Draining.open(parts)
  const planner = new MirrorPlanner({ self: members.own(), network: ownNetwork(host), policy })
  const changed = (): void => mirroring.changed()
  const releases = new MirrorReleases(
    { ...modules, planner, holdersOf: content => claimed.holdersOf(content) },
    { maxReleases: MAX_RELEASES, listed: classesOf(mirror.list), classes: classesOf(sync.priority) }
  )
  const exchange = new HoldingsExchange({
    control,
    clock,
    holds: content => mirroring.holds(content.toString()),
    onTold: (peerId, told) => mirroring.told(peerId.toString(), told)
  })
  const possession = possessionOf(modules, releases)
  const holders = new Holders(
    { ...modules, possession, exchange, planner, releases, claimed, changed, random },
    { self: host.peerId, graceMs: mirror.grace, intervalMs: mirror.interval, copies: policy.target }
  )
  const totals = { taken: 0, takenBytes: 0, failed: 0, dropped: 0, droppedBytes: 0 }
  const work = new MirrorWork({
    ...{ ...modules, releases, holders, changed, random, totals },
    announce: async ({ id, release: { name } }, signal) => {
      await modules.network.announce(
        { names: [name], ids: [id] },
        { wait: 0, timeoutMs: ANNOUNCE_MS },
        signal
      )
    }
  })
  const metrics = partMetrics(modules.metrics, 'mirror')
  const planning = metrics.histogram('plan_seconds')
  const mirroring = new Mirroring(
    {
      ...{ ...modules, planner, releases, holders, work, draining },
      wantedContents:
        mirror.accept === 'network' ? new WantedContents({ ...modules, releases, changed }) : undefined,
      onDisconnected: listener => {
        host.events.on('disconnected', listener)
        return () => host.events.off('disconnected', listener)
      },
      onPlanned: (_plan, tookMs) => planning.observe(tookMs / SECOND_MS)
    },
    { policy, intervalMs: mirror.interval }
  )
  metrics.gauge('held_copies', () => copies.size)
  metrics.gauge('used_bytes', () => mirroring.last?.plan.usedBytes ?? 0)
  metrics.gauge('held_back_copies', () => mirroring.last?.plan.heldBack.length ?? 0)
  metrics.gauge('waiting_proofs', () => holders.waiting)
  takeOffers({ ...modules, planner, releases, mirroring, draining })
  const service = createMirrorService({
    ...{ ...modules, mirroring, releases, claimed, holders, work, draining, totals }
  })
  return { service, ongoing: mirroring, releasesChanged: () => mirroring.releasesChanged() }
}

/** Challenges about what is known here; what comes with a proof joins what is known of members and of demand. */
function possessionOf(
  { proofs, registry, members, demand, violations, ...modules }: MirroringPartsModules,
  releases: Pick<MirrorReleases, 'of'>
): PeerPossession {
  return new PeerPossession({
    ...modules,
    client: proofs,
    releaseOf(content) {
      const release = releases.of(content.toString())
      return release === undefined ? undefined : registry.get(release.record)
    },
    onViolation: violations.of('proofs'),
    onMember(peerId, bytes) {
      // A peer tells its own, and nobody else's.
      if (bytesEqual(decodeMember(bytes).node, nodeKeyOf(peerIdFromString(peerId)))) members.hear(bytes)
    },
    onDemand: (peerId, bytes) => demand.hearSummary(peerIdFromString(peerId), bytes)
  })
}

/** Each number counts as the one before it at least, and the store's quota holds too. */
export function policyOf(mirror: Config['mirror'], store: Pick<Config['store'], 'quota'>): MirrorPolicy {
  const target = Math.max(mirror.min, mirror.target)
  const quotas = [mirror.quota, store.quota === 0 ? 0 : usableBytes(store.quota)].filter(quota => quota > 0)
  return {
    min: mirror.min,
    target,
    max: Math.max(target, mirror.max),
    graceMs: mirror.grace,
    quotaBytes: quotas.length === 0 ? 0 : Math.min(...quotas),
    repairBudgetBytes: mirror.repairBudget,
    accept: mirror.accept,
    strategy: mirror.strategy,
    isFrozen: false,
    isDraining: false
  }
}

/** The public network of this node's own addresses, where it has one. */
const ownNetwork = (host: Pick<Host, 'addresses'>): string | undefined =>
  host
    .addresses()
    .map(address => networkOf(multiaddr(address)))
    .find(network => network !== undefined)
