import { type Clock, displayShare, SECOND_MS } from '../../base/index.ts'
import type { MigrationProgress } from './format.ts'

/** Between two lines of one phase: a person sees that it goes on, and a log of a million records stays readable. */
const LINE_INTERVAL_MS = 2 * SECOND_MS

/** What a migration says to who starts the daemon, as lines: each new phase, and of one that takes long how far it has come. */
export function migrationLines(
  modules: { clock: Pick<Clock, 'monotonicMs'> },
  write: (line: string) => void
): (progress: MigrationProgress) => void {
  let last = ''
  let nextMs = 0
  return ({ from, to, phase, done }) => {
    const nowMs = modules.clock.monotonicMs()
    const step = `${from} to ${to}: ${phase}`
    if (step === last && nowMs < nextMs) return
    last = step
    nextMs = nowMs + LINE_INTERVAL_MS
    write(`migrating the home from format ${step}, ${displayShare(done)}`)
  }
}
