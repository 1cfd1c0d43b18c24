import { type PlannedRequest, REQUEST_LIMITS, RequestBuilder, type Want } from '../planner.ts'

/** A want that waits, with its place in the order of the walk and the unit of the release in which it begins. */
interface Waiting<W extends Want> {
  readonly want: W
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

/** Wants that have come up in the walk and are not asked for yet: by unit, each unit in the order of the walk. */
export class WantPool<W extends Want> {
  readonly #unitOf: (want: W) => number
  readonly #units = new Map<number, Waiting<W>[]>()
  /** The order of wants that were taken, for when they come back. */
  readonly #orders = new WeakMap<W, number>()
  #lastOrder = 0
  #count = 0
  #bytes = 0

  constructor(unitOf: (want: W) => number) {
    this.#unitOf = unitOf
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
      if (waiting === undefined) this.#units.set(unit, [{ want, order }])
      else insert(waiting, { want, order })
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
    const first = (unit: number): number => this.#units.get(unit)![0]!.order
    return [...this.#units.keys()].sort((a, b) => rarity(a) - rarity(b) || first(a) - first(b))
  }
}

/** Mostly at the end; wants that come back go to their old place. */
function insert<W extends Want>(waiting: Waiting<W>[], item: Waiting<W>): void {
  let at = waiting.length
  while (at > 0 && waiting[at - 1]!.order > item.order) at--
  waiting.splice(at, 0, item)
}
