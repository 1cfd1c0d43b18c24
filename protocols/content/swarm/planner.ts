/**
 * Who is asked for what next, when several sources have the same release: pure, with the time given by the caller.
 *
 * Wants wait in a pool in the order of the walk. A source that has room in its window gets the next request from there,
 * sized by what it has been measured to send; when sources differ in what they hold, the rarest unit that this one has
 * goes first, so that nobody who holds everything spends time on what others could send as well. Otherwise the order
 * of the walk stays, and files become whole one after the other.
 *
 * Three cases ask twice for the same. In the endgame, when nothing waits any more, a source with nothing to do is asked for
 * what another would send later than it would. At any time a request that is later than nearly all answers were (their
 * p95) is hedged, within a budget. And what a source does not have, or left behind when it failed, goes back to the pool.
 * The first answer counts, a second one is dropped.
 */
import { MIB } from '../../../base/index.ts'
import { MANIFEST_UNIT } from '../have-map.ts'
import type { Want } from '../planner.ts'
import {
  type Asked,
  type Assignment,
  goodputNow,
  type Holding,
  hasAll,
  hasRoom,
  inFlightBytes,
  isHeld,
  overdue,
  type Part,
  type Source,
  sizeOf
} from './asked.ts'
import { LatenessGauge } from './lateness.ts'
import type { Standing } from './slow-source.ts'
import type { SourceRate } from './source-rate.ts'
import { WantPool } from './want-pool.ts'

/** Sources that are asked for the same request at once, beside those that seem to answer no more. */
const MAX_ASKERS = 2
/** Hedges that are under way at once, and their share of all bytes beside a start: late is rare, or it is not late. */
const MAX_HEDGES = 2
const HEDGE_SHARE = 0.05
const FREE_HEDGE_BYTES = 4 * MIB
/** Endgame: how much sooner the second answer must be expected, as a share of the first's time. */
const WORTH_ASKING = 0.8

export interface PlannerOptions<W extends Want> {
  /** The unit of the release in which a want begins. */
  readonly unitOf: (want: W) => number
  /** Where in the release it begins; the same for all whose place is not known, or does not matter. */
  readonly offsetOf?: (want: W) => number
  /** Units of the release, the manifest beside. */
  readonly unitCount: number
  /** Requests in flight to one source at most, whatever their size. */
  readonly maxRequests: number
}

export class SwarmPlanner<W extends Want> {
  readonly #pool: WantPool<W>
  readonly #unitOf: (want: W) => number
  readonly #unitCount: number
  readonly #maxRequests: number
  readonly #sources = new Map<string, Source<W>>()
  readonly #lateness = new LatenessGauge()
  /** Whether the walk has nothing more before answers come. */
  #isDrained = false
  #receivedBytes = 0
  #hedgedBytes = 0

  constructor({ unitOf, offsetOf = () => 0, unitCount, maxRequests }: PlannerOptions<W>) {
    this.#unitOf = unitOf
    this.#unitCount = unitCount
    this.#maxRequests = maxRequests
    this.#pool = new WantPool(unitOf, offsetOf)
  }

  get waitingCount(): number {
    return this.#pool.count
  }

  get waitingBytes(): number {
    return this.#pool.bytes
  }

