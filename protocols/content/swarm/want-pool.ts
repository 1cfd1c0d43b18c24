import { type PlannedRequest, REQUEST_LIMITS, RequestBuilder, type Want } from '../planner.ts'

/** A want that waits: its place in the release, and in the order of the walk. */
interface Waiting<W extends Want> {
  readonly want: W
  readonly offset: number
  readonly order: number
}

export interface TakeOptions {
  readonly maxBytes: number
  /** Whether the source has this unit. */
  readonly has: (unit: number) => boolean
  /** Sources that have the unit; the rarest goes first. The same for all units when there is no difference. */
  readonly rarity: (unit: number) => number
  /** Ends a request with its unit, so that whoever has the unit can answer all of it. */
  readonly staysInUnit: boolean
}

/**
 * Wants that have come up in the walk and are not asked for yet: by unit, each unit in the order of the release, and of the walk
 * where places are equal or not known.
 */
export class WantPool<W extends Want> {
  readonly #unitOf: (want: W) => number
  readonly #offsetOf: (want: W) => number
  readonly #units = new Map<number, Waiting<W>[]>()
  /** The order of wants that were taken, for when they come back. */
  readonly #orders = new WeakMap<W, number>()
  #lastOrder = 0
  #count = 0
  #bytes = 0

  constructor(unitOf: (want: W) => number, offsetOf: (want: W) => number) {
    this.#unitOf = unitOf
    this.#offsetOf = offsetOf
  }

  get count(): number {
    return this.#count
  }

  /** Bytes whose lengths are known. */
  get bytes(): number {
    return this.#bytes
  }

  /** Adds wants; those that were here before get their old place. */
  add(wants: readonly W[]): void {
    for (const want of wants) {
      const known = this.#orders.get(want)
      const order = known ?? ++this.#lastOrder
      this.#orders.set(want, order)
      const unit = this.#unitOf(want)
      const waiting = this.#units.get(unit)
      const item = { want, order, offset: this.#offsetOf(want) }
      if (waiting === undefined) this.#units.set(unit, [item])
      else insert(waiting, item)
      this.#count++
      this.#bytes += want.rawLengthBytes ?? 0
    }
  }

  /** Whether anything here could be asked of such a source. */
  hasAny(has: (unit: number) => boolean): boolean {
    for (const unit of this.#units.keys()) if (has(unit)) return true
    return false
  }

  /** One request of the rarest unit that the source has, the earliest of several, and of what follows it. */
  take(options: TakeOptions): PlannedRequest<W> | undefined {
    const { maxBytes, has, staysInUnit } = options
    const units = this.#inOrder(options)
    const builder = new RequestBuilder<W>({ ...REQUEST_LIMITS, maxBytes })
    for (const unit of units) {
      if (!has(unit)) continue
      if (!this.#move(unit, builder) || staysInUnit) break
    }
    return builder.isEmpty ? undefined : builder.build()
  }

  /** Moves wants of one unit into a request; true when all found their place and there is room for more. */
  #move(unit: number, builder: RequestBuilder<W>): boolean {
    const waiting = this.#units.get(unit)!
    let taken = 0
    while (taken < waiting.length && !builder.isFull && builder.add(waiting[taken]!.want)) {
      this.#bytes -= waiting[taken]!.want.rawLengthBytes ?? 0
      taken++
    }
    this.#count -= taken
    if (taken === waiting.length) this.#units.delete(unit)
    else waiting.splice(0, taken)
    return !builder.isFull && taken === waiting.length
  }

  #inOrder({ rarity }: TakeOptions): number[] {
    const first = (unit: number): Waiting<W> => this.#units.get(unit)![0]!
    return [...this.#units.keys()].sort((a, b) => rarity(a) - rarity(b) || compare(first(a), first(b)))
  }
}

/** Mostly at the end; wants that come back go to their old place. */
function insert<W extends Want>(waiting: Waiting<W>[], item: Waiting<W>): void {
  let at = waiting.length
  while (at > 0 && compare(waiting[at - 1]!, item) > 0) at--
  waiting.splice(at, 0, item)
}

const compare = (a: Omit<Waiting<never>, 'want'>, b: Omit<Waiting<never>, 'want'>): number =>
  a.offset - b.offset || a.order - b.order
