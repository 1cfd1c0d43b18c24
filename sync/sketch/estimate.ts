/**
 * How large a difference is, from the numbers of items in the cells alone, long before the cells are enough to read it. Let d
 * items be in one of two sets only. In cell i, the first set's count less the second's is a sum over those d items: each adds 1 or -1 with
 * probability rho(i), so
 *
 *   its mean is      delta * rho(i)            delta = difference of the sizes, which cell 0 shows exactly
 *   its variance is  d * rho(i) (1 - rho(i))
 *
 * and each cell's squared distance from its mean, divided by rho(i) (1 - rho(i)), is an estimate of d. Their weighted mean is taken;
 * a cell with few items swings more, so its weight depends on d, and three rounds settle that. With 176 cells the estimate is
 * within a tenth of d two times in three.
 */
import { shareOf } from './mapping.ts'

const ROUNDS = 3

/**
 * Estimates how many items are in one of two sets only, from the counts of the first cells of their sketches; at least 1, and
 * never less than the difference of the sizes. Cells that only one side has are left out.
 */
export function estimateDifference(mine: Int32Array, theirs: Int32Array): number {
  const cellCount = Math.min(mine.length, theirs.length)
  const delta = cellCount === 0 ? 0 : mine[0]! - theirs[0]!
  let estimate = 1
  for (let round = 0; round <= ROUNDS; round++) {
    let sum = 0
    let weights = 0
    for (let cell = 1; cell < cellCount; cell++) {
      const share = shareOf(cell)
      const variance = share * (1 - share)
      const distance = mine[cell]! - theirs[cell]! - delta * share
      // The first round, which knows no d, weighs cells by their variance: that is the mean of all squares.
      const weight = round === 0 ? variance : 1 / (2 + 1 / (estimate * variance))
      sum += (weight * distance * distance) / variance
      weights += weight
    }
    estimate = Math.max(1, weights === 0 ? 1 : sum / weights)
  }
  return Math.max(Math.abs(delta), estimate)
}
