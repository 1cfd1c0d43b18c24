/**
 * A sketch on the wire, as two columns:
 *
 *   cells   16 bytes each: keyHigh, keyLow, hash, check, the highest byte of each first
 *   counts  one varint each: the count less the one to be expected, round(n * rho(i)) in a set of n, with the sign in the lowest bit
 *           (0, -1, 1, -2 are 0, 1, 2, 3)
 *
 * Both sides know n, so what travels is only how far chance has moved a count: one byte, two in the crowded cells of a
 * large set. Counts may go on behind the cells: they alone are enough to estimate a difference by.
 */
import { varint } from 'multiformats'
import { CatalogError } from '../../base/index.ts'
import { MAX_SET_RECORDS, SKETCH_CELL_BYTES } from '../../protocols/index.ts'
import { shareOf } from './mapping.ts'
import { Sketch } from './sketch.ts'

/**
 * Cells of a sketch at most: enough for 10,000 differences. 320 KiB in memory, so it can be kept for the large libraries of a node; above
 * that a descent costs less than the cells.
 */
export const MAX_SKETCH_CELLS = 16_384
/** A set has fewer than 2^32 records, so a distance needs 33 bits. */
export const MAX_COUNT_BYTES = 5

/** Consecutive cells, and the counts of at least these. */
export interface SketchColumns {
  readonly cells: Uint8Array
  readonly counts: Uint8Array
}

/** The cells `from` to `to - 1` of the sketch of a whole set. */
export function encodeCells(sketch: Sketch, from: number, to: number): Uint8Array {
  const bytes = Buffer.alloc((to - from) * SKETCH_CELL_BYTES)
  for (let cell = from; cell < to; cell++) {
    const at = (cell - from) * SKETCH_CELL_BYTES
    bytes.writeInt32BE(sketch.keyHigh[cell]!, at)
    bytes.writeInt32BE(sketch.keyLow[cell]!, at + 4)
    bytes.writeInt32BE(sketch.hash[cell]!, at + 8)
    bytes.writeInt32BE(sketch.check[cell]!, at + 12)
  }
  return bytes
}

/** The counts of the cells `from` to `to - 1` of the sketch of a whole set. */
export function encodeCounts({ count }: Sketch, from: number, to: number): Uint8Array {
  const bytes = new Uint8Array((to - from) * MAX_COUNT_BYTES)
  const records = count[0] ?? 0
  let length = 0
  for (let cell = from; cell < to; cell++) {
    const distance = count[cell]! - expectedCount(records, cell)
    const signed = distance < 0 ? -2 * distance - 1 : 2 * distance
    varint.encodeTo(signed, bytes, length)
    length += varint.encodingLength(signed)
  }
  return bytes.slice(0, length)
}

/** Cells that these columns have. */
export const cellsIn = ({ cells }: SketchColumns): number => cells.byteLength / SKETCH_CELL_BYTES

/**
 * The first cells of the sketch of a set of `records`, from columns that follow each other. Throws PROTOCOL_VIOLATION for what no
 * set of that size has, and for more than MAX_SKETCH_CELLS before anything is made of them.
 */
export function decodeSketch(parts: readonly SketchColumns[], records: number): Sketch {
  const cellCount = parts.reduce((sum, part) => sum + cellsIn(part), 0)
  if (!Number.isInteger(cellCount) || cellCount > MAX_SKETCH_CELLS) throw refused(`of ${cellCount} cells`)
  const sketch = new Sketch(cellCount)
  let first = 0
  for (const part of parts) {
    const counts = decodeCounts(part.counts, { first, records })
    if (counts.length < cellsIn(part)) throw refused('with more cells than counts')
    sketch.count.set(counts.subarray(0, cellsIn(part)), first)
    setCells(sketch, part.cells, first)
    first += cellsIn(part)
  }
  return sketch
}

function setCells(sketch: Sketch, cells: Uint8Array, first: number): void {
  const bytes = Buffer.from(cells.buffer, cells.byteOffset, cells.byteLength)
  for (let at = 0, cell = first; at < bytes.byteLength; at += SKETCH_CELL_BYTES, cell++) {
    sketch.keyHigh[cell] = bytes.readInt32BE(at)
    sketch.keyLow[cell] = bytes.readInt32BE(at + 4)
    sketch.hash[cell] = bytes.readInt32BE(at + 8)
    sketch.check[cell] = bytes.readInt32BE(at + 12)
  }
}

/**
 * All counts of a column that begins with the cell `first`. Throws PROTOCOL_VIOLATION unless each is one of a set of `records`: no more
 * than all of them, and all in cell 0.
 */
export function decodeCounts(
  column: Uint8Array,
  { first = 0, records }: { first?: number; records: number }
): Int32Array {
  if (records > MAX_SET_RECORDS) throw refused(`of ${records} records`)
  const counts: number[] = []
  for (let at = 0; at < column.byteLength; ) {
    if (first + counts.length === MAX_SKETCH_CELLS) throw refused('with too many counts')
    const { signed, length } = readVarint(column, at)
    const distance = signed % 2 === 1 ? -(signed + 1) / 2 : signed / 2
    const count = distance + expectedCount(records, first + counts.length)
    const isWhole = first + counts.length === 0
    if (count < 0 || count > records || (isWhole && count !== records))
      throw refused(`with a count of ${count}`)
    counts.push(count)
    at += length
  }
  return Int32Array.from(counts)
}

function readVarint(column: Uint8Array, at: number): { signed: number; length: number } {
  try {
    const [signed, length] = varint.decode(column.subarray(0, at + MAX_COUNT_BYTES), at)
    return { signed, length }
  } catch (cause) {
    throw new CatalogError('PROTOCOL_VIOLATION', 'a sketch with a count that is no varint', { cause })
  }
}

const expectedCount = (records: number, cell: number): number => Math.round(records * shareOf(cell))

function refused(what: string): CatalogError {
  return new CatalogError('PROTOCOL_VIOLATION', `a sketch ${what}`)
}
