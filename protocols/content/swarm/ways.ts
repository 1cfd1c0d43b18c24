/**
 * Whether a source is worth another connection: pure, with the time given by the caller.
 *
 * One QUIC connection falls far behind a link that loses packets, because its congestion control (CUBIC) takes each loss for a full
 * queue; TCP with another control, or several connections, need not. No transport says how much it loses, so what counts is what was
 * measured: a way is added on trial, over TCP first, and stays when the source sends a good part more with it. Then the
 * next one is tried. One that brings nothing is closed, and none is tried for a while: the link is full, or the source or a
 * rate limit holds back.
 */
import { MIB, MINUTE_MS, SECOND_MS } from '../../../base/index.ts'

export type WayKind = 'tcp' | 'quic'

/** What is compared was measured for so long, or for so many round trips: a new connection has to leave its slow start. */
const PERIOD_MS = 2 * SECOND_MS
const PERIOD_ROUND_TRIPS = 20
/** A new way must bring so much more in all; less is chance. */
const GAIN = 1.25
/** After a way that brought nothing. */
const REST_MS = 5 * MINUTE_MS
/** On a shorter path CUBIC makes up for a loss in no time. */
const MIN_ROUND_TRIP_MS = 5
/** Bytes a second at which nobody misses anything: 160 Mbit/s. */
const ENOUGH = 20_000_000
/** What is left must take so many periods as it goes, or a trial ends with the fetch. */
const MIN_PERIODS_LEFT = 2
/** At the end every way asks for what another has not brought yet: of less than this, what comes twice is a good part. */
const MIN_LEFT_BYTES = 8 * MIB

export interface WaySituation {
  readonly nowMs: number
  readonly roundTripMs: number
  /** Of the release, and not here yet. */
  readonly leftBytes: number
  /** Connections to the source now, and at most. */
  readonly ways: number
  readonly maxWays: number
  readonly hasTcp: boolean
  /** Whether there is memory for the windows of another. */
  readonly hasRoom: boolean
}

export type WayStep =
  | { readonly kind: 'keep' }
  | { readonly kind: 'add'; readonly way: WayKind }
  | { readonly kind: 'drop' }

const KEEP: WayStep = { kind: 'keep' }

/** What is known of the ways to one source. */
export class WayPlan {
  #sinceMs: number
  #bytes = 0
  /** Bytes a second before the way on trial was added. */
  #before: number | undefined
  #restUntilMs = Number.NEGATIVE_INFINITY
  #lacksTcp = false

  constructor(nowMs: number) {
    this.#sinceMs = nowMs
  }

  /** The source sent so much, over any of its ways. */
  received(bytes: number): void {
    this.#bytes += bytes
  }

  /** The way that was to be added is open: its trial begins. */
  opened(nowMs: number): void {
    this.#restart(nowMs)
  }

  /** It could not be opened, or broke. */
  failed(way: WayKind, nowMs: number): void {
    this.#before = undefined
    if (way === 'tcp') this.#lacksTcp = true
    else this.#restUntilMs = nowMs + REST_MS
    this.#restart(nowMs)
  }

  /** What to do now. `add` and `drop` (of the way added last) are said once. */
  step(situation: WaySituation): WayStep {
    const { nowMs, roundTripMs } = situation
    const tookMs = nowMs - this.#sinceMs
    if (tookMs < Math.max(PERIOD_MS, PERIOD_ROUND_TRIPS * roundTripMs)) return KEEP
    const goodput = (this.#bytes / tookMs) * SECOND_MS
    this.#restart(nowMs)
    const before = this.#before
    this.#before = undefined
    if (before !== undefined && goodput < before * GAIN) {
      this.#restUntilMs = nowMs + REST_MS
      return { kind: 'drop' }
    }
    if (!this.#isWorthATrial(situation, goodput)) return KEEP
    this.#before = goodput
    return { kind: 'add', way: situation.hasTcp || this.#lacksTcp ? 'quic' : 'tcp' }
  }

  #isWorthATrial(
    { nowMs, roundTripMs, leftBytes, ways, maxWays, hasRoom }: WaySituation,
    goodput: number
  ): boolean {
    if (nowMs < this.#restUntilMs || !hasRoom || ways >= maxWays) return false
    if (roundTripMs < MIN_ROUND_TRIP_MS || goodput === 0 || goodput >= ENOUGH) return false
    if (leftBytes < MIN_LEFT_BYTES) return false
    return leftBytes > (goodput * MIN_PERIODS_LEFT * PERIOD_MS) / SECOND_MS
  }

  #restart(nowMs: number): void {
    this.#sinceMs = nowMs
    this.#bytes = 0
  }
}
