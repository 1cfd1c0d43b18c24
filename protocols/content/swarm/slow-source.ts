/**
 * Which source of a running fetch is worth less than its place: pure, with the time given by the caller.
 *
 * A slow source hardly makes a fetch longer: little is asked of it, and at the end the others are asked for what it still holds. It
 * does harm in two other ways, and each has its rule.
 *
 * It holds back what comes after. A release is asked for in its order, and whoever installs or serves what is here already gets
 * no further than the oldest block that is missing. So a source is *slow* when it sends a small part of what the others send on
 * average, and what it holds would take it several times as long as they need for what they hold. A source that sends
 * little and holds no more than its share is of use, and stays. It must be so for a while without a break, and an end of it
 * counts only when it is clear, so that one late answer or a slow start is not taken for the source.
 *
 * It takes the place of a better one. Only so many are drawn from at once, and when all of them are slow nothing shows it.
 * So while others wait, the slowest *makes room* now and then for one that nobody has measured, or that was measured to be
 * much faster: each holder gets its trial, and the best ones stay.
 *
 * Everything is a ratio between sources of this fetch. The last source stays, and one that may have what no other has; and
 * both rules are used so many times at most.
 */
import { SECOND_MS } from '../../../base/index.ts'

/** A slow source sends less than this part of what the others send on average; from twice that on it is slow no more. */
const SLOW_SHARE = 1 / 16
const SLOW_NO_MORE_SHARE = 2 * SLOW_SHARE
/** What it holds would take it so many times as long as the others need for theirs; below half of it, it is slow no more. */
const HELD_FACTOR = 4
const HELD_NO_MORE_FACTOR = HELD_FACTOR / 2
/** So long it must be slow, and so many of its round trips: a connection has to leave its slow start. */
const SLOW_FOR_MS = 2 * SECOND_MS
const SLOW_FOR_ROUND_TRIPS = 20
/** How often somebody makes room, and how long a source was there before it does. */
const TRIAL_MS = 5 * SECOND_MS
/** A source that waits and was measured must be so many times as fast as the one that would make room. */
const WORTH_THE_CHANGE = 2
/** Uses of each rule in one fetch: what is under way at a source is asked for once more. */
const MAX_SLOW = 16
const MAX_TRIALS = 16

/** A source as it stands now. */
export interface Standing {
  readonly key: string
  /** Bytes a second, as far as is known; undefined until anything is. */
  readonly goodput: number | undefined
  /** Bytes that it was asked for and has not brought. */
  readonly heldBytes: number
  readonly roundTripMs: number
}

/** A source that waits until another is gone. */
export interface Waiting {
  readonly key: string
  /** As it was measured before; undefined when it never was. */
  readonly goodput: number | undefined
}

export interface Situation {
  readonly nowMs: number
  readonly sources: readonly Standing[]
  /** Whether a source may have what no other one here has. */
  readonly isNeeded: (key: string) => boolean
  /** In the order in which they came. */
  readonly waiting: readonly Waiting[]
}

/** Who is to go and why; `successor` takes the place. */
export type Farewell =
  | { readonly key: string; readonly why: 'slow'; readonly goodput: number; readonly othersGoodput: number }
  | { readonly key: string; readonly why: 'makes room'; readonly goodput: number; readonly successor: string }

/** What is remembered of a source. */
interface Noted {
  readonly sinceMs: number
  slowSinceMs: number | undefined
}

/** What is known of the pace of a fetch's sources. */
export class SlowSources {
  readonly #noted = new Map<string, Noted>()
  #slow = 0
  #trials = 0
  #trialMs = Number.NEGATIVE_INFINITY

  /** Who is to go now, told once. To be asked several times a second. */
  look(situation: Situation): Farewell | undefined {
    this.#note(situation)
    if (situation.sources.length < 2) return undefined
    return this.#slowest(situation) ?? this.#trial(situation)
  }

