import type { Libp2p } from '@libp2p/interface'
import { type CatalogError, silentLogger } from '../../../base/index.ts'
import { type Control, createControl } from '../../../protocols/index.ts'
import { ManualClock } from './manual-clock.ts'

/** One end of control streams, and what it heard. */
export interface Side {
  libp2p: Libp2p
  control: Control
  clock: ManualClock
  violations: CatalogError[]
  /** Of heartbeats, in milliseconds. */
  roundTrips: number[]
  /** Where peers said that they are. */
  regions: string[]
}

/** The clock of each stands still by itself. */
export async function side(libp2p: Libp2p, region?: string): Promise<Side> {
  const clock = new ManualClock()
  const violations: CatalogError[] = []
  const roundTrips: number[] = []
  const regions: string[] = []
  const control = createControl(
    { libp2p, log: silentLogger, clock },
    {
      networkId: 'test',
      agent: 'test/1',
      ...(region !== undefined && { region }),
      onHello: (_, hello) => regions.push(hello.region),
      onRoundTrip: (_, tookMs) => roundTrips.push(tookMs),
      onViolation: (_, error) => violations.push(error)
    }
  )
  await control.start()
  return { libp2p, control, clock, violations, roundTrips, regions }
}
