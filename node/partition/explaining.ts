import { CatalogError, displayDuration, isAway, toCatalogError } from '../../base/index.ts'
import type { PartitionShape } from '../partition-schemas.ts'

/** What works on something that others may be needed for. */
type Work<Args extends unknown[], Result> = (...args: Args) => Promise<Result>

/** The same work; when it fails because others are away, while they are known to be, its error says so and what to do. */
export const explained =
  <Args extends unknown[], Result>(
    work: Work<Args, Result>,
    partition: () => PartitionShape,
    now: () => number
  ): Work<Args, Result> =>
  async (...args) => {
    try {
      return await work(...args)
    } catch (thrown) {
      const { state, since, lost, of } = partition()
      if (state === 'whole' || state === 'healing' || !isAway(thrown)) throw thrown
      const { code, message, details } = toCatalogError(thrown)
      const forMs = Math.max(0, now() - Date.parse(since))
      throw new CatalogError(code, message, {
        hint: `the node is ${state} for ${displayDuration(forMs)}, ${lost} of ${of} peers are lost: \`catalog status\` tells when that is over; \`catalog fetch\` and \`catalog sync\` leave it with the daemon until then with --later`,
        details: { ...details, partition: state },
        cause: thrown
      })
    }
  }
