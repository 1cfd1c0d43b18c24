/**
 * Where a peer is: the region that its operator has given a label, or else how far away it was measured to be. A label is a claim, which
 * anybody can make; the round trip is a measurement, which a peer can only make longer.
 */
import { REGION_LABEL } from '../config/index.ts'

/** Classes of the round trip, the nearest first. */
export const DISTANCES = ['near', 'region', 'continent', 'far'] as const
export type Distance = (typeof DISTANCES)[number]

/** Below these round trips in milliseconds: one site, one region of a cloud and its neighbours, one continent. */
const BELOW_MS: readonly (readonly [Distance, number])[] = [
  ['near', 5],
  ['region', 40],
  ['continent', 120]
]

/** Told by the peer, measured from here, or not known yet. */
export type RegionSource = 'told' | 'measured' | 'unknown'

export interface Region {
  readonly name: string
  readonly source: RegionSource
}

export const distanceOf = (roundTripMs: number): Distance =>
  BELOW_MS.find(([, limitMs]) => roundTripMs < limitMs)?.[0] ?? 'far'

/** The label of a region as a peer told it; undefined for none, and for what is no label. */
export const labelOf = (told: string): string | undefined => (REGION_LABEL.test(told) ? told : undefined)

export function regionOf(label: string | undefined, roundTripMs: number | undefined): Region {
  if (label !== undefined) return { name: label, source: 'told' }
  if (roundTripMs !== undefined) return { name: distanceOf(roundTripMs), source: 'measured' }
  return { name: 'unknown', source: 'unknown' }
}

/** `eu` of `eu/fra`; a place without an area is one of its own. */
export const areaOf = (label: string): string => label.split('/')[0]!

/** Regions that are the same have the same key: a label may have the name of a distance. */
export const regionKey = ({ name, source }: Region): string => `${source} ${name}`
