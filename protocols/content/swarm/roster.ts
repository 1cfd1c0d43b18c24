import type { Want } from '../planner.ts'
import type { SwarmPlanner } from './planner.ts'
import { type Farewell, SlowSources, type Standing } from './slow-source.ts'
import type { Named, SourceBook } from './source-book.ts'

/** Lanes of one fetch, mostly one to each source; more sources wait. Each has a stream and up to a window. */
export const MAX_LANES = 8
/** Sources that one fetch ever tries. */
const MAX_SOURCES = 64
/** After a slow source one that was let go before comes back, if it was measured to be so many times as fast. */
const WORTH_RECALLING = 2

export interface RosterModules {
  readonly book: SourceBook
  readonly planner: Pick<SwarmPlanner<Want>, 'standings' | 'areNeeded'>
}

/** A lane, and the source to which it leads. */
export interface LaneTo<P extends Named> {
  readonly key: string
  readonly peerId: P
}

/**
 * The sources that one fetch knows: those that wait for a lane, and those that were let go. Says who is drawn from next, and
 * who is let go. A source that was let go comes back when another is gone for good. Pure: what it knows it is told.
 */
export class Roster<P extends Named> {
  readonly #modules: RosterModules
  readonly #slow = new SlowSources()
  readonly #known = new Set<string>()
  readonly #waiting: P[] = []
  /** Who is to end, until it has. */
  #leaving: Farewell | undefined
  /** Those that were let go, by their keys. */
  readonly #resting = new Map<string, P>()

  constructor(modules: RosterModules) {
    this.#modules = modules
  }

  get hasWaiting(): boolean {
    return this.#waiting.length > 0
  }

  /** Takes in a source, which waits for its lane; what is known already, or one too many, is left out. */
  add(peer: P): void {
    const key = peer.toString()
    if (this.#known.has(key) || this.#known.size >= MAX_SOURCES) return
    this.#known.add(key)
    this.#waiting.push(peer)
  }

  /** Who gets the next lane, beside so many; undefined when nobody does. */
  next(lanes: number): P | undefined {
    return lanes < MAX_LANES ? this.#waiting.shift() : undefined
  }

  /** Who is to be let go now, told once; then `ended` is awaited. To be asked several times a second. */
  look(lanes: readonly LaneTo<P>[], nowMs: number): Farewell | undefined {
    const { book, planner } = this.#modules
    // One after the other: what the planner knows still counts the one that is to end.
    if (this.#leaving !== undefined) return undefined
    const keys = Map.groupBy(lanes, ({ peerId }) => peerId.toString())
    const keysOf = (key: string): Set<string> => new Set(keys.get(key)?.map(lane => lane.key))
    const standings = planner.standings(nowMs)
    const sources = [...keys.keys()].flatMap(key => together(key, standings, keysOf(key)))
    const waiting = lanes.length < MAX_LANES ? [] : this.#waiting
    const farewell = this.#slow.look({
      nowMs,
      sources,
      isNeeded: key => planner.areNeeded(keysOf(key)),
      waiting: waiting.map(peer => ({ key: peer.toString(), goodput: book.goodputOf(peer) }))
    })
    this.#leaving = farewell
    return farewell
  }

  /** Whether a source was let go and is not drawn from. */
  isLetGo(peer: P): boolean {
    const key = peer.toString()
    return this.#leaving?.key === key || this.#resting.has(key)
  }

  /** The last lane to a source is over: because it was let go, or because it failed. */
  ended(peer: P): void {
    const key = peer.toString()
    const farewell = this.#leaving
    if (farewell?.key !== key) this.#recall(0)
    else {
      this.#leaving = undefined
      if (farewell.why === 'makes room') this.#prefer(farewell.successor)
      else {
        this.#modules.book.of(peer).isAtMost(farewell.goodput)
        this.#recall(WORTH_RECALLING * farewell.goodput)
      }
      this.#resting.set(key, peer)
    }
  }

  /** The fastest of those that were let go waits again, if it was measured to be faster than that. */
  #recall(goodput: number): void {
    const best = this.#modules.book.fastest([...this.#resting.values()], goodput)
    if (best === undefined) return
    this.#resting.delete(best.toString())
    this.#waiting.push(best)
  }

  /** Who waits is next. */
  #prefer(key: string): void {
    const at = this.#waiting.findIndex(peer => peer.toString() === key)
    if (at > 0) this.#waiting.unshift(...this.#waiting.splice(at, 1))
  }
}

/** A source over all of its lanes; none before one of them is open. */
function together(key: string, standings: readonly Standing[], lanes: ReadonlySet<string>): Standing[] {
  const open = standings.filter(standing => lanes.has(standing.key))
  if (open.length === 0) return []
  const goodputs = open.flatMap(({ goodput }) => goodput ?? [])
  return [
    {
      key,
      goodput: goodputs.length === 0 ? undefined : goodputs.reduce((sum, goodput) => sum + goodput),
      heldBytes: open.reduce((sum, { heldBytes }) => sum + heldBytes, 0),
      roundTripMs: Math.max(...open.map(({ roundTripMs }) => roundTripMs))
    }
  ]
}
