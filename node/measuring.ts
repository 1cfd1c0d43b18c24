/** What a node measures of its peers, put together: the topology hears of connections here, and of the rest where its callbacks are given. */
import type { Registry as MetricsRegistry } from 'prom-client'
import type { Clock } from '../base/index.ts'
import type { Config } from '../config/index.ts'
import type { ControlOptions } from '../protocols/index.ts'
import { Topology, type Way } from '../topology/index.ts'
import type { Anomalies } from './anomalies/anomalies.ts'
import type { Host } from './host/index.ts'
import type { PeerLosses } from './partition/losses.ts'
import { PeerHealth } from './services/peer-health.ts'

export interface MeasuringModules {
  host: Pick<Host, 'peers' | 'events'>
  clock: Clock
  metrics: MetricsRegistry
}

export function topologyOf({ host, clock, metrics }: MeasuringModules, config: Config['topology']): Topology {
  const ways = (): Map<string, Way> =>
    new Map(host.peers().map(({ peerId, isRelayed }) => [peerId, isRelayed ? 'relayed' : 'direct'] as const))
  const topology = new Topology({ clock, metrics, ways }, config)
  for (const { peerId } of host.peers()) topology.present(peerId, true)
  host.events.on('connected', ({ peerId }) => topology.present(peerId, true))
  host.events.on('disconnected', peerId => topology.present(peerId, false))
  return topology
}

/** What control tells the topology, and peers of it; and who has fallen silent. */
export const controlOptions = (
  topology: Topology,
  losses: PeerLosses,
  anomalies: Pick<Anomalies, 'roundTrip'>
): Pick<ControlOptions, 'region' | 'onHello' | 'onRoundTrip' | 'onSilent'> => ({
  onSilent: losses.onSilent,
  region: topology.ownRegion ?? '',
  onHello: (peerId, { region }) => topology.told(peerId.toString(), region),
  onRoundTrip: (peerId, tookMs) => {
    topology.roundTrip(peerId.toString(), tookMs)
    anomalies.roundTrip(peerId.toString(), tookMs)
  }
})

/** Whom to leave alone, told to the topology as well. */
export const healthOf = ({
  clock,
  isBanned,
  losses,
  topology,
  anomalies
}: {
  clock: Clock
  isBanned(peerId: string): boolean
  losses: PeerLosses
  topology: Topology
  anomalies: Pick<Anomalies, 'sample'>
}): PeerHealth =>
  new PeerHealth({
    clock,
    isBanned,
    isParted: peerId => losses.isParted(peerId),
    onOutcome: (peerId, isFailure) => {
      topology.asked(peerId, isFailure)
      anomalies.sample('peer-failures', isFailure ? 1 : 0)
    }
  })
