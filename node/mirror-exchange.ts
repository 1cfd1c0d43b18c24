/** What nodes tell each other so that they can mirror, put together: who volunteers, what is wanted, and what is offered; and what is held here. */
import { statfs } from 'node:fs/promises'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { CID } from 'multiformats/cid'
import type { Registry as MetricsRegistry } from 'prom-client'
import type { Clock, Logger } from '../base/index.ts'
import type { Config } from '../config/index.ts'
import type { ContentStore, Database, IndexEntry, Registry, ReleaseRecord } from '../library/index.ts'
import { originOf } from '../mirror/index.ts'
import { askWanted, type Control, serveWanted } from '../protocols/index.ts'
import type { Topology } from '../topology/index.ts'
import type { NodeKey } from '../trust/index.ts'
import type { HomeLayout } from './home/layout.ts'
import type { Host } from './host/index.ts'
import type { Lifecycle } from './lifecycle.ts'
import { networkOfPeer } from './peer-network.ts'
import type { Blocking } from './services/blocking.ts'
import { Copies } from './services/mirroring/copies.ts'
import { CountedDemand } from './services/mirroring/counted-demand.ts'
import { Members } from './services/mirroring/members.ts'
import { ReleaseOffers } from './services/mirroring/release-offers.ts'
import type { WantedReleases } from './services/mirroring/types.ts'
import type { Pausable } from './services/pause.ts'
import type { PeerLedger } from './services/peer-ledger.ts'
import type { Violations } from './services/violations.ts'
import { nodeKeyOf } from './services/writer-key.ts'

/** Of a node that does not say where it is: all of those are one region. */
const NO_REGION = 'none'

export interface MirrorExchangeModules {
  host: Pick<Host, 'libp2p' | 'events' | 'peerId'>
  control: Control
  library: { database: Database; registry: Registry; content: Pick<ContentStore, 'stats'> }
  home: Pick<HomeLayout, 'segments'>
  nodeKey: NodeKey
  topology: Pick<Topology, 'ownRegion'>
  ledger: PeerLedger
  violations: Violations
  lifecycle: Lifecycle
  blocking: Blocking
  /** Whether a peer may read a release, and it is not blocked here. */
  mayRead(peerId: PeerId, record: ReleaseRecord): boolean | Promise<boolean>
  clock: Clock
  log: Logger
  metrics: MetricsRegistry
}

export interface MirrorExchange {
  readonly members: Members
  readonly demand: CountedDemand
  readonly offers: ReleaseOffers
  readonly wanted: WantedReleases
  /** What is held for others. */
  readonly copies: Copies
  /** What a pause stops, in this order. */
  readonly pausable: readonly Pausable[]
}

/** Answers peers from then on; `members` and `demand` are to be started. */
export async function mirrorExchangeOf(
  modules: MirrorExchangeModules,
  config: Config
): Promise<MirrorExchange> {
  const { host, control, library, violations, ledger, lifecycle, blocking, log } = modules
  const networkOf = (peerId: PeerId): string | undefined =>
    networkOfPeer(host, peerId.toString()) || undefined
  const isShown = (entry: IndexEntry): boolean => !entry.isClosed && blocking.blockOf(entry) === undefined
  const expectServing = (): void => lifecycle.require(['initializing', 'running'], 'serve')
  const onViolation = violations.of('mirroring')
  const shared = {
    ...modules,
    ...{ networkOf, isShown, expectServing, onViolation },
    database: library.database,
    registry: library.registry,
    key: modules.nodeKey.key,
    connected: () => host.libp2p.getPeers(),
    originOf: (peerId: PeerId) => originOf(nodeKeyOf(peerId), networkOf(peerId)),
    scoreOf: (peerId: string) => ledger.view.scoreOf(peerId),
    logger: log.child({ part: 'mirroring' })
  }
  const members = await membersOf(shared, modules, config)
  const demand = CountedDemand.open(shared, { halfLifeMs: config.mirror.halfLife })
  const isMember = (peerId: PeerId): boolean => members.isMember(nodeKeyOf(peerId))
  serveWanted({ ...shared, recordsNaming: recordsNaming(shared) })
  return {
    members,
    demand,
    offers: new ReleaseOffers({ ...shared, isMember }),
    copies: await Copies.open(shared),
    wanted: {
      recordsOf: (peerId, contents, signal) => askWanted({ control, onViolation }, peerId, contents, signal)
    },
    pausable: [demand, members]
  }
}

async function membersOf(
  shared: Omit<Parameters<typeof Members.open>[0], 'peerId'>,
  { host, topology, ...modules }: MirrorExchangeModules,
  config: Config
): Promise<Members> {
  const members = await Members.open(
    { ...shared, peerId: host.peerId },
    {
      isEnabled: config.mirroring.enabled,
      region: topology.ownRegion ?? NO_REGION,
      capacityBytes: await capacityBytes(modules, config)
    }
  )
  host.events.on('met', peerId => members.met(peerIdFromString(peerId)))
  return members
}

/** What this node gives at most: its quotas allow it, and its disk has it or had it. */
async function capacityBytes(
  { library, home }: Pick<MirrorExchangeModules, 'library' | 'home'>,
  { mirror, store }: Config
): Promise<number> {
  const { bavail, bsize } = await statfs(home.segments)
  const limits = [mirror.quota, store.quota].filter(bytes => bytes > 0)
  return Math.min(bavail * bsize + library.content.stats().bytes, ...limits)
}

/** Releases with some contents that peers are told of. */
const recordsNaming = ({
  registry,
  isShown,
  expectServing
}: {
  registry: Registry
  isShown(entry: IndexEntry): boolean
  expectServing(): void
}) =>
  async function* (contents: readonly CID[], signal: AbortSignal): AsyncGenerator<ReleaseRecord> {
    expectServing()
    for await (const entry of registry.naming(contents, signal)) {
      const record = isShown(entry) ? registry.read(entry) : undefined
      if (record !== undefined && registry.isOpen(record)) yield record
    }
  }
