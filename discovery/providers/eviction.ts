import type { Database } from '../../library/index.ts'
import { fractionOfSpace } from '../distance.ts'
import { EVICTION_SAMPLE_ROWS } from './limits.ts'
import type { WriteRound } from './round.ts'
import {
  ClaimGroup,
  decodeClaim,
  distanceOfClaim,
  groupPrefix,
  placeAmongClaims,
  providerOfClaim
} from './rows.ts'

interface Candidate {
  readonly rowKey: Uint8Array
  readonly distance: Uint8Array
}

/**
 * What goes from a full store for a new claim: one that has expired, if a few rows at a random place show one, else the claim
 * whose key is farthest from this node, and only when it is farther than the new one. So whoever floods the store with far
 * keys displaces nobody, and whoever makes up near ones displaces the farthest: the keys for which this node matters most,
 * because few others are nearer, stay. Claims put by the same write are not weighed against each other.
 *
 * Rows are read ahead of a batch (`prepare`) and used up while it is judged.
 */
export class Eviction {
  /** Claims that went for others. */
  evicted = 0
  readonly #database: Database
  readonly #random: () => number
  readonly #round: WriteRound
  #expired: Candidate[] = []
  /** Farthest first. */
  #farthest: Candidate[] = []
  /** Where reading from the far end goes on. */
  #cursor: Uint8Array | undefined

  constructor(modules: { database: Database; random: () => number }, round: WriteRound) {
    this.#database = modules.database
    this.#random = modules.random
    this.#round = round
  }

  /** Reads as many candidates as `count` new claims may need. */
  async prepare(count: number, nowMs: number): Promise<void> {
    const wanted = Math.max(count, EVICTION_SAMPLE_ROWS)
    await this.#readFarthest(wanted)
    const [farthest] = this.#farthest
    if (farthest === undefined) return
    const after = placeAmongClaims(this.#random() * fractionOfSpace(farthest.distance))
    const range = { prefix: groupPrefix(ClaimGroup.Others), after, limit: wanted }
    this.#expired = []
    for await (const [rowKey, value] of this.#database.iterate(range))
      if (decodeClaim(value).expiresAt <= nowMs) this.#expired.push(candidate(rowKey))
  }

  /** Removes one claim for a new one at `distance`; false when none may go. */
  makeRoom(distance: Uint8Array): boolean {
    return this.#take(this.#expired, () => true) || this.#take(this.#farthest, fartherThan(distance))
  }

  /** Removes a provider with its only claim; false when a few of the farthest claims show none that may go. */
  makeRoomForProvider(distance: Uint8Array): boolean {
    const isOnly = ({ rowKey }: Candidate): boolean =>
      this.#round.provider(providerOfClaim(rowKey)).claims === 1
    const isFarther = fartherThan(distance)
    return (
      this.#take(this.#expired, isOnly) || this.#take(this.#farthest, one => isOnly(one) && isFarther(one))
    )
  }

  /** Removes the first of the next few candidates that may go; those that this write has touched are passed over for good. */
  #take(candidates: Candidate[], mayGo: (one: Candidate) => boolean): boolean {
    while (candidates[0] !== undefined && this.#round.changed(candidates[0].rowKey) !== undefined)
      candidates.shift()
    const at = candidates
      .slice(0, EVICTION_SAMPLE_ROWS)
      .findIndex(one => this.#round.changed(one.rowKey) === undefined && mayGo(one))
    if (at < 0) return false
    const [chosen] = candidates.splice(at, 1)
    this.#round.remove(chosen!.rowKey)
    this.evicted++
    return true
  }

  async #readFarthest(wanted: number): Promise<void> {
    const limit = wanted - this.#farthest.length
    if (limit <= 0) return
    const range = { prefix: groupPrefix(ClaimGroup.Others), reverse: true, limit }
    const rows = this.#database.iterate(
      this.#cursor === undefined ? range : { ...range, after: this.#cursor }
    )
    for await (const [rowKey] of rows) {
      this.#farthest.push(candidate(rowKey))
      this.#cursor = rowKey
    }
  }
}

const candidate = (rowKey: Uint8Array): Candidate => ({ rowKey, distance: distanceOfClaim(rowKey) })

const fartherThan =
  (distance: Uint8Array) =>
  (one: Candidate): boolean =>
    Buffer.compare(one.distance, distance) > 0
