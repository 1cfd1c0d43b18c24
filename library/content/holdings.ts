/**
 * What is held, counted from the rows that say so. The cost is one look at each content; so that a status that is asked for again
 * and again stays cheap with a hundred thousand of them, a count is used again for as long as keeps counting below a twentieth
 * of the time, but for some seconds at most: where counting takes long because the machine is busy, what came must not stay uncounted for
 * minutes. With a few hundred contents that is a few milliseconds.
 */
import { type Clock, SECOND_MS } from '../../base/index.ts'
import { KeyFamily, makeKey } from '../database/keys.ts'
import type { DatabaseReader } from '../database/types.ts'
import { completeKey } from './complete.ts'
import { DAMAGE_KEY } from './segment-modules.ts'
import type { Holdings } from './types.ts'

/** A count is used for so many times as long as it took. */
const REST_SHARE = 20
const MAX_REST_MS = 5 * SECOND_MS

export async function countHoldings(database: DatabaseReader): Promise<Holdings> {
  let complete = 0
  let damaged = 0
  for await (const _ of database.iterate({ prefix: makeKey(KeyFamily.Complete) })) complete++
  for await (const [key] of database.iterate({ prefix: makeKey(KeyFamily.Held) }))
    if (database.get(completeKey(key.subarray(KeyFamily.Held.length))) === undefined) damaged++
  return { complete, damaged, isUnchecked: database.get(DAMAGE_KEY) !== undefined }
}

interface LastCount {
  readonly count: Promise<Holdings>
  untilMs: number
  foundDamage: boolean
  /** A content has become whole since it began. */
  isOutdated: boolean
}

export class HoldingsCount {
  readonly #modules: { database: DatabaseReader; clock: Clock }
  #last: LastCount | undefined

  constructor(modules: { database: DatabaseReader; clock: Clock }) {
    this.#modules = modules
  }

  /** Those who ask while it is being counted share the count. */
  now(): Promise<Holdings> {
    const last = this.#last
    const isGood = last !== undefined && this.#modules.clock.monotonicMs() < last.untilMs
    if (isGood && !(last.foundDamage && last.isOutdated)) return last.count
    this.#last = this.#begin()
    return this.#last.count
  }

  /** What was damaged may be whole again, and would be called damaged for as long as the last count rests. One more of whole ones can wait. */
  completed(): void {
    if (this.#last !== undefined) this.#last.isOutdated = true
  }

  /** Counts anew when it is asked next: what was found would be denied for as long as the last count rests. */
  forget(): void {
    this.#last = undefined
  }

  #begin(): LastCount {
    const { clock, database } = this.#modules
    const startMs = clock.monotonicMs()
    const count = countHoldings(database)
    const last = { count, untilMs: Number.POSITIVE_INFINITY, foundDamage: false, isOutdated: false }
    const rest = (found?: Holdings): void => {
      const nowMs = clock.monotonicMs()
      last.untilMs = nowMs + Math.min(REST_SHARE * (nowMs - startMs), MAX_REST_MS)
      last.foundDamage = found !== undefined && (found.damaged > 0 || found.isUnchecked)
    }
    count.then(rest, () => rest())
    return last
  }
}
