/**
 * What direct peers say that they served, and what follows from it together.
 *
 * A peer may say anything. So what one says of a content counts as 1 at most, less as it grows old, and less for a peer of low
 * standing; and of peers in one public network only the largest word counts. To make a content look wanted by n, one needs n networks.
 */
import { CatalogError, DAY_MS, leftAfter } from '../../base/index.ts'
import { isTimely } from '../../library/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import type { CidText } from '../types.ts'
import { originOf } from './origin.ts'
import type { DemandSummary } from './summary.ts'

/** More than the connections a node has at most. */
const MAX_REPORTERS = 512
/** Of one public network only one word counts anyhow; some more, for when that peer goes. */
const MAX_REPORTERS_OF_ONE = 4
/** Older ones say nothing of now. */
const MAX_AGE_MS = DAY_MS

/** What a peer's word is worth. */
const LEAST_STANDING = 0.2

/** Who hands a summary over: the peer at the other end of the connection. */
export interface Reporter {
  readonly node: Uint8Array
  /** `networkOf` its address. */
  readonly network: string | undefined
  /** 0.2 to 1; what is outside counts as the nearer end. */
  readonly standing: number
}

/** One peer's word on one content, as it counts now. */
export interface Report {
  /** `originOf` the reporter. */
  readonly origin: string
  readonly count: number
  readonly standing: number
}

export type SummaryVerdict =
  | 'taken'
  /** The last one again, or one before it. */
  | 'old'
  /** Dated more than ten minutes ahead, or a day ago. */
  | 'untimely'

interface Reported {
  readonly origin: string
  readonly standing: number
  readonly sequence: number
  readonly counts: ReadonlyMap<CidText, number>
}

/** What reports on one content are together. */
export function combine(reports: Iterable<Report>): number {
  const byOrigin = new Map<string, number>()
  for (const { origin, count, standing } of reports) {
    const worth = Math.min(1, Math.max(0, count)) * Math.min(1, Math.max(LEAST_STANDING, standing))
    byOrigin.set(origin, Math.max(byOrigin.get(origin) ?? 0, worth))
  }
  let sum = 0
  for (const worth of byOrigin.values()) sum += worth
  return sum
}

export class DemandReports {
  /** By node; the one that was heard longest ago comes first. */
  readonly #reported = new Map<string, Reported>()
  readonly #byContent = new Map<CidText, Set<Reported>>()
  readonly #halfLifeMs: number

  constructor({ halfLifeMs }: { halfLifeMs: number }) {
    this.#halfLifeMs = halfLifeMs
  }

  get size(): number {
    return this.#reported.size
  }

  /** Takes a verified summary from the peer that signed it. Throws DEMAND_INVALID for one of somebody else: none is passed on. */
  take(summary: DemandSummary, from: Reporter, nowMs: number): SummaryVerdict {
    if (!bytesEqual(summary.node, from.node))
      throw new CatalogError(
        'DEMAND_INVALID',
        'the demand summary is of another node than the one that told it'
      )
    const { sequence } = summary
    if (!isTimely(sequence, nowMs) || sequence < nowMs - MAX_AGE_MS) return 'untimely'
    const name = Buffer.from(from.node).toString('hex')
    const known = this.#reported.get(name)
    if (known !== undefined && sequence <= known.sequence) return 'old'
    this.#forget(name)
    const origin = originOf(from.node, from.network)
    this.#makeRoom(origin)
    const reported = {
      origin,
      standing: from.standing,
      sequence,
      counts: new Map(summary.counts.map(({ content, count }) => [content.toString(), count]))
    }
    this.#reported.set(name, reported)
    for (const content of reported.counts.keys()) {
      const those = this.#byContent.get(content) ?? new Set()
      this.#byContent.set(content, those.add(reported))
    }
    return 'taken'
  }

  /** What peers say of a content, as it counts now. */
  on(content: CidText, nowMs: number): Report[] {
    const reports: Report[] = []
    for (const { origin, standing, sequence, counts } of this.#byContent.get(content) ?? []) {
      const ageMs = Math.max(0, nowMs - sequence)
      if (ageMs <= MAX_AGE_MS)
        reports.push({
          origin,
          standing,
          count: Math.min(1, counts.get(content)!) * leftAfter(ageMs, this.#halfLifeMs)
        })
    }
    return reports
  }

  /** Contents that somebody has reported. */
  contents(): Iterable<CidText> {
    return this.#byContent.keys()
  }

  #makeRoom(origin: string): void {
    const ofOne = [...this.#reported].filter(([, reported]) => reported.origin === origin)
    if (ofOne.length >= MAX_REPORTERS_OF_ONE) this.#forget(ofOne[0]![0])
    const [first] = this.#reported.keys()
    if (this.#reported.size >= MAX_REPORTERS) this.#forget(first!)
  }

  #forget(name: string): void {
    const reported = this.#reported.get(name)
    if (reported === undefined) return
    this.#reported.delete(name)
    for (const content of reported.counts.keys()) {
      const those = this.#byContent.get(content)!
      those.delete(reported)
      if (those.size === 0) this.#byContent.delete(content)
    }
  }
}
