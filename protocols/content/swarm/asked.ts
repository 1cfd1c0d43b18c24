import { KIB, SECOND_MS } from '../../../base/index.ts'
import { MANIFEST_UNIT } from '../have-map.ts'
import { isNode, type PlannedRequest, type Want } from '../planner.ts'
import type { SourceRate } from './source-rate.ts'

/** What a tree node is counted as: mostly a few kilobytes. */
const NODE_BYTES = 4 * KIB
/** Endgame: a source that is silent for so long, beside twice what its answer should take, may not answer at all. */
const OVERDUE_MS = 250
const OVERDUE_FACTOR = 2

/** What a source has: all of the release, or the units that it says. */
export interface Holding {
  readonly isWhole: boolean
  has(unit: number): boolean
}

export const WHOLE: Holding = { isWhole: true, has: () => true }
/** Of a source that has not said yet what it has: whoever has anything has the manifest. */
export const UNKNOWN: Holding = { isWhole: true, has: unit => unit === MANIFEST_UNIT }

/** A request that one source is to be asked, or was. */
export interface Assignment<W extends Want> {
  readonly request: PlannedRequest<W>
  /** Bytes that its answer will have, about. */
  readonly bytes: number
  readonly kind: 'first' | 'endgame' | 'hedge'
}

/** A request, whoever was asked for it. */
export interface Part<W extends Want> {
  readonly request: PlannedRequest<W>
  readonly bytes: number
  readonly units: readonly number[]
  /** Who was asked for it and has not answered. */
  readonly askers: Set<Source<W>>
  /** An answer has come and is being checked and written. */
  hasCome: boolean
}

export interface Asked<W extends Want> extends Assignment<W> {
  readonly part: Part<W>
  /** When it was sent; not yet while it waits for its tokens. */
  sentMs: number | undefined
}

export interface Source<W extends Want> {
  /** Of several connections to one peer each is a source. */
  readonly peer: string
  readonly rate: SourceRate
  holding: Holding
  /** In the order of asking, which is that of the answers. */
  readonly asked: Asked<W>[]
  /** Units of which it did not have what it said it had. */
  readonly lacks: Set<number>
  /** When its last answer came. */
  heardMs: number
}

export function hasRoom<W extends Want>(source: Source<W>, maxRequests: number): boolean {
  if (source.asked.length >= maxRequests) return false
  return source.asked.length === 0 || inFlightBytes(source) < source.rate.windowBytes
}

export function inFlightBytes<W extends Want>({ asked }: Source<W>): number {
  let sum = 0
  for (const { bytes } of asked) sum += bytes
  return sum
}

export const isHeld = <W extends Want>({ holding, lacks }: Source<W>, unit: number): boolean =>
  holding.has(unit) && !lacks.has(unit)

export const hasAll = <W extends Want>({ holding, lacks }: Source<W>): boolean =>
  holding === WHOLE && lacks.size === 0

/** Whether a source has been silent for much longer than its next answer should take. */
export function overdue<W extends Want>({ asked, rate, heardMs }: Source<W>, nowMs: number): boolean {
  const [oldest] = asked
  if (oldest?.sentMs === undefined) return false
  const expectedMs = rate.goodput === undefined ? 0 : rate.expectedMs(oldest.bytes)
  return nowMs - Math.max(oldest.sentMs, heardMs) > OVERDUE_MS + OVERDUE_FACTOR * expectedMs
}

/** Bytes a second as measured, and at most what the oldest request leaves possible: what is late comes slowly, if at all. */
export function goodputNow<W extends Want>(
  { asked, rate, heardMs }: Source<W>,
  nowMs: number
): number | undefined {
  const { goodput, latencyMs } = rate
  const [oldest] = asked
  if (oldest?.sentMs === undefined) return goodput
  const tookMs = nowMs - Math.max(oldest.sentMs, heardMs) - latencyMs
  if (tookMs <= 0) return goodput
  return Math.min(goodput ?? Number.POSITIVE_INFINITY, (oldest.bytes / tookMs) * SECOND_MS)
}

/** Bytes of the blocks of a request, about. */
export function sizeOf<W extends Want>({ wants }: PlannedRequest<W>): number {
  let sum = 0
  for (const want of wants) sum += isNode(want) ? NODE_BYTES : want.rawLengthBytes!
  return sum
}
