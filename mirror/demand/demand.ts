import { CID } from 'multiformats/cid'
import type { Signer } from '../../trust/index.ts'
import type { CidText } from '../types.ts'
import type { DemandCounter } from './counter.ts'
import { combine, type DemandReports } from './reports.ts'
import { type DemandSummary, MAX_SUMMARY_COUNTS, signSummary } from './summary.ts'

/** How much a content is wanted. */
export interface Demand {
  /** Of this node's own fetches and what peers report, decayed to now. */
  readonly count: number
  /** Distinct origins that asked for it, here or of a peer that says so: 0, 1, or 2 for more than one. */
  readonly askers: 0 | 1 | 2
  /** Of this node's own; undefined where nobody asked here. */
  readonly lastMs: number | undefined
}

/** What this node served and what its peers say, as one number. */
export function demandFor(
  content: CidText,
  { counter, reports }: { counter: DemandCounter; reports: DemandReports },
  nowMs: number
): Demand {
  const own = counter.of(content, nowMs)
  const reported = reports.on(content, nowMs).filter(({ count }) => count > 0)
  const origins = new Set(reported.map(({ origin }) => counter.hashOf(origin)))
  if (own !== undefined) origins.add(own.first)
  return {
    count: (own?.count ?? 0) + combine(reported),
    askers: own?.isWide === true || origins.size > 1 ? 2 : origins.size === 1 ? 1 : 0,
    lastMs: own?.lastMs
  }
}

/** Contents that somebody asked for here or that peers report, those that are wanted most first; equal ones in the order of their names. */
export function mostWanted(
  { counter, reports }: { counter: DemandCounter; reports: DemandReports },
  limit: number,
  nowMs: number
): CidText[] {
  const counts = new Map(counter.top(limit, nowMs).map(({ content, count }) => [content, count]))
  for (const content of reports.contents()) {
    const own = counter.of(content, nowMs)?.count ?? 0
    const count = own + combine(reports.on(content, nowMs))
    if (count > 0) counts.set(content, count)
  }
  return [...counts]
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .slice(0, limit)
    .map(([content]) => content)
}

/** What this node tells its peers: what it served most itself, and nothing that they told it. `isPublic`: of whose releases everybody may know. */
export function summarise(
  counter: DemandCounter,
  isPublic: (content: CidText) => boolean,
  { sequence, signer }: { sequence: number; signer: Signer }
): DemandSummary {
  const counts = counter
    .top(MAX_SUMMARY_COUNTS, sequence, isPublic)
    .map(({ content, count }) => ({ content: CID.parse(content), count }))
  return signSummary(counts, sequence, signer)
}
