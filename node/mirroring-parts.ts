/** What nodes tell each other so that they can mirror, put together. */
import { statfs } from 'node:fs/promises'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Registry as MetricsRegistry } from 'prom-client'
import type { Clock, Logger } from '../base/index.ts'
import type { Config } from '../config/index.ts'
import type { ContentStore, Database } from '../library/index.ts'
import { originOf } from '../mirror/index.ts'
import type { Control } from '../protocols/index.ts'
import type { Topology } from '../topology/index.ts'
import type { NodeKey } from '../trust/index.ts'
import { networkOfPeer } from './fairness.ts'
import type { HomeLayout } from './home/layout.ts'
import type { Host } from './host/index.ts'
import { Members } from './services/mirroring/members.ts'
import type { Violations } from './services/violations.ts'
import { nodeKeyOf } from './services/writer-key.ts'

/** Of a node that does not say where it is: all of those are one region. */
const NO_REGION = 'none'

export interface MirroringModules {
  host: Pick<Host, 'libp2p' | 'events' | 'peerId'>
  control: Control
  library: { database: Database; content: Pick<ContentStore, 'stats'> }
  home: Pick<HomeLayout, 'segments'>
  nodeKey: NodeKey
  topology: Pick<Topology, 'ownRegion'>
  violations: Violations
  clock: Clock
  log: Logger
  metrics: MetricsRegistry
}

/** Answers peers from then on. */
export async function membersOf(modules: MirroringModules, config: Config): Promise<Members> {
  const { host, library, nodeKey, topology, violations, log } = modules
  const members = await Members.open(
    {
      ...modules,
      database: library.database,
      key: nodeKey.key,
      peerId: host.peerId,
      connected: () => host.libp2p.getPeers(),
      originOf: peerId => originOfPeer(host, peerId),
      onViolation: violations.of('members'),
      logger: log.child({ part: 'members' })
    },
    {
      isEnabled: config.mirroring.enabled,
      region: topology.ownRegion ?? NO_REGION,
      capacityBytes: await capacityBytes(modules, config)
    }
  )
  host.events.on('met', peerId => members.met(peerIdFromString(peerId)))
  return members
}

/** Who counts as one: all in a public network, or a peer that is in none. */
const originOfPeer = (host: Pick<Host, 'libp2p'>, peerId: PeerId): string =>
  originOf(nodeKeyOf(peerId), networkOfPeer(host, peerId.toString()) || undefined)

/** What this node gives at most: its quotas allow it, and its disk has it or had it. */
async function capacityBytes(
  { library, home }: Pick<MirroringModules, 'library' | 'home'>,
  { mirror, store }: Config
): Promise<number> {
  const { bavail, bsize } = await statfs(home.segments)
  const limits = [mirror.quota, store.quota].filter(bytes => bytes > 0)
  return Math.min(bavail * bsize + library.content.stats().bytes, ...limits)
}
