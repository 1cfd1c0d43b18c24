/**
 * Decides how a difference is looked for, by what each way would cost:
 *
 *   sketch   28 bytes for each difference, one round trip; up to 11,000 differences
 *   descent  90 to 230 bytes for each difference, three round trips or more; any number
 *   stream   4 bytes for each record of one side, in order, and nothing is looked for; what came until it broke off is done
 *
 * A stream is also what an empty set gets. Of one that broke off the records that came are there: the next session looks at what each way costs then.
 */
import { MAX_GROUPS, MAX_RANGE_DEPTH, subtreesBelow } from '../../protocols/index.ts'
import { MAX_SKETCH_CELLS } from '../sketch/index.ts'
import {
  CELL_COST_BYTES,
  CELLS_PER_DIFFERENCE,
  DESCENT_BASE_BYTES,
  DESCENT_COST_BYTES,
  ESTIMATE_MARGIN,
  EXTRA_CELLS,
  LIST_COST_BYTES,
  MAX_DESCENT_DIFFERENCES,
  RANGE_RECORDS,
  STREAM_ABOVE,
  STREAM_LIST_RECORDS
} from './limits.ts'

/** Two sets as one side sees them. */
export interface Sizes {
  /** Records of the own set. */
  readonly mine: number
  /** Records of the other, as it says. */
  readonly theirs: number
}

export type Way =
  | { readonly kind: 'sketch'; readonly cells: number }
  | { readonly kind: 'descent' }
  | { readonly kind: 'stream' }

/** The cheapest way for `difference` items, as estimated. */
export function chooseWay({ mine, theirs }: Sizes, difference: number): Way {
  if (difference > STREAM_ABOVE * Math.max(mine, theirs)) return { kind: 'stream' }
  const cells = cellsFor(difference)
  const sketchBytes = cells === undefined ? Number.POSITIVE_INFINITY : cells * CELL_COST_BYTES
  const other = chooseTrieWay({ mine, theirs }, difference)
  const descentBytes = DESCENT_BASE_BYTES + difference * DESCENT_COST_BYTES
  const otherBytes = Math.min(descentBytes, mine * LIST_COST_BYTES)
  return cells !== undefined && sketchBytes <= otherBytes ? { kind: 'sketch', cells } : other
}

/** The cheaper way without a sketch. */
export function chooseTrieWay({ mine, theirs }: Sizes, difference: number): Way {
  const isMost = difference > Math.min(STREAM_ABOVE * Math.max(mine, theirs), MAX_DESCENT_DIFFERENCES)
  const isCheaper = mine * LIST_COST_BYTES < difference * DESCENT_COST_BYTES
  return { kind: isMost || isCheaper ? 'stream' : 'descent' }
}

/** Cells of a sketch that shows `difference` items; undefined when there are too many. */
export function cellsFor(difference: number): number | undefined {
  const wanted = Math.ceil(difference * CELLS_PER_DIFFERENCE * ESTIMATE_MARGIN) + EXTRA_CELLS
  if (wanted <= MAX_SKETCH_CELLS) return wanted
  // Without the margin it may be enough, and the next larger step is far dearer.
  return difference * CELLS_PER_DIFFERENCE <= MAX_SKETCH_CELLS ? MAX_SKETCH_CELLS : undefined
}

/** Neighbouring subtrees: of all paths with `depth` digits, in their order, `count` from the one with number `first` on. */
export interface Range {
  readonly depth: number
  readonly first: number
  readonly count: number
}

export const WHOLE: Range = { depth: 0, first: 0, count: 1 }

export const reachesEnd = ({ depth, first, count }: Range): boolean => first + count === subtreesBelow(depth)

/** Digits of the subtrees that a stream lists one by one. */
export function streamDepth({ mine, theirs }: Sizes): number {
  let depth = 0
  while (depth < MAX_RANGE_DEPTH && Math.max(mine, theirs) > STREAM_LIST_RECORDS * subtreesBelow(depth))
    depth++
  return depth
}

/** The next range of a stream: subtrees from `first` on with as many records as one range should have. */
export function streamRange({ mine, theirs }: Sizes, depth: number, first: number): Range {
  const subtrees = subtreesBelow(depth)
  const each = Math.max(1, (mine + theirs) / subtrees)
  const wanted = Math.max(1, Math.min(MAX_GROUPS, Math.floor(RANGE_RECORDS / each)))
  return { depth, first, count: Math.min(wanted, subtrees - first) }
}
