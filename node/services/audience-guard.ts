import { type Clock, type Logger, MINUTE_MS } from '../../base/index.ts'
import { Ongoing } from './ongoing.ts'

/** An access list can run out without anybody changing it: then peers lose what is open within this time. */
const RECHECK_MS = MINUTE_MS

export interface AudienceGuardModules {
  /** What has open streams of peers: it asks for each whether the peer may still read what it reads, and cuts it otherwise. */
  served: ReadonlyArray<{ recheck(): Promise<void> }>
  clock: Clock
  logger: Logger
}

/** Sees to it that who may not know of a library any more loses what is open: at once when its list changes. */
export class AudienceGuard extends Ongoing {
  readonly #modules: AudienceGuardModules

  constructor(modules: AudienceGuardModules) {
    super('the guard of audiences', modules.logger)
    this.#modules = modules
  }

  /** An access list has changed. Never rejects: what could not be asked about is asked about again within a minute. */
  async changed(): Promise<void> {
    const { served, logger } = this.#modules
    for (const part of served)
      try {
        await part.recheck()
      } catch (err) {
        logger.error({ err }, 'whether peers may still read what they read could not be found out')
      }
  }

  protected async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#modules.clock.wait(RECHECK_MS, signal)
      await this.changed()
    }
  }
}
