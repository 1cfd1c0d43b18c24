/**
 * The six strategies, each a set of weights for the one scorer, and how peers are put in order by one. Every strategy weighs
 * steadiness too: the best peer that does not answer is no good.
 */
import type { RoutingStrategy } from '../config/index.ts'
import type { PeerView } from './peer.ts'
import { regionKey } from './region.ts'
import { factorsOf, scoreOf, type Weights } from './score.ts'

export interface Strategy {
  readonly weights: Weights
  /** Whether each of the first is to be of another region, so that what takes one away leaves the others. */
  readonly spreads: boolean
}

export const STRATEGIES: Readonly<Record<RoutingStrategy, Strategy>> = {
  'shortest-path': { weights: { path: 8, latency: 1, steadiness: 1 }, spreads: false },
  'lowest-latency': { weights: { latency: 8, path: 1, steadiness: 1 }, spreads: false },
  'highest-bandwidth': { weights: { bandwidth: 7, latency: 1, path: 0.5, steadiness: 1.5 }, spreads: false },
  geographic: { weights: { proximity: 7, latency: 1.5, steadiness: 1.5 }, spreads: false },
  'load-balanced': { weights: { spare: 7, bandwidth: 1.5, steadiness: 1.5 }, spreads: false },
  'fault-tolerant': { weights: { steadiness: 6, latency: 2, path: 2 }, spreads: true }
}

export interface Scored {
  readonly view: PeerView
  readonly score: number
}

/** The best first; those that are as good stay in the order in which they were given. */
export function inOrder(
  views: readonly PeerView[],
  strategy: RoutingStrategy,
  ownRegion: string | undefined
): Scored[] {
  const { weights, spreads } = STRATEGIES[strategy]
  const scored = views
    .map(view => ({ view, score: scoreOf(factorsOf(view, ownRegion), weights) }))
    .sort((a, b) => b.score - a.score)
  return spreads ? spread(scored) : scored
}

/** The best of each region, then the second of each, and so on; the region of the best one first. */
function spread(scored: readonly Scored[]): Scored[] {
  const regions = [...Map.groupBy(scored, ({ view }) => regionKey(view.region)).values()]
  const rounds = Math.max(0, ...regions.map(({ length }) => length))
  return Array.from({ length: rounds }, (_, round) => regions.flatMap(peers => peers[round] ?? [])).flat()
}
