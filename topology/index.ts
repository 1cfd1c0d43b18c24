/**
 * Topology: the network as it is seen from this node. It keeps what was measured of each peer (round trips, goodput both ways, failures,
 * uptime), says in which region a peer is and how well it does, and puts peers in order by one of six strategies
 * (docs/topology.md). It also tells a partition of the network from peers that are off (`partition/`). It measures nothing itself, asks nobody, and decides neither what is fetched nor whether a peer may be asked:
 * a peer can make its measurements worse, and tell a label, and that is all it can do here. In: events with a clock; out: views of
 * peers, orders, and how long to wait before another one is asked.
 */
export { HEALTH_CODES, type Health, type HealthReason, healthOf } from './health.ts'
export type { LoadFigures } from './measure/load.ts'
export type { RoundTripFigures } from './measure/round-trip.ts'
export {
  type Healed,
  PARTITION_STATES,
  PartitionDetector,
  type PartitionName,
  type PartitionReport,
  type PartitionState
} from './partition/detector.ts'
export type { LostPeer } from './partition/live-peers.ts'
export { type Placed, spread } from './partition/spread.ts'
export { type Judgement, judge, type Vote } from './partition/votes.ts'
export type { PeerView, Way } from './peer.ts'
export { type Region, type RegionSource, regionKey } from './region.ts'
export type { Scored } from './strategies.ts'
export { Topology, type TopologyModules, type TopologyOptions } from './topology.ts'
