import {
  type Clock,
  changedWithin,
  type Logger,
  MINUTE_MS,
  Signpost,
  toCatalogError
} from '../../base/index.ts'
import { keyText } from '../../discovery/index.ts'
import type { LibraryKeys } from './library-keys.ts'
import type { Network } from './network.ts'
import { Ongoing } from './ongoing.ts'

/** What nobody tells of is seen by then, such as a list that has expired. */
const LOOK_MS = MINUTE_MS
/** Keys of one announcement. */
const KEYS_PER_BATCH = 1000
/** Of writing one down; it goes on in discovery. */
const ANNOUNCE_TIMEOUT_MS = MINUTE_MS

export interface LibraryAnnouncingModules {
  keys: Pick<LibraryKeys, 'all'>
  network: Pick<Network, 'announce'>
  clock: Clock
  logger: Logger
}

/** Announces a library as soon as it is whole here, or has another key. Again and again is discovery's, with the same keys. */
export class LibraryAnnouncing extends Ongoing {
  readonly #modules: LibraryAnnouncingModules
  readonly #changed = new Signpost()
  /** Keys that were announced and still hold. */
  #announced = new Set<string>()

  constructor(modules: LibraryAnnouncingModules) {
    super('the announcing of libraries', modules.logger)
    this.#modules = modules
  }

  /** A library has come to be here, or whom one is for has changed. */
  changed(): void {
    this.#changed.show()
  }

  protected async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#modules
    while (!signal.aborted) {
      const changed = this.#changed.shown()
      try {
        await this.#announce(signal)
      } catch (thrown) {
        if (signal.aborted) throw thrown
        logger.warn({ code: toCatalogError(thrown).code }, 'libraries could not be announced, and are later')
      }
      await changedWithin(changed, LOOK_MS, { clock, signal })
    }
  }

  async #announce(signal: AbortSignal): Promise<void> {
    const { keys, network, logger } = this.#modules
    const all = new Map((await keys.all(signal)).map(key => [keyText(key), key]))
    this.#announced = new Set([...this.#announced].filter(text => all.has(text)))
    const fresh = [...all].filter(([text]) => !this.#announced.has(text))
    for (let at = 0; at < fresh.length; at += KEYS_PER_BATCH) {
      const batch = fresh.slice(at, at + KEYS_PER_BATCH)
      const libraries = batch.map(([, key]) => key)
      await network.announce(
        { names: [], ids: [], libraries },
        { wait: 0, timeoutMs: ANNOUNCE_TIMEOUT_MS },
        signal
      )
      for (const [text] of batch) this.#announced.add(text)
      logger.debug({ libraries: batch.length }, 'announced libraries')
    }
  }
}
