/**
 * One scorer for all strategies. What is known of a peer becomes factors between 0 and 1, of which more is better; a strategy is how much
 * each of them weighs, and a score their weighted mean. What was not measured counts as PRIOR, which is better than most
 * measurements are: whoever is new is tried, and from then on what it does counts.
 */
import { MIB } from '../base/index.ts'
import type { PeerView } from './peer.ts'
import { areaOf, type Distance, distanceOf } from './region.ts'

export const FACTORS = ['path', 'latency', 'bandwidth', 'proximity', 'steadiness', 'spare'] as const
export type Factor = (typeof FACTORS)[number]
export type Factors = Readonly<Record<Factor, number>>
/** How much each factor weighs; what is absent weighs nothing. */
export type Weights = Readonly<Partial<Record<Factor, number>>>

/** What is taken for granted of who was not measured: as after a round trip of 17 ms, or at 12 MB/s. */
const PRIOR = 0.75
/** A direct connection is one hop, one through a relay two. Who is not connected is one hop away, once it was dialled. */
const HOPS = { direct: 1, away: 1.5, relayed: 2 } as const
/** Where a factor is a half: what is good on the Internet, so that the scale is widest there. */
const HALF_LATENCY_MS = 50
const HALF_BANDWIDTH = 4_000_000
const HALF_LOAD_BYTES = 64 * MIB
/** How near a distance is. The same label is nearest of all, one of another area not nearer than `region`. */
const NEARNESS: Readonly<Record<Distance, number>> = { near: 0.9, region: 0.7, continent: 0.4, far: 0.1 }
const SAME_AREA = 0.85
/** What a peer that is never there keeps of its steadiness: it may be new in the morning. */
const LEAST_FOR_UPTIME = 0.5

/** `ownRegion`: the label of this node's region; undefined when it has none. */
export function factorsOf(view: PeerView, ownRegion: string | undefined): Factors {
  const { way, roundTrip, goodput, failureRate, uptime, load } = view
  const latencyMs = roundTrip?.smoothedMs
  return {
    path: 1 / HOPS[way],
    latency: latencyMs === undefined ? PRIOR : HALF_LATENCY_MS / (HALF_LATENCY_MS + latencyMs),
    bandwidth: goodput.down === undefined ? PRIOR : goodput.down / (goodput.down + HALF_BANDWIDTH),
    proximity: proximity(view, ownRegion),
    steadiness: (1 - failureRate) * (LEAST_FOR_UPTIME + (1 - LEAST_FOR_UPTIME) * uptime),
    spare: 1 / (1 + load.transfers + load.bytes / HALF_LOAD_BYTES)
  }
}

/** 0 to 1, more is better. */
export function scoreOf(factors: Factors, weights: Weights): number {
  let [sum, whole] = [0, 0]
  for (const factor of FACTORS) {
    const weight = weights[factor] ?? 0
    sum += weight * factors[factor]
    whole += weight
  }
  return whole === 0 ? 0 : sum / whole
}

/** A label counts only as far as the round trip allows: nobody of the own region is a continent away. */
function proximity({ region, roundTrip }: PeerView, ownRegion: string | undefined): number {
  const distance = roundTrip === undefined ? undefined : distanceOf(roundTrip.smoothedMs)
  const measured = distance === undefined ? PRIOR : NEARNESS[distance]
  if (region.source !== 'told' || ownRegion === undefined) return measured
  if (areaOf(region.name) !== areaOf(ownRegion)) return Math.min(measured, NEARNESS.region)
  if (region.name !== ownRegion) return distance === 'far' ? measured : SAME_AREA
  return distance === 'continent' || distance === 'far' ? measured : 1
}
