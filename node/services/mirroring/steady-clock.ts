import type { Clock } from '../../../base/index.ts'

/**
 * A clock whose `now` goes on evenly from what it was at the start, whatever becomes of the machine's: graces, proofs, budgets and tries are
 * measured by it, so setting the clock neither hurries nor holds up what is repaired. Its times are no dates: what an operator reads is
 * made a date by `wallMs`, and nothing of it is to be kept beyond the process.
 */
export interface SteadyClock extends Clock {
  /** What the machine's clock shows, or showed or will show by how it goes now, at a time of this one. */
  wallMs(atMs: number): number
}

export function steadyClock(clock: Clock): SteadyClock {
  const offsetMs = clock.now() - clock.monotonicMs()
  const now = (): number => Math.floor(offsetMs + clock.monotonicMs())
  return {
    now,
    monotonicMs: () => clock.monotonicMs(),
    wait: (ms, signal) => clock.wait(ms, signal),
    wallMs: atMs => atMs - now() + clock.now()
  }
}
