/**
 * Whether one can tell two kinds of questions apart by when their answers come. Ranks are compared, not times: of all pairs of one
 * answer of each kind, how often did the first kind take longer? For kinds that cannot be told apart it is half of them, whatever else
 * the machine does, as both are asked in turns. (This is the statistic of Mann and Whitney; its spread for equal kinds is known.)
 */

/** Of the spread of that share: one measurement in 16,000 is beyond for no reason, and nobody is found guilty by one. */
const SPREADS = 4
const MEASUREMENTS = 3

export interface Told {
  /** Of pairs in which the first kind took longer. */
  readonly share: number
  /** How far from a half tells something. */
  readonly margin: number
  readonly mediansMs: readonly [number, number]
}

/** Milliseconds of both kinds, as often the one as the other. */
export type Samples = readonly [number[], number[]]

/** What can be told; undefined when nothing can. What shows in one measurement shows in each, and to the same side. */
export async function whatTimeTells(measure: () => Promise<Samples>): Promise<Told | undefined> {
  let side = 0
  let last: Told | undefined
  for (let i = 0; i < MEASUREMENTS; i++) {
    last = compare(await measure())
    const off = last.share - 0.5
    if (Math.abs(off) < last.margin || (side !== 0 && Math.sign(off) !== side)) return undefined
    side = Math.sign(off)
  }
  return last
}

function compare([first, second]: Samples): Told {
  let longer = 0
  for (const a of first) for (const b of second) longer += a > b ? 1 : a === b ? 0.5 : 0
  const pairs = first.length * second.length
  const spread = Math.sqrt((first.length + second.length + 1) / (12 * pairs))
  return {
    share: longer / pairs,
    margin: SPREADS * spread,
    mediansMs: [median(first), median(second)]
  }
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!
