/** Who holds what, as the network is told and asked: the keys that this node announces again and again, and discovery. */
import type { PrivateKey } from '@libp2p/interface'
import type { Registry as MetricsRegistry } from 'prom-client'
import type { Clock, Logger } from '../base/index.ts'
import type { Config } from '../config/index.ts'
import { createDiscovery, type Discovery } from '../discovery/index.ts'
import type { ContentStore, Database } from '../library/index.ts'
import type { LibrarySets } from '../sync/index.ts'
import type { Topology } from '../topology/index.ts'
import type { NodeKey } from '../trust/index.ts'
import type { Host } from './host/index.ts'
import { AnnouncementSchedule } from './schedule.ts'
import { LibraryKeys } from './services/library-keys.ts'
import type { Copies } from './services/mirroring/copies.ts'

export interface AnnouncedModules {
  host: Pick<Host, 'libp2p'>
  privateKey: PrivateKey
  nodeKey: NodeKey
  library: { database: Database; content: Pick<ContentStore, 'localState'> }
  sets: LibrarySets
  /** What is held for others. */
  copies: Pick<Copies, 'held'>
  topology: Pick<Topology, 'order'>
  clock: Clock
  log: Logger
  metrics: MetricsRegistry
}

export interface Announced {
  readonly libraryKeys: LibraryKeys
  readonly schedule: AnnouncementSchedule
  /** Not started. */
  readonly discovery: Discovery
}

export async function announcedBy(
  modules: AnnouncedModules,
  { network, announce }: Config
): Promise<Announced> {
  const { host, nodeKey, library, sets, copies, topology, clock, log } = modules
  const { database } = library
  const libraryKeys = new LibraryKeys({ sets, clock, logger: log }, { writer: nodeKey.key.publicKey })
  const schedule = new AnnouncementSchedule(
    { database, clock, libraries: libraryKeys, mirrored: () => copies.held(library.content) },
    { intervalMs: announce.interval }
  )
  const discovery = await createDiscovery(
    {
      ...modules,
      libp2p: host.libp2p,
      database,
      keySource: signal => schedule.keys(signal),
      order: peerIds => topology.order(peerIds),
      log: log.child({ part: 'discovery' })
    },
    { networkId: network.id, announceIntervalMs: announce.interval }
  )
  return { libraryKeys, schedule, discovery }
}
