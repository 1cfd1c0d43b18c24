import { percentile } from '../../base/index.ts'
import { healthOf, type PeerView, regionKey, type Scored, type Topology } from '../../topology/index.ts'
import type { PartitionShape } from '../partition-schemas.ts'
import type { TopologyPeer, TopologyReply } from '../topology-schemas.ts'
import type { TopologyService } from './types.ts'

export interface TopologyServiceModules {
  topology: Pick<Topology, 'all' | 'lateMs' | 'strategy' | 'ownRegion'>
  partition(): PartitionShape
}

/** The network as it is seen from here, for operators. */
export function createTopologyService(
  { topology, partition }: TopologyServiceModules,
  { peerId }: { peerId: string }
): TopologyService {
  const shapeOf = ({ view, score }: Scored): TopologyPeer => ({
    peerId: view.peerId,
    connection: view.way,
    region: view.region,
    roundTripMs: view.roundTrip?.smoothedMs ?? null,
    p95Ms: view.roundTrip?.p95Ms ?? null,
    lateMs: Math.ceil(topology.lateMs(view.peerId)),
    goodput: { down: view.goodput.down ?? null, up: view.goodput.up ?? null },
    failureRate: view.failureRate,
    uptime: view.uptime,
    transfers: view.load.transfers,
    ...healthShape(view),
    score
  })
  return {
    show(strategy = topology.strategy) {
      const scored = topology.all(strategy)
      return {
        self: { peerId, region: topology.ownRegion ?? null },
        strategy,
        isInForce: strategy === topology.strategy,
        partition: partition(),
        regions: regionsOf(scored.map(({ view }) => view)),
        peers: scored.map(shapeOf)
      }
    }
  }
}

function healthShape(view: PeerView): Pick<TopologyPeer, 'health' | 'reasons'> {
  const { health, reasons } = healthOf(view)
  return { health, reasons: [...reasons] }
}

/** The nearest first; those of which nothing was measured last. */
function regionsOf(views: readonly PeerView[]): TopologyReply['regions'] {
  const median = (peers: readonly PeerView[]): number | null =>
    percentile(
      peers.flatMap(({ roundTrip }) => roundTrip?.smoothedMs ?? []),
      0.5
    ) ?? null
  return [...Map.groupBy(views, ({ region }) => regionKey(region)).values()]
    .map(peers => ({
      ...peers[0]!.region,
      peers: peers.length,
      connected: peers.filter(({ way }) => way !== 'away').length,
      roundTripMs: median(peers)
    }))
    .sort((a, b) => (a.roundTripMs ?? Number.MAX_VALUE) - (b.roundTripMs ?? Number.MAX_VALUE))
}
