/** Views of peers for tests: as told, and ordinary in everything else. */
import fc from 'fast-check'
import type { PeerView } from '../../../topology/index.ts'
import { regionOf } from '../../../topology/region.ts'

export interface Told {
  readonly way?: PeerView['way']
  readonly label?: string
  readonly roundTripMs?: number
  readonly p95Ms?: number
  /** Bytes a second. */
  readonly down?: number
  readonly up?: number
  readonly failureRate?: number
  readonly uptime?: number
  readonly transfers?: number
  readonly loadBytes?: number
  readonly isReachedByOthers?: boolean
}

export function viewOf(peerId: string, told: Told = {}): PeerView {
  const { roundTripMs, p95Ms = roundTripMs } = told
  return {
    peerId,
    way: told.way ?? 'direct',
    region: regionOf(told.label, roundTripMs),
    roundTrip:
      roundTripMs === undefined
        ? undefined
        : { smoothedMs: roundTripMs, variationMs: 0, p95Ms: p95Ms!, lateMs: p95Ms! },
    goodput: { down: told.down, up: told.up },
    failureRate: told.failureRate ?? 0,
    uptime: told.uptime ?? 1,
    load: { transfers: told.transfers ?? 0, bytes: told.loadBytes ?? 0 },
    isReachedByOthers: told.isReachedByOthers ?? false
  }
}

const amount = (max: number): fc.Arbitrary<number> => fc.double({ min: 0, max, noNaN: true })
const share = amount(1)

/** Whatever can be measured of a peer. */
export const anyTold: fc.Arbitrary<Told> = fc.record(
  {
    way: fc.constantFrom('direct', 'relayed', 'away'),
    label: fc.constantFrom('eu', 'eu/fra', 'us', 'near'),
    roundTripMs: amount(1e9),
    down: amount(1e12),
    up: amount(1e12),
    failureRate: share,
    uptime: share,
    transfers: fc.nat(1000),
    loadBytes: amount(1e15)
  },
  { requiredKeys: [] }
)
