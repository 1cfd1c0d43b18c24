/**
 * How often each content was fetched from this node, lately: a count that halves with every half-life.
 *
 * *Forward decay* (Cormode et al. 2009): instead of making all counts smaller as time goes by, what is added later weighs more,
 * 2^((t - landmark) / half-life), and a count is divided by the weight of the moment in which it is read. So nothing is touched but what
 * changes, and the order of two counts never changes by itself: the smallest one can be let go of when there are too many. Before weights
 * grow beyond what a number holds, all are divided by a power of two, which is exact.
 *
 * Fetches can be made up as reports can, so both are held to one rule: a single origin (a peer, or all peers in one public network) is never
 * more than 1 of a content's count. What it fetched before must have decayed before it counts again. A fetch of a part counts as
 * that part: to count as one, somebody has to take all of the bytes.
 */
import { HOUR_MS } from '../../base/index.ts'
import type { CidText } from '../types.ts'
import { OriginShares } from './origin-shares.ts'

/** Some 10 MB. */
export const MAX_COUNTED = 100_000
/** So many more are let in before the smallest go, all at once: one sort for many. */
const SLACK = MAX_COUNTED / 8
/** Weights are brought back to 1 after so many half-lives, long before 2^1023. */
const MAX_HALF_LIVES = 256
/** Counts below are the past. */
const LEAST_COUNT = 1 / 1024

export const DEFAULT_HALF_LIFE_MS = 24 * HOUR_MS

/** A part or all of a content that was sent to somebody. */
export interface Served {
  readonly content: CidText
  /** Who fetched it: `originOf`. */
  readonly origin: string
  /** Bytes sent, as a part of the content's; more than 1 is 1. */
  readonly share: number
}

/** What is known of the demand for one content. */
export interface Count {
  readonly content: CidText
  readonly count: number
  /** Hash of the first origin: whoever asks again is no second one. */
  readonly first: number
  /** Whether a second origin has asked. */
  readonly isWide: boolean
  readonly lastMs: number
}

interface Row {
  weight: number
  first: number
  isWide: boolean
  lastMs: number
}

export interface CounterOptions {
  readonly halfLifeMs: number
  /** Random, and kept with the counts: nobody outside can make two origins look like one. */
  readonly salt: Uint8Array
  readonly maxCounted?: number
}

export class DemandCounter {
  readonly #rows = new Map<CidText, Row>()
  readonly #shares: OriginShares
  readonly #halfLifeMs: number
  readonly #maxCounted: number
  readonly #slack: number
  #landmarkMs: number | undefined

  constructor({ halfLifeMs, salt, maxCounted = MAX_COUNTED }: CounterOptions) {
    this.#halfLifeMs = halfLifeMs
    this.#maxCounted = maxCounted
    this.#slack = Math.min(SLACK, Math.ceil(maxCounted / 8))
    this.#shares = new OriginShares({ salt })
  }

  get size(): number {
    return this.#rows.size
  }

  /** Counts what was served; returns by how much the count has grown, 0 to 1. A clock that goes back counts as standing still. */
  add({ content, origin, share }: Served, nowMs: number): number {
    const weight = this.#weightAt(nowMs)
    const { added, hash } = this.#shares.take(content, origin, Math.min(1, Math.max(0, share)), weight)
    if (added === 0) return 0
    const row = this.#rows.get(content)
    if (row === undefined)
      this.#rows.set(content, { weight: added * weight, first: hash, isWide: false, lastMs: nowMs })
    else {
      row.weight += added * weight
      row.isWide ||= row.first !== hash
      row.lastMs = Math.max(row.lastMs, nowMs)
    }
    if (this.#rows.size > this.#maxCounted + this.#slack) this.#evict(weight)
    return added
  }

  of(content: CidText, nowMs: number): Count | undefined {
    const row = this.#rows.get(content)
    return row === undefined ? undefined : countOf(content, row, this.#weightAt(nowMs))
  }

  /** The number by which an origin is known here. */
  hashOf(origin: string): number {
    return this.#shares.hashOf(origin)
  }

  /** The largest counts, in order; equal ones in the order of their names. */
  top(limit: number, nowMs: number, isShown: (content: CidText) => boolean = () => true): Count[] {
    const weight = this.#weightAt(nowMs)
    const least = LEAST_COUNT * weight
    return [...this.#rows]
      .filter(([content, row]) => row.weight >= least && isShown(content))
      .sort(byWeight)
      .slice(0, limit)
      .map(([content, row]) => countOf(content, row, weight))
  }

  /** What was counted before a restart. */
  restore(counts: Iterable<Count>, nowMs: number): void {
    const weight = this.#weightAt(nowMs)
    for (const { content, count, first, isWide, lastMs } of counts)
      this.#rows.set(content, { weight: count * weight, first, isWide, lastMs })
    if (this.#rows.size > this.#maxCounted) this.#evict(weight)
  }

  /** Those that are still something stay, the largest of them up to the limit. */
  #evict(weight: number): void {
    const least = LEAST_COUNT * weight
    const kept = [...this.#rows].filter(([, row]) => row.weight >= least)
    kept.sort(byWeight)
    kept.length = Math.min(kept.length, this.#maxCounted)
    this.#rows.clear()
    for (const [content, row] of kept) this.#rows.set(content, row)
  }

  #weightAt(nowMs: number): number {
    this.#landmarkMs ??= nowMs
    const halfLives = Math.max(0, nowMs - this.#landmarkMs) / this.#halfLifeMs
    if (halfLives < MAX_HALF_LIVES) return 2 ** halfLives
    // Whole half-lives, so that every count is divided exactly.
    const whole = Math.floor(halfLives)
    this.#landmarkMs += whole * this.#halfLifeMs
    const factor = 2 ** -Math.min(whole, 1000)
    for (const row of this.#rows.values()) row.weight *= factor
    this.#shares.scale(factor)
    return 2 ** (halfLives - whole)
  }
}

const countOf = (content: CidText, { weight, first, isWide, lastMs }: Row, unit: number): Count => ({
  content,
  count: weight / unit,
  first,
  isWide,
  lastMs
})

const byWeight = ([a, { weight: x }]: [CidText, Row], [b, { weight: y }]: [CidText, Row]): number =>
  y - x || (a < b ? -1 : 1)