  get inFlight(): number {
    let sum = 0
    for (const { asked } of this.#sources.values()) sum += asked.length
    return sum
  }

  /** Wants from the walk, in its order. */
  offer(wants: readonly W[]): void {
    this.#pool.add(wants)
    this.#isDrained = false
  }

  /** The walk is over: from now on the last requests are asked twice. */
  drained(): void {
    this.#isDrained = true
  }

  /** One more to ask; `peer` is another than the key where it is one of several connections to a peer. */
  join(key: string, rate: SourceRate, holding: Holding, peer = key): void {
    this.#sources.set(key, { peer, rate, holding, asked: [], lacks: new Set(), heardMs: 0 })
  }

  holds(key: string, holding: Holding): void {
    const source = this.#sources.get(key)
    if (source === undefined) return
    source.holding = holding
    source.lacks.clear()
  }

  /** A source is gone: what only it was asked for waits again. */
  leave(key: string): void {
    const source = this.#sources.get(key)
    if (source === undefined) return
    this.#sources.delete(key)
    for (const { part } of source.asked) this.#withdraw(source, part)
  }

  /** What to ask a source next; undefined while it has no room or nothing is to be had from it. */
  next(key: string, nowMs: number): Assignment<W> | undefined {
    const source = this.#sources.get(key)
    if (source === undefined || !hasRoom(source, this.#maxRequests)) return undefined
    return this.#hedge(source, nowMs) ?? this.#first(source) ?? this.#endgame(source, nowMs)
  }

  /** The request has been sent. */
  sent(key: string, assignment: Assignment<W>, nowMs: number): void {
    const asked = this.#asked(key, assignment)
    if (asked !== undefined) asked.sentMs = nowMs
  }

  /** An answer has come, of so many bytes. True when it is the first one, whose blocks are to be used. */
  answered(key: string, assignment: Assignment<W>, bytes: number, nowMs: number): boolean {
    const source = this.#sources.get(key)
    const asked = this.#asked(key, assignment)
    if (source === undefined || asked === undefined) return false
    this.#measure(source, asked, bytes, nowMs)
    source.asked.splice(source.asked.indexOf(asked), 1)
    const { part } = asked
    part.askers.delete(source)
    if (part.hasCome) return false
    part.hasCome = true
    return true
  }

  /** What came was wrong: it is wanted again, unless somebody else is still to answer. */
  rejected(assignment: Assignment<W>): void {
    const { part } = assignment as Asked<W>
    part.hasCome = false
    this.#returnUnasked(part)
  }

  /** A source does not have what it was asked for. */
  lacked(key: string, assignment: Assignment<W>, nowMs: number): void {
    const source = this.#sources.get(key)
    const asked = this.#asked(key, assignment)
    if (source === undefined || asked === undefined) return
    source.heardMs = nowMs
    source.asked.splice(source.asked.indexOf(asked), 1)
    for (const unit of asked.part.units) source.lacks.add(unit)
    this.#withdraw(source, asked.part)
  }

  /** For how long a source has owed the answer to its oldest request; 0 when it owes none. */
  owesForMs(key: string, nowMs: number): number {
    const source = this.#sources.get(key)
    const sentMs = source?.asked[0]?.sentMs
    return sentMs === undefined ? 0 : Math.max(0, nowMs - Math.max(sentMs, source!.heardMs))
  }

  /** Whether anything that waits could be asked of a source that is here. */
  get isServable(): boolean {
    for (const source of this.#sources.values())
      if (this.#pool.hasAny(unit => isHeld(source, unit))) return true
    return false
  }

  /** How each source stands now. */
  standings(nowMs: number): Standing[] {
    return [...this.#sources].map(([key, source]) => ({
      key,
      goodput: goodputNow(source, nowMs),
      heldBytes: inFlightBytes(source),
      roundTripMs: source.rate.latencyMs
    }))
  }

  /** Whether these sources may have something that no other one has; what is here already counts too. */
  areNeeded(keys: ReadonlySet<string>): boolean {
    const these: Source<W>[] = []
    const others: Source<W>[] = []
    for (const [key, source] of this.#sources) (keys.has(key) ? these : others).push(source)
    if (others.some(hasAll)) return false
    if (these.some(hasAll)) return true
    for (let unit = MANIFEST_UNIT; unit < this.#unitCount; unit++) {
      const isHere = (source: Source<W>): boolean => isHeld(source, unit)
      if (these.some(isHere) && !others.some(isHere)) return true
    }
    return false
  }

  #first(source: Source<W>): Asked<W> | undefined {
    const isMixed = this.#isMixed
    const request = this.#pool.take({
      maxBytes: source.rate.requestBytes,
      has: unit => isHeld(source, unit),
      rarity: isMixed ? unit => this.#holders(unit) : () => 0,
      staysInUnit: isMixed
    })
    if (request === undefined) return undefined
    const units = [...new Set(request.wants.map(this.#unitOf))]
    const part = { request, bytes: sizeOf(request), units, askers: new Set<Source<W>>(), hasCome: false }
    return this.#ask(source, part, 'first')
  }

  #ask(source: Source<W>, part: Part<W>, kind: Assignment<W>['kind']): Asked<W> {
    const asked: Asked<W> = { part, request: part.request, bytes: part.bytes, kind, sentMs: undefined }
    part.askers.add(source)
    source.asked.push(asked)
    return asked
  }

  /** The request of another that would come latest, when this source would bring it sooner. */
  #endgame(source: Source<W>, nowMs: number): Asked<W> | undefined {
    if (!this.#isDrained || this.#pool.count > 0) return undefined
    const inFlight = inFlightBytes(source)
    let best: { part: Part<W>; dueMs: number } | undefined
    for (const other of this.#sources.values()) {
      if (other === source) continue
      const isOverdue = overdue(other, nowMs)
      let queued = 0
      for (const { part } of other.asked) {
        queued += part.bytes
        if (!this.#mayAsk(source, part, nowMs)) continue
        const dueMs = isOverdue ? Number.MAX_VALUE : other.rate.expectedMs(queued)
        const isSooner = isOverdue || source.rate.expectedMs(inFlight + part.bytes) < dueMs * WORTH_ASKING
        if (isSooner && dueMs !== Number.POSITIVE_INFINITY && dueMs > (best?.dueMs ?? 0))
          best = { part, dueMs }
      }
    }
    return best === undefined ? undefined : this.#ask(source, best.part, 'endgame')
  }

  /** The latest of the requests that are later than they should be. */
  #hedge(source: Source<W>, nowMs: number): Asked<W> | undefined {
    const lateMs = this.#lateness.lateMs
    if (lateMs === undefined || !this.#mayHedge()) return undefined
    let latest: Asked<W> | undefined
    for (const other of this.#sources.values()) {
      const oldest = other.asked.find(({ part }) => !part.hasCome)
      if (other === source || oldest?.sentMs === undefined || nowMs - oldest.sentMs < lateMs) continue
      // The same peer sends it over the same link, so twice is too much unless that connection stands still.
      if (other.peer === source.peer && !overdue(other, nowMs)) continue
      if (!this.#mayAsk(source, oldest.part, nowMs)) continue
      if (source.rate.expectedMs(inFlightBytes(source) + oldest.bytes) > lateMs) continue
      if (latest === undefined || oldest.sentMs < latest.sentMs!) latest = oldest
    }
    if (latest === undefined) return undefined
    this.#hedgedBytes += latest.bytes
    return this.#ask(source, latest.part, 'hedge')
  }

  #mayHedge(): boolean {
    if (this.#hedgedBytes > FREE_HEDGE_BYTES + this.#receivedBytes * HEDGE_SHARE) return false
    let hedges = 0
    for (const { asked } of this.#sources.values())
      for (const { kind, part } of asked) if (kind === 'hedge' && !part.hasCome) hedges++
    return hedges < MAX_HEDGES
  }

  #mayAsk(source: Source<W>, part: Part<W>, nowMs: number): boolean {
    if (part.hasCome || part.askers.has(source)) return false
    let hopeful = 0
    for (const asker of part.askers) if (!overdue(asker, nowMs)) hopeful++
    if (hopeful >= MAX_ASKERS) return false
    return part.units.every(unit => isHeld(source, unit))
  }

  #measure(source: Source<W>, asked: Asked<W>, bytes: number, nowMs: number): void {
    const sentMs = asked.sentMs ?? nowMs
    source.rate.answered(bytes, nowMs - Math.max(sentMs, source.heardMs))
    source.heardMs = nowMs
    this.#receivedBytes += bytes
    this.#lateness.add(nowMs - sentMs)
  }

  #asked(key: string, assignment: Assignment<W>): Asked<W> | undefined {
    return this.#sources.get(key)?.asked.find(asked => asked === assignment)
  }

  /** A source will not answer for this part. */
  #withdraw(source: Source<W>, part: Part<W>): void {
    part.askers.delete(source)
    this.#returnUnasked(part)
  }

  #returnUnasked(part: Part<W>): void {
    if (!part.hasCome && part.askers.size === 0) this.#pool.add(part.request.wants)
  }

  /** Whether sources differ in what they hold. */
  get #isMixed(): boolean {
    for (const { holding } of this.#sources.values()) if (!holding.isWhole) return true
    return false
  }

  #holders(unit: number): number {
    let holders = 0
    for (const source of this.#sources.values()) if (isHeld(source, unit)) holders++
    return holders
  }
}
