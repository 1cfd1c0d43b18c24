/** Work that a part does by itself, again and again, while the node runs: begun, paused, gone on with and ended in one way. */
import { CatalogError, type Logger } from '../../base/index.ts'
import type { Pausable } from './pause.ts'

export abstract class Ongoing implements Pausable {
  readonly #name: string
  readonly #logger: Logger
  #stopping = new AbortController()
  #task: Promise<void> = Promise.resolve()

  /** `name` is for the log. */
  constructor(name: string, logger: Logger) {
    this.#name = name
    this.#logger = logger
  }

  /** Works until the signal ends it, or until nothing is left to do. An error before is a bug, and told as one. */
  protected abstract run(signal: AbortSignal): Promise<void>

  start(): void {
    this.#stopping = new AbortController()
    const { signal } = this.#stopping
    this.#task = this.run(signal).catch(err => {
      if (!signal.aborted) this.#logger.error({ work: this.#name, err }, 'background work ended')
    })
  }

  /** Resolves when the work has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort(new CatalogError('SHUTTING_DOWN', `${this.#name} was stopped`))
    await this.#task
  }

  pause(): Promise<void> {
    return this.stop()
  }

  resume(): void {
    this.start()
  }
}
