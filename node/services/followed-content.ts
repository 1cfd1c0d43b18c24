/** Brings the content that subscriptions ask for, after each change of their libraries, and again later where something is missing. */
import {
  backoffDelayMs,
  CatalogError,
  type Clock,
  changedWithin,
  type Logger,
  MINUTE_MS,
  type RetryPolicy,
  SECOND_MS,
  Signpost
} from '../../base/index.ts'
import type { EventHub } from '../events.ts'
import type { SyncResult } from '../sync-schemas.ts'
import { formatAddress, idOfAddress } from './library-address.ts'
import { bringContent, type LibraryContentModules } from './library-content.ts'
import { Ongoing } from './ongoing.ts'
import type { ReleaseMatcher } from './release-filter.ts'
import type { Subscription } from './subscription.ts'

/** While something is missing that nobody gives. */
const UNTIL_SOURCES: RetryPolicy = {
  attempts: Number.MAX_SAFE_INTEGER,
  firstDelayMs: 5 * SECOND_MS,
  maxDelayMs: 15 * MINUTE_MS,
  factor: 2,
  jitter: 0.5
}

/** After something came to be here: many come together. */
const LOOK_AGAIN_MS = MINUTE_MS

export interface FollowedContentModules extends LibraryContentModules {
  events: Pick<EventHub, 'listen'>
  clock: Clock
  logger: Logger
  /** Uniform in [0, 1). */
  random?: () => number
}

export interface FollowedContentOptions {
  /** Of each library what comes first, second and so on. */
  classes: readonly ReleaseMatcher[]
}

export class FollowedContent extends Ongoing {
  readonly #modules: FollowedContentModules
  readonly #options: FollowedContentOptions
  /** Subscriptions that are to be gone through, by address, and when; those that something was missing of last time later and later. */
  readonly #due = new Map<string, { subscription: Subscription; atMs: number; failures: number }>()
  /** Those whose last pass found or brought everything; nothing is missing until their libraries change, or more is wanted. */
  readonly #whole = new Map<string, Subscription>()
  /** The subscription that is being gone through. */
  #passing: { address: string; ending: AbortController; pass: Promise<boolean> } | undefined
  readonly #changed = new Signpost()

  constructor(modules: FollowedContentModules, options: FollowedContentOptions) {
    super('fetching of followed content', modules.logger)
    this.#modules = modules
    this.#options = options
  }

  /** A library was compared; what it has of content is gone through unless it was and nothing has changed. */
  followed(subscription: Subscription, { state }: Pick<SyncResult, 'state'>): void {
    if (subscription.content === 'none') return
    const address = formatAddress(subscription)
    if (state === 'updated') this.#whole.delete(address)
    if (this.#whole.has(address)) return
    this.#due.set(address, { subscription, atMs: 0, failures: 0 })
    this.#changed.show()
  }

  /** A subscription holds no more; nothing is fetched for it when this resolves. */
  async ended(subscription: Subscription): Promise<void> {
    const address = formatAddress(subscription)
    this.#whole.delete(address)
    this.#due.delete(address)
    if (this.#passing?.address !== address) return
    const { ending, pass } = this.#passing
    ending.abort(new CatalogError('ABORTED', 'the library is followed no more, or in another way'))
    await pass
  }

  protected async run(signal: AbortSignal): Promise<void> {
    const { events } = this.#modules
    const stop = events.listen(({ type, data }) => {
      if (type === 'release' && data.local === 'complete') this.#gained()
    })
    try {
      await this.#passes(signal)
    } finally {
      stop()
    }
  }

  /** A package that came to be here is wanted from now on, whichever library it is of. */
  #gained(): void {
    const atMs = this.#modules.clock.now() + LOOK_AGAIN_MS
    for (const [address, subscription] of this.#whole) {
      if (subscription.content !== 'wanted') continue
      this.#whole.delete(address)
      this.#due.set(address, { subscription, atMs, failures: 0 })
      this.#changed.show()
    }
  }

  async #passes(signal: AbortSignal): Promise<void> {
    const { clock, random = Math.random } = this.#modules
    while (!signal.aborted) {
      const changed = this.#changed.shown()
      const [next] = [...this.#due.values()].sort((a, b) => a.atMs - b.atMs)
      const waitMs = next === undefined ? Number.POSITIVE_INFINITY : next.atMs - clock.now()
      if (next === undefined || waitMs > 0) {
        await changedWithin(changed, waitMs, { clock, signal })
        continue
      }
      const { subscription } = next
      const address = formatAddress(subscription)
      this.#due.delete(address)
      const ending = new AbortController()
      const pass = this.#pass(subscription, AbortSignal.any([signal, ending.signal]))
      this.#passing = { address, ending, pass }
      const isWhole = await pass
      this.#passing = undefined
      if (ending.signal.aborted) continue
      if (isWhole) this.#whole.set(address, subscription)
      else if (!this.#due.has(address)) {
        const failures = next.failures + 1
        const atMs = clock.now() + backoffDelayMs(UNTIL_SOURCES, failures, random())
        this.#due.set(address, { subscription, atMs, failures })
      }
    }
  }

  /** Goes through a library once; whether everything that is wanted is here now. */
  async #pass(subscription: Subscription, signal: AbortSignal): Promise<boolean> {
    const { logger } = this.#modules
    const library = formatAddress(subscription)
    try {
      const { failed, isGivenUp } = await bringContent(
        this.#modules,
        {
          library: idOfAddress(subscription),
          policy: subscription.content,
          filter: subscription,
          ...this.#options
        },
        {
          signal,
          onFailed: ({ name, version }, code) =>
            logger.debug({ name, version, code }, 'followed content could not be fetched')
        }
      )
      if (isGivenUp) logger.info({ library, failed }, 'the content of a followed library is left for later')
      return failed === 0
    } catch (err) {
      // Such as a tree that waits to be repaired: tried again like what nobody gives.
      if (!signal.aborted)
        logger.error({ library, err }, 'the content of a followed library could not be gone through')
      return false
    }
  }
}
