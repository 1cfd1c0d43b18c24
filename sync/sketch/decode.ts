/**
 * Reading a difference out of two sketches. Cell by cell, one minus the other leaves only the items that are in one of the sets.
 * A cell of a single item shows it as it is: its count is 1 or -1, its check is that of its sum, and the cell is one
 * of the item's own. Such an item is taken out of all its cells, which leaves others with a single item, and so on
 * ("peeling"). For d differences about 1.35 d cells are enough where d is large, 2 d where it is small; with fewer, or with
 * two items in the very same cells, peeling stops before the end, and what came out until then is still right.
 *
 * The other sketch is a stranger's. Whatever stands in it, no more items are peeled than there are cells (an honest cell shows its
 * last item once), and peeling stops at an item that comes a second time: so it ends. Each peel touches the cells of one item,
 * 18 of 16,384 on average, and nobody finds an item with many more. An item that comes out wrongly is one that the other side
 * lies about, or one chance in 2^32 for each cell looked at; it costs a question for a record that is not there.
 */
import { checkOf, type SketchItem } from './item.ts'
import { isInCell } from './mapping.ts'
import type { Sketch } from './sketch.ts'

/** What came out of two sketches. */
export interface SketchDifference {
  /** Only in the first set. */
  readonly mine: readonly SketchItem[]
  /** Only in the second. */
  readonly theirs: readonly SketchItem[]
  /** Whether nothing is left in the cells: then these are all differences. */
  readonly isComplete: boolean
}

/** Compares the cells that both sketches have. Never throws; the work is bounded by their number. */
export function decodeDifference(mine: Sketch, theirs: Sketch): SketchDifference {
  const cells = mine.minus(theirs)
  const found = { mine: new Map<string, SketchItem>(), theirs: new Map<string, SketchItem>() }
  const waiting: number[] = []
  for (let cell = 0; cell < cells.cellCount; cell++) if (isSingle(cells, cell)) waiting.push(cell)
  let peelsLeft = cells.cellCount
  for (let cell = waiting.pop(); cell !== undefined; cell = waiting.pop()) {
    const item = singleItem(cells, cell)
    if (item === undefined) continue
    const key = `${item.keyHigh},${item.keyLow},${item.hash}`
    if (peelsLeft-- === 0 || found.mine.has(key) || found.theirs.has(key)) break
    const sign = cells.count[cell]!
    found[sign > 0 ? 'mine' : 'theirs'].set(key, item)
    cells.toggle(item, -sign, touched => {
      if (isSingle(cells, touched)) waiting.push(touched)
    })
  }
  return {
    mine: [...found.mine.values()],
    theirs: [...found.theirs.values()],
    isComplete: isEmpty(cells)
  }
}

const isSingle = (cells: Sketch, cell: number): boolean => Math.abs(cells.count[cell]!) === 1

/** The item of a cell that has one alone. */
function singleItem(cells: Sketch, cell: number): SketchItem | undefined {
  if (!isSingle(cells, cell)) return undefined
  const item = cells.itemAt(cell)
  return checkOf(item) === cells.check[cell] && isInCell(item, cell) ? item : undefined
}

function isEmpty(cells: Sketch): boolean {
  const columns = [cells.count, cells.keyHigh, cells.keyLow, cells.hash, cells.check]
  return columns.every(column => column.every(word => word === 0))
}
