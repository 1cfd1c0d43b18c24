import { type Clock, HOUR_MS, type Logger, MINUTE_MS } from '../../base/index.ts'
import { HOME_LIBRARY } from '../../library/index.ts'
import type { LibrarySets } from '../../sync/index.ts'
import { Ongoing } from './ongoing.ts'

/** After the start, which has enough to do. */
const FIRST_WAIT_MS = MINUTE_MS
/** Heads are renewed when they are a day old and hold for a week: an hour more or less does not matter. */
const WAIT_MS = HOUR_MS

export interface HeadRenewalModules {
  sets: Pick<LibrarySets, 'state' | 'renew'>
  clock: Clock
  logger: Logger
}

/** Signs the heads of this node's libraries again before they expire: nobody could rely on a library that did not change for a week. */
export class HeadRenewal extends Ongoing {
  readonly #modules: HeadRenewalModules

  constructor(modules: HeadRenewalModules) {
    super('the renewal of heads', modules.logger)
    this.#modules = modules
  }

  protected async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#modules
    await clock.wait(FIRST_WAIT_MS, signal)
    for (;;) {
      await this.#renew(signal)
      await clock.wait(WAIT_MS, signal)
    }
  }

  /** What fails is tried again an hour later: a full disk, or a tree that waits to be repaired. */
  async #renew(signal: AbortSignal): Promise<void> {
    const { sets, logger } = this.#modules
    try {
      if (!(await sets.state(HOME_LIBRARY)).isRenewalDue) return
      await sets.renew(HOME_LIBRARY, signal)
      logger.debug({ library: HOME_LIBRARY }, 'the head was signed again')
    } catch (err) {
      if (signal.aborted) throw err
      logger.error({ err }, 'the head of the home library could not be signed again')
    }
  }
}