  /** Notes since when each source has been here, and has been slow. */
  #note({ nowMs, sources }: Situation): void {
    const keys = new Set(sources.map(({ key }) => key))
    for (const key of this.#noted.keys()) if (!keys.has(key)) this.#noted.delete(key)
    for (const source of sources) {
      const noted = this.#noted.get(source.key) ?? { sinceMs: nowMs, slowSinceMs: undefined }
      this.#noted.set(source.key, noted)
      const isSlow = isSlowBeside(source, othersOf(source, sources), noted.slowSinceMs !== undefined)
      noted.slowSinceMs = isSlow ? (noted.slowSinceMs ?? nowMs) : undefined
    }
  }

  #slowest({ nowMs, sources, isNeeded }: Situation): Farewell | undefined {
    if (this.#slow >= MAX_SLOW) return undefined
    const slow = bySpeed(sources).filter(source => {
      const sinceMs = this.#noted.get(source.key)!.slowSinceMs
      return sinceMs !== undefined && nowMs - sinceMs >= leastMs(source, SLOW_FOR_MS)
    })
    const gone = slow.find(({ key }) => !isNeeded(key))
    if (gone === undefined) return undefined
    this.#slow++
    const othersGoodput = meanGoodput(othersOf(gone, sources))
    return { key: gone.key, why: 'slow', goodput: gone.goodput!, othersGoodput }
  }

  #trial({ nowMs, sources, isNeeded, waiting }: Situation): Farewell | undefined {
    if (waiting.length === 0 || this.#trials >= MAX_TRIALS || nowMs - this.#trialMs < TRIAL_MS)
      return undefined
    const here = (source: Standing): number => nowMs - this.#noted.get(source.key)!.sinceMs
    const gone = bySpeed(sources).find(
      source => here(source) >= leastMs(source, TRIAL_MS) && !isNeeded(source.key)
    )
    if (gone === undefined) return undefined
    const goodput = gone.goodput ?? 0
    const better = waiting.find(other => (other.goodput ?? Infinity) > WORTH_THE_CHANGE * goodput)
    if (better === undefined) return undefined
    this.#trials++
    this.#trialMs = nowMs
    return { key: gone.key, why: 'makes room', goodput, successor: better.key }
  }
}

/** Whether a source is slow beside the others, or still is. */
function isSlowBeside(source: Standing, others: readonly Standing[], wasSlow: boolean): boolean {
  const { goodput, heldBytes } = source
  const othersGoodput = meanGoodput(others)
  if (goodput === undefined || othersGoodput === 0) return false
  if (goodput >= othersGoodput * (wasSlow ? SLOW_NO_MORE_SHARE : SLOW_SHARE)) return false
  // As products: what a source holds that sends nothing takes it forever.
  const othersHeldBytes = sumOf(others, other => other.heldBytes) / others.length
  const factor = wasSlow ? HELD_NO_MORE_FACTOR : HELD_FACTOR
  return heldBytes * othersGoodput > factor * othersHeldBytes * goodput
}

const othersOf = (source: Standing, sources: readonly Standing[]): Standing[] =>
  sources.filter(other => other !== source && other.goodput !== undefined)

const meanGoodput = (sources: readonly Standing[]): number =>
  sources.length === 0 ? 0 : sumOf(sources, ({ goodput = 0 }) => goodput) / sources.length

const sumOf = (sources: readonly Standing[], of: (source: Standing) => number): number =>
  sources.reduce((sum, source) => sum + of(source), 0)

/** The slowest first; who never had anything to send before all. */
const bySpeed = (sources: readonly Standing[]): Standing[] =>
  sources.toSorted((a, b) => (a.goodput ?? 0) - (b.goodput ?? 0))

const leastMs = ({ roundTripMs }: Standing, ms: number): number =>
  Math.max(ms, SLOW_FOR_ROUND_TRIPS * roundTripMs)
