import { Failures } from './measure/failures.ts'
import { Goodput } from './measure/goodput.ts'
import { Load, type LoadFigures } from './measure/load.ts'
import { Presence } from './measure/presence.ts'
import { RoundTrip, type RoundTripFigures } from './measure/round-trip.ts'
import { type Region, regionOf } from './region.ts'

/** How a peer is connected: straight, through a relay only, or not now. */
export type Way = 'direct' | 'relayed' | 'away'

/** All that is known of a peer at one moment. What is undefined was not measured. */
export interface PeerView {
  readonly peerId: string
  readonly way: Way
  readonly region: Region
  readonly roundTrip: RoundTripFigures | undefined
  /** Bytes a second that came from it (down) and went to it (up), over whole transfers. */
  readonly goodput: { readonly down: number | undefined; readonly up: number | undefined }
  /** Share of what it was asked for lately that failed, 0 to 1. */
  readonly failureRate: number
  /** Share of the time since it was met in which it was connected, 0 to 1. */
  readonly uptime: number
  readonly load: LoadFigures
  /** It was lost here, and others said that it answers them. */
  readonly isReachedByOthers: boolean
}

/** What is measured of one peer; about 1.5 KB with a full window of round trips. */
export class Peer {
  readonly peerId: string
  readonly roundTrip = new RoundTrip()
  readonly down = new Goodput()
  readonly up = new Goodput()
  readonly failures: Failures
  readonly presence: Presence
  readonly load: Load
  /** The label of its region, as it told. */
  label: string | undefined
  isReachedByOthers = false

  constructor(peerId: string, nowMs: number) {
    this.peerId = peerId
    this.failures = new Failures(nowMs)
    this.presence = new Presence(nowMs)
    this.load = new Load(nowMs)
  }

  viewAt(nowMs: number, way: Way): PeerView {
    const roundTrip = this.roundTrip.figures
    return {
      peerId: this.peerId,
      way,
      region: regionOf(this.label, roundTrip?.smoothedMs),
      roundTrip,
      goodput: { down: this.down.bytesPerSecond, up: this.up.bytesPerSecond },
      failureRate: this.failures.rateAt(nowMs),
      uptime: this.presence.shareAt(nowMs),
      load: this.load.figuresAt(nowMs),
      isReachedByOthers: this.isReachedByOthers
    }
  }
}
