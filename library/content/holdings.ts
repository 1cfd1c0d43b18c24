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

export class HoldingsCount {
  readonly #modules: { database: DatabaseReader; clock: Clock }
  #last: { count: Promise<Holdings>; untilMs: number } | undefined

  constructor(modules: { database: DatabaseReader; clock: Clock }) {
    this.#modules = modules
  }

  /** Those who ask while it is being counted share the count. */
  now(): Promise<Holdings> {
    const { clock, database } = this.#modules
    if (this.#last === undefined || clock.monotonicMs() >= this.#last.untilMs) {
      const startMs = clock.monotonicMs()
      const last = { count: countHoldings(database), untilMs: Number.POSITIVE_INFINITY }
      const rest = (): void => {
        const nowMs = clock.monotonicMs()
        last.untilMs = nowMs + Math.min(REST_SHARE * (nowMs - startMs), MAX_REST_MS)
      }
      last.count.then(rest, rest)
      this.#last = last
    }
    return this.#last.count
  }

  /** Counts anew when it is asked next: what was found would be denied for as long as the last count rests. */
  forget(): void {
    this.#last = undefined
  }
}
