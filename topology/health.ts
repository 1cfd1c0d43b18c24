/**
 * How well a peer does: 1, less what each thing that is wrong with it takes away. The reasons are all there is to it, so whoever sees a
 * health can see why, and a reason that is no more takes nothing away any more.
 */
import { displayDuration, displayShare, displaySize, KIB } from '../base/index.ts'
import type { PeerView } from './peer.ts'
import { distanceOf } from './region.ts'

export const HEALTH_CODES = [
  'failing',
  'away',
  'absent',
  'relayed',
  'far',
  'unsteady',
  'slow',
  'unreached',
  'unmeasured'
] as const
export type HealthCode = (typeof HEALTH_CODES)[number]

export interface HealthReason {
  readonly code: HealthCode
  readonly text: string
  /** What it takes from the health; 0 where it only explains. */
  readonly weight: number
}

export interface Health {
  /** 0 to 1. */
  readonly health: number
  readonly reasons: readonly HealthReason[]
}

/** Weights: what keeps a request from being answered most, what makes it slower less. */
const FAILING = 0.7
const AWAY = 0.5
const ABSENT = 0.2
const RELAYED = 0.1
const FAR = 0.05
const UNSTEADY = 0.1
const SLOW = 0.15

/** A failure now and then happens to everybody. */
const FAILING_FROM = 0.05
const ABSENT_BELOW = 0.9
/** Round trips of which nearly all are as even as the network lets them be. */
const UNSTEADY_FACTOR = 4
/** A spread below this is that of timers and of a busy machine. */
const UNSTEADY_FROM_MS = 20
/** Below what the least link of a home sends. */
const SLOW_BELOW = 128 * KIB

export function healthOf(view: PeerView): Health {
  const reasons = CHECKS.flatMap(check => check(view) ?? [])
  const lost = reasons.reduce((sum, { weight }) => sum + weight, 0)
  return { health: Math.max(0, 1 - lost), reasons }
}

type Check = (view: PeerView) => HealthReason | undefined

const CHECKS: readonly Check[] = [
  ({ failureRate }) =>
    failureRate <= FAILING_FROM
      ? undefined
      : {
          code: 'failing',
          text: `${displayShare(failureRate)} of what it was asked for lately failed`,
          weight: FAILING * failureRate
        },
  ({ way }) => (way === 'away' ? { code: 'away', text: 'it is not connected now', weight: AWAY } : undefined),
  ({ uptime }) =>
    uptime >= ABSENT_BELOW
      ? undefined
      : {
          code: 'absent',
          text: `it was connected for ${displayShare(uptime)} of the time since it was met`,
          weight: ABSENT * (1 - uptime)
        },
  ({ way }) =>
    way === 'relayed'
      ? { code: 'relayed', text: 'it is reached through a relay', weight: RELAYED }
      : undefined,
  ({ roundTrip }) =>
    roundTrip === undefined || distanceOf(roundTrip.smoothedMs) !== 'far'
      ? undefined
      : { code: 'far', text: `a round trip takes ${displayDuration(roundTrip.smoothedMs)}`, weight: FAR },
  ({ roundTrip }) =>
    roundTrip === undefined || !isUnsteady(roundTrip)
      ? undefined
      : {
          code: 'unsteady',
          text: `round trips take ${displayDuration(roundTrip.smoothedMs)}, and one in twenty more than ${displayDuration(roundTrip.p95Ms)}`,
          weight: UNSTEADY
        },
  ({ goodput: { down } }) =>
    down === undefined || down >= SLOW_BELOW
      ? undefined
      : { code: 'slow', text: `it sends ${displaySize(Math.round(down))}/s`, weight: SLOW },
  ({ isReachedByOthers }) =>
    isReachedByOthers
      ? { code: 'unreached', text: 'others reach it: the way from here to it is broken', weight: 0 }
      : undefined,
  ({ roundTrip, goodput: { down } }) =>
    roundTrip === undefined || down === undefined
      ? { code: 'unmeasured', text: `nothing is known of ${unmeasured(roundTrip, down)}`, weight: 0 }
      : undefined
]

const isUnsteady = ({ smoothedMs, p95Ms }: { smoothedMs: number; p95Ms: number }): boolean =>
  p95Ms > UNSTEADY_FACTOR * smoothedMs && p95Ms - smoothedMs > UNSTEADY_FROM_MS

const unmeasured = (roundTrip: unknown, down: unknown): string =>
  [roundTrip === undefined ? 'its round trip' : [], down === undefined ? 'how fast it sends' : []]
    .flat()
    .join(' and ')
