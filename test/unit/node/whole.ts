import type { PartitionShape } from '../../../node/partition-schemas.ts'

/** A network of which nothing is lost. */
export const WHOLE: PartitionShape = {
  state: 'whole',
  since: '2026-01-01T00:00:00.000Z',
  lost: 0,
  of: 0,
  isCutOff: true,
  isFrozen: false,
  reasons: [],
  last: null
}
