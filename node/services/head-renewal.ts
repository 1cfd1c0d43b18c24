import { type Clock, HOUR_MS, type Logger, MINUTE_MS } from '../../base/index.ts'
import type { LibrarySets, OwnLibrary } from '../../sync/index.ts'
import { Ongoing } from './ongoing.ts'

/** After the start, which has enough to do. */
const FIRST_WAIT_MS = MINUTE_MS
/** Heads are renewed when they are a day old and hold for a week: an hour more or less does not matter. */
const WAIT_MS = HOUR_MS

export interface HeadRenewalModules {
  sets: Pick<LibrarySets, 'state' | 'renew'> & {
    access: Pick<LibrarySets['access'], 'own' | 'renewAccess'>
  }
  clock: Clock
  logger: Logger
}

/**
 * Signs the heads of this node's libraries again before they expire: nobody could rely on a library that did not change for a week. Access
 * lists of those that are not for everybody too: they hold for days only, and then nobody on them is let in any more.
 */
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
      await this.#renewAll(signal)
      await clock.wait(WAIT_MS, signal)
    }
  }

  /** What fails is tried again an hour later: a full disk, or a tree that waits to be repaired. */
  async #renewAll(signal: AbortSignal): Promise<void> {
    const { sets, logger } = this.#modules
    try {
      for (const library of await sets.access.own(signal)) await this.#renew(library, signal)
    } catch (err) {
      if (signal.aborted) throw err
      logger.error({ err }, 'the libraries of this node could not be read')
    }
  }

  /** One that fails keeps no other from it. */
  async #renew(library: OwnLibrary, signal: AbortSignal): Promise<void> {
    const { sets, logger } = this.#modules
    const { name, access, libraryId } = library
    try {
      // A new list comes with a new head.
      if (access !== 'public' && (await sets.access.renewAccess(library, signal)))
        logger.debug({ library: name }, 'the access list was signed again')
      if (!(await sets.state(libraryId)).isRenewalDue) return
      await sets.renew(libraryId, signal)
      logger.debug({ library: name }, 'the head was signed again')
    } catch (err) {
      if (signal.aborted) throw err
      logger.error({ err, library: name }, 'a library could not be signed again')
    }
  }
}
