import { assertWholeNumber } from '../../base/index.ts'
import { checkOf, itemOf, type SketchItem } from './item.ts'
import { CellWalk } from './mapping.ts'

/** Words of a cell in memory, of four bytes each. */
const CELL_WORDS = 5

/**
 * Cells of a sketch: for each the sums (exclusive or) of its items' words and checks, and their number. Adding and removing are
 * exact and undo each other, so the sketch of a set is the same whatever order its records came and went in.
 */
export class Sketch {
  readonly keyHigh: Int32Array
  readonly keyLow: Int32Array
  readonly hash: Int32Array
  readonly check: Int32Array
  readonly count: Int32Array

  /** An empty sketch of the first `cellCount` cells. */
  constructor(cellCount: number) {
    assertWholeNumber(cellCount, 0, 'cellCount')
    const column = (index: number): Int32Array =>
      new Int32Array(words.buffer, index * cellCount * Int32Array.BYTES_PER_ELEMENT, cellCount)
    const words = new Int32Array(CELL_WORDS * cellCount)
    this.keyHigh = column(0)
    this.keyLow = column(1)
    this.hash = column(2)
    this.check = column(3)
    this.count = column(4)
  }

  get cellCount(): number {
    return this.count.length
  }

  /** A record joins the set. */
  add(trieKey: Uint8Array, recHash: Uint8Array): void {
    this.toggle(itemOf(trieKey, recHash), 1)
  }

  /** A record leaves the set. What was never added must not be removed. */
  remove(trieKey: Uint8Array, recHash: Uint8Array): void {
    this.toggle(itemOf(trieKey, recHash), -1)
  }

  /** Puts an item into its cells (`sign` 1) or takes it out (-1), and says which those are. */
  toggle(item: SketchItem, sign: number, onCell?: (cell: number) => void): void {
    const { keyHigh, keyLow, hash } = item
    const check = checkOf(item)
    const cellCount = this.cellCount
    for (const walk = new CellWalk(item); walk.cell < cellCount; walk.advance()) {
      const { cell } = walk
      this.keyHigh[cell]! ^= keyHigh
      this.keyLow[cell]! ^= keyLow
      this.hash[cell]! ^= hash
      this.check[cell]! ^= check
      this.count[cell]! += sign
      onCell?.(cell)
    }
  }

  /** A copy of the first `cellCount` cells, which is what a sketch of that length would be. */
  prefix(cellCount: number): Sketch {
    const prefix = new Sketch(cellCount)
    prefix.keyHigh.set(this.keyHigh.subarray(0, cellCount))
    prefix.keyLow.set(this.keyLow.subarray(0, cellCount))
    prefix.hash.set(this.hash.subarray(0, cellCount))
    prefix.check.set(this.check.subarray(0, cellCount))
    prefix.count.set(this.count.subarray(0, cellCount))
    return prefix
  }

  /** What is in this set and not in `other` (counted 1), and the other way round (-1), in the cells that both have. */
  minus(other: Sketch): Sketch {
    const difference = this.prefix(Math.min(this.cellCount, other.cellCount))
    for (let cell = 0; cell < difference.cellCount; cell++) {
      difference.keyHigh[cell]! ^= other.keyHigh[cell]!
      difference.keyLow[cell]! ^= other.keyLow[cell]!
      difference.hash[cell]! ^= other.hash[cell]!
      difference.check[cell]! ^= other.check[cell]!
      difference.count[cell]! -= other.count[cell]!
    }
    return difference
  }

  /** The sum of the items in a cell: an item, where there is one. */
  itemAt(cell: number): SketchItem {
    return { keyHigh: this.keyHigh[cell]!, keyLow: this.keyLow[cell]!, hash: this.hash[cell]! }
  }
}
