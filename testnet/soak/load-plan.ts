/** What one user of a node does, one thing after another, as the seed decides. Pure. */
import { KIB, SECOND_MS } from '../../base/index.ts'
import type { Role } from '../network/plan.ts'
import { Random } from '../simulator/random.ts'

export const OPERATIONS = [
  'publish',
  'remove',
  'fetch',
  'verify',
  'install',
  'search',
  'info',
  'list',
  'status',
  'doctor',
  'watch',
  'follow',
  'unfollow',
  'sync',
  'pin',
  'unpin',
  'mirror-pin',
  'mirror-unpin',
  'mirror-run',
  'collect',
  'backup'
] as const
export type OperationKind = (typeof OPERATIONS)[number]

export interface PlannedOperation {
  /** After the end of the one before. */
  readonly afterMs: number
  readonly kind: OperationKind
  /** In [0, 1): which of those there are then (a release, a library) it is about. */
  readonly pick: number
  /** Of what is published. */
  readonly sizeBytes: number
}

type Weights = Readonly<Partial<Record<OperationKind, number>>>

const READS: Weights = {
  search: 6,
  info: 6,
  list: 3,
  status: 6,
  doctor: 1,
  watch: 2,
  collect: 1,
  backup: 0.5
}
const FETCHES: Weights = { fetch: 14, verify: 4, install: 2, remove: 4, pin: 2, unpin: 2 }
const FOLLOWS: Weights = { follow: 3, unfollow: 1.5, sync: 3 }
/** Mirrors follow publishers from their start on; what stands in their command is not changed while they run. */
const WEIGHTS: Readonly<Record<Role, Weights>> = {
  seed: { ...READS, fetch: 3, remove: 2 },
  publisher: { ...READS, ...FOLLOWS, publish: 16, remove: 6, fetch: 2, verify: 2 },
  mirror: { ...READS, ...FETCHES, sync: 4, 'mirror-pin': 4, 'mirror-unpin': 4, 'mirror-run': 2 },
  consumer: { ...READS, ...FETCHES, ...FOLLOWS }
}

/** Between two operations of a user, on average: eight nodes do some two a second. */
const PAUSE_MS = 3 * SECOND_MS
/** So that one long pause is not the end of the load. */
const MOST_PAUSES = 5
const LEAST_BYTES = KIB
const MOST_BYTES = 512 * KIB

export class UserPlan {
  readonly #random: Random
  readonly #weights: Weights

  constructor(seed: string, node: string, role: Role) {
    this.#random = new Random(`${seed}/load/${node}`)
    this.#weights = WEIGHTS[role]
  }

  next(): PlannedOperation {
    const random = this.#random
    return {
      afterMs: Math.round(PAUSE_MS * Math.min(MOST_PAUSES, -Math.log(1 - random.next()))),
      kind: random.weighted(this.#weights as Record<OperationKind, number>),
      pick: random.next(),
      // As many small ones as large ones of twice the size: most are small, some are not.
      sizeBytes: Math.round(LEAST_BYTES * (MOST_BYTES / LEAST_BYTES) ** random.next())
    }
  }
}
