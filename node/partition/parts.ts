/** What a node does about partitions, put together: what it answers others, and what watches for it. */
import type { Clock } from '../../base/index.ts'
import { type Control, serveProbes } from '../../protocols/index.ts'
import type { Topology } from '../../topology/index.ts'
import type { Lifecycle } from '../lifecycle.ts'
import { type HealingModules, heal } from './healing.ts'
import type { PeerLosses } from './losses.ts'
import { type PartitionModules, PartitionWatcher } from './watcher.ts'

/** Begins to hear who leaves, and to tell peers that ask whom this node reaches. */
export function answerProbes({
  control,
  clock,
  losses,
  topology,
  lifecycle
}: {
  control: Control
  clock: Clock
  losses: PeerLosses
  topology: Topology
  lifecycle: Lifecycle
}): void {
  losses.watch(control)
  serveProbes({
    control,
    clock,
    hasFallenSilent: peerId => losses.detector.hasFallenSilent(peerId),
    roundTripMs: peerId => topology.views([peerId])[0]?.roundTrip?.smoothedMs,
    expectServing: () => lifecycle.require(['initializing', 'running'], 'serve')
  })
}

export const watchPartitions = (
  modules: Omit<PartitionModules, 'detector' | 'heal' | 'random'> & HealingModules & { losses: PeerLosses }
): PartitionWatcher =>
  new PartitionWatcher({
    ...modules,
    detector: modules.losses.detector,
    random: Math.random,
    heal: (sinceMs, signal) => heal(modules, sinceMs, signal)
  })
