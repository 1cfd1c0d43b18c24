/**
 * Which cells an item is in. Cell 0 has every item, cell i has each with probability rho(i) = 1 / (1 + i/2), so the first cells
 * are crowded, later ones sparse, and any prefix of the sequence is a good sketch for differences up to about its length.
 *
 * The cells of an item are not looked for one by one. From a cell i, the chance that none of the next x cells is one of its own is
 *
 *   (1 - rho(i+1)) ... (1 - rho(i+x))  =  (i+1)(i+2) / ((i+x+1)(i+x+2))
 *
 * and the least x at which that is not above u, for a u drawn evenly from 0 to 1, is the distance to its next cell:
 *
 *   x = ceil(sqrt((i+1)(i+2)/u + 1/4) - i - 3/2)
 *
 * (the paper rounds this to (i + 3/2)(1/sqrt(u) - 1); the exact form costs the same and makes the number of items in a
 * cell what rho says). An item is in about 2 ln(m) of the first m cells. Its draws come from xoroshiro64** (Blackman and
 * Vigna, "Scrambled linear pseudorandom number generators", 2021), whose whole state is the 64 bits of the item's choice. It is no
 * cryptographic generator and need not be: what must be unforeseeable is in the choice, and here twenty draws are made of it.
 */
import { choiceOf, type SketchItem } from './item.ts'

/** The share of all items that is in a cell. */
export const shareOf = (cell: number): number => 1 / (1 + cell / 2)

const DRAWS = 2 ** 32

/** Walks over the cells of one item, from cell 0 upwards and without end. */
export class CellWalk {
  /** The cell that the walk is at. */
  cell = 0
  #high: number
  #low: number

  constructor(item: SketchItem) {
    const [high, low] = choiceOf(item)
    this.#high = high
    this.#low = low
  }

  /** Goes to the item's next cell. */
  advance(): void {
    const { cell } = this
    const share = (this.#draw() + 0.5) / DRAWS
    this.cell = cell + Math.ceil(Math.sqrt(((cell + 1) * (cell + 2)) / share + 0.25) - cell - 1.5)
  }

  /** xoroshiro64**: 32 bits. */
  #draw(): number {
    const product = Math.imul(this.#high, 0x9e3779bb)
    const mixed = this.#low ^ this.#high
    this.#high = rotate(this.#high, 26) ^ mixed ^ (mixed << 9)
    this.#low = rotate(mixed, 13)
    return Math.imul(rotate(product, 5), 5) >>> 0
  }
}

const rotate = (word: number, by: number): number => (word << by) | (word >>> (32 - by))

/** Whether an item is in a cell. */
export function isInCell(item: SketchItem, cell: number): boolean {
  const walk = new CellWalk(item)
  while (walk.cell < cell) walk.advance()
  return walk.cell === cell
}
