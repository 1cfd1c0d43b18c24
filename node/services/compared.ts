import type { FollowEntry } from './follow-entry.ts'

/** How far subscriptions have come since it was made: each is compared once more, and one whose session was under way then after that if it failed. */
export class Compared {
  readonly #entries: ReadonlyArray<{ entry: FollowEntry; begun: number; equal: number }>

  constructor(entries: readonly FollowEntry[]) {
    this.#entries = entries.map(entry => ({ entry, begun: entry.begun, equal: entry.equal }))
  }

  /** Those that were found equal. */
  get equal(): number {
    return this.#entries.filter(({ entry, equal }) => entry.equal > equal).length
  }

  get isDone(): boolean {
    return this.#entries.every(
      ({ entry, begun, equal }) =>
        entry.equal > equal || entry.lastFailed > begun || entry.ending.signal.aborted
    )
  }
}
