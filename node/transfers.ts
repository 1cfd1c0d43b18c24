/** What moves content between this node and its peers, both ways, and proves that it is there, under one throttle. */
import type { PeerId } from '@libp2p/interface'
import type { Registry as MetricsRegistry } from 'prom-client'
import type { Clock, Logger } from '../base/index.ts'
import type { Config } from '../config/index.ts'
import type { ContentStore, Database, Registry, ReleaseRecord } from '../library/index.ts'
import {
  ByteMaps,
  type ContentServer,
  type Control,
  createContentServer,
  createFetcher,
  type Fetcher,
  PartialContents,
  ProofClient,
  ProofServer,
  RecordClient,
  type Throttle
} from '../protocols/index.ts'
import type { Topology } from '../topology/index.ts'
import type { Host } from './host/index.ts'
import { extraConnections } from './host-options.ts'
import type { CountedDemand } from './services/mirroring/counted-demand.ts'
import type { MemberDirectory } from './services/mirroring/types.ts'
import type { PeerLedger } from './services/peer-ledger.ts'
import { PeerLimits } from './services/peer-limits.ts'
import type { Violations } from './services/violations.ts'
import { downloadBudget, throttleOf } from './throttling.ts'

export interface TransfersModules {
  host: Host
  control: Control
  library: { database: Database; registry: Registry; content: ContentStore }
  ledger: PeerLedger
  demand: Pick<CountedDemand, 'sent' | 'summary'>
  members: Pick<MemberDirectory, 'ownRecord'>
  violations: Violations
  topology: Topology
  /** Whether a peer may read a release. */
  mayRead(peerId: PeerId, record: ReleaseRecord): boolean | Promise<boolean>
  clock: Clock
  log: Logger
  metrics: MetricsRegistry
}

export interface FetchPace {
  receivedBytes: number
  prefetch: number
}

export interface Transfers {
  readonly throttle: Throttle
  readonly peerLimits: PeerLimits
  readonly contentServer: ContentServer
  /** Gives content and proofs to peers, as one; not started. */
  readonly serving: Pick<ContentServer, 'start' | 'stop'>
  readonly records: RecordClient
  readonly fetcher: Fetcher
  /** Bytes that came and were right, since the start, and how many requests for more a source has at most; it may be changed. */
  readonly pace: FetchPace
  /** Has peers prove what they hold. */
  readonly proofs: ProofClient
}

export async function createTransfers(modules: TransfersModules, config: Config): Promise<Transfers> {
  const {
    host,
    control,
    library,
    ledger,
    demand,
    members,
    violations,
    topology,
    mayRead,
    clock,
    log,
    metrics
  } = modules
  const { network, limits, peers, fetch } = config
  const networkId = network.id
  const throttle = throttleOf({ host, clock, metrics, weightOf: ledger.weightOf }, limits)
  const records = new RecordClient({ control, clock, onViolation: violations.of('records') })
  const shared = {
    libp2p: host.libp2p,
    partials: new PartialContents(),
    registry: library.registry,
    store: library.content,
    clock,
    metrics
  }
  const { upload } = throttle
  const contentServer = createContentServer(
    { ...shared, upload, log: log.child({ part: 'content' }) },
    {
      networkId,
      maxPriority: peers.maxClass,
      mayRead,
      onServed: (peerId, bytes, tookMs) => topology.given(peerId.toString(), bytes, tookMs),
      onSent: (peerId, record, bytes, priority) => {
        ledger.sent(peerId.toString(), record, bytes)
        // What nobody waits for is no demand: else each copy that is made would be a reason for another one.
        if (priority !== 'low') demand.sent(peerId, record, bytes)
      },
      onViolation: violations.of('content')
    }
  )
  const maps = new ByteMaps(shared)
  const pace: FetchPace = { receivedBytes: 0, prefetch: fetch.prefetch }
  const proofServer = new ProofServer(
    { ...shared, maps, upload, log: log.child({ part: 'proof' }) },
    {
      networkId,
      mayRead,
      told: { member: () => members.ownRecord(), demand: () => demand.summary() }
    }
  )
  return {
    pace,
    throttle,
    peerLimits: await PeerLimits.open({ database: library.database, throttle, logger: log }),
    records,
    contentServer,
    serving: {
      start: async () => void (await Promise.all([contentServer.start(), proofServer.start()])),
      stop: async () => void (await Promise.all([contentServer.stop(), proofServer.stop()]))
    },
    proofs: new ProofClient({ ...shared, maps }, { networkId }),
    fetcher: createFetcher(
      {
        ...shared,
        opener: extraConnections({ host, clock }, config),
        budget: downloadBudget(throttle),
        records,
        memory: topology,
        log: log.child({ part: 'fetch' })
      },
      {
        networkId,
        requestsInFlight: () => pace.prefetch,
        onStored: (peerId, record, bytes) => {
          pace.receivedBytes += bytes
          ledger.received(peerId.toString(), record, bytes)
        },
        onViolation: violations.of('fetch')
      }
    )
  }
}
