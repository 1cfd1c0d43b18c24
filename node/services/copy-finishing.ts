import { type Clock, HOUR_MS, type Logger } from '../../base/index.ts'
import type { LibrarySets } from '../../sync/index.ts'
import { Ongoing } from './ongoing.ts'

/** After a failure, or while a session had the copy; the next session of a library does what is left for it too. */
const WAIT_MS = HOUR_MS

export interface CopyFinishingModules {
  sets: Pick<LibrarySets, 'finishCopies'>
  clock: Clock
  logger: Logger
}

/** Finishes copies of libraries that a stop cut off, at once after the start: names lead to them also where no peer can be reached. */
export class CopyFinishing extends Ongoing {
  readonly #modules: CopyFinishingModules

  constructor(modules: CopyFinishingModules) {
    super('the finishing of copies', modules.logger)
    this.#modules = modules
  }

  protected async run(signal: AbortSignal): Promise<void> {
    const { sets, clock, logger } = this.#modules
    for (;;) {
      try {
        await sets.finishCopies(signal)
      } catch (err) {
        if (signal.aborted) throw err
        logger.error({ err }, 'a copy of a followed library could not be finished')
      }
      await clock.wait(WAIT_MS, signal)
    }
  }
}
