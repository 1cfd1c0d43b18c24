/**
 * Whether a source is worth another connection: pure, with the time given by the caller.
 *
 * One QUIC connection falls far behind a link that loses packets, because its congestion control (CUBIC) takes each loss for a full
 * queue; TCP with another control, or several connections, need not. No transport says how much it loses, so what counts is what was
 * measured: a way is added on trial, over TCP first, and stays when the source sends a good part more with it, or most of what it
 * sends comes over it. Then the next one is tried. One that brings nothing is closed, and none is tried for a while: the link is
 * full, or the source or a rate limit holds back. To try costs a handshake and to wait costs the time that is left, so the
 * first trial begins early; a trial takes longer, as a new connection has to leave its slow start.
 */
import { MIB, MINUTE_MS, SECOND_MS } from '../../../base/index.ts'

export type WayKind = 'tcp' | 'quic'

/** From the first byte to the first look, and between looks without a trial, at least and in round trips: enough for a slow start. */
const LOOK_MS = 200
const LOOK_ROUND_TRIPS = 8
/** What a trial takes. */
const TRIAL_MS = SECOND_MS
const TRIAL_ROUND_TRIPS = 20
/** A new way must bring so much more in all; less is chance. */
const GAIN = 1.25
/** Or carry this share of all, so that the link suits it better than the ways before; a limit of the source is shared evenly. */
const MAIN_SHARE = 0.6
/** After a way that brought nothing. */
const REST_MS = 5 * MINUTE_MS
/** The rest is over when less than this share of what came then comes now: the link is not what it was. */
const FALLEN = 0.5
/** On a shorter path CUBIC makes up for a loss in no time. */
const MIN_ROUND_TRIP_MS = 5
/** Bytes a second at which nobody misses anything: 160 Mbit/s. */
const ENOUGH = 20_000_000
/** What is left must take so long as it goes, or the fetch has ended before a new way brings anything. */
const MIN_LEFT_MS = SECOND_MS
/**
 * At the end every way asks for what another has not brought yet: of less than this, what comes twice is a good part. Ways of one
 * kind are about as fast, so more of it comes twice.
 */
const MIN_LEFT_BYTES: Record<WayKind, number> = { tcp: 4 * MIB, quic: 8 * MIB }

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
  /** Undefined before the first byte. */
  #sinceMs: number | undefined
  #bytes = 0
  /** Of these, over the way that was added last. */
  #newestBytes = 0
  /** The most bytes a second between two calls. */
  #best = 0
  #heardMs = 0
  /** Bytes a second before the way on trial was added. */
  #before: number | undefined
  /** Ends a rest, when it is over or the source sends less than this at its best. */
  #rest: { readonly untilMs: number; readonly unlessBelow: number } | undefined
  #lacksTcp = false

  /** The source sent so much since this was called last, of it over the way that was added last. */
  received(bytes: number, newestBytes: number, nowMs: number): void {
    if (this.#sinceMs === undefined) {
      // What has come until now was not timed.
      if (bytes > 0) this.#restart(nowMs)
    } else {
      this.#bytes += bytes
      this.#newestBytes += newestBytes
      this.#best = Math.max(this.#best, rateOf(bytes, nowMs - this.#heardMs))
    }
    this.#heardMs = nowMs
  }

  /** The way that was to be added is open: its trial begins. Until now the others were measured on. */
  opened(nowMs: number): void {
    const goodput = rateOf(this.#bytes - this.#newestBytes, nowMs - (this.#sinceMs ?? nowMs))
    this.#before = Math.max(this.#before ?? 0, goodput)
    this.#restart(nowMs)
  }

  /** It could not be opened, or broke. */
  failed(way: WayKind, nowMs: number): void {
    this.#before = undefined
    if (way === 'tcp') this.#lacksTcp = true
    else this.#rest = { untilMs: nowMs + REST_MS, unlessBelow: 0 }
    this.#restart(nowMs)
  }

  /** What to do now. `add` and `drop` (of the way added last) are said once. */
  step(situation: WaySituation): WayStep {
    const { nowMs, roundTripMs } = situation
    if (this.#sinceMs === undefined || nowMs - this.#sinceMs < this.#periodMs(roundTripMs)) return KEEP
    const [goodput, best] = [rateOf(this.#bytes, nowMs - this.#sinceMs), this.#best]
    const isMain = this.#newestBytes > this.#bytes * MAIN_SHARE
    const before = this.#before
    this.#before = undefined
    this.#restart(nowMs)
    if (before !== undefined && !isMain && goodput < before * GAIN) {
      this.#rest = { untilMs: nowMs + REST_MS, unlessBelow: goodput * FALLEN }
      return { kind: 'drop' }
    }
    const way = situation.hasTcp || this.#lacksTcp ? 'quic' : 'tcp'
    if (situation.leftBytes < MIN_LEFT_BYTES[way] || !this.#isWorthATrial(situation, goodput, best))
      return KEEP
    this.#before = goodput
    return { kind: 'add', way }
  }

  #periodMs(roundTripMs: number): number {
    return this.#before !== undefined
      ? Math.max(TRIAL_MS, TRIAL_ROUND_TRIPS * roundTripMs)
      : Math.max(LOOK_MS, LOOK_ROUND_TRIPS * roundTripMs)
  }

  #isWorthATrial(
    { nowMs, roundTripMs, leftBytes, ways, maxWays, hasRoom }: WaySituation,
    goodput: number,
    best: number
  ): boolean {
    // One moment of full speed shows that the link has it: the average may be that of a slow start, or of a wait for the disk.
    if (best >= ENOUGH) return false
    if (!hasRoom || ways >= maxWays || this.#isResting(best, nowMs)) return false
    if (roundTripMs < MIN_ROUND_TRIP_MS || goodput === 0) return false
    return leftBytes > (goodput * Math.max(MIN_LEFT_MS, TRIAL_ROUND_TRIPS * roundTripMs)) / SECOND_MS
  }

  #isResting(best: number, nowMs: number): boolean {
    if (this.#rest === undefined) return false
    return nowMs < this.#rest.untilMs && best >= this.#rest.unlessBelow
  }

  #restart(nowMs: number): void {
    this.#sinceMs = nowMs
    this.#best = 0
    this.#bytes = 0
    this.#newestBytes = 0
  }
}

const rateOf = (bytes: number, tookMs: number): number => (bytes / Math.max(tookMs, 1)) * SECOND_MS
